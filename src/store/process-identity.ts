/**
 * Which process a pid means: a pid alone is used again by the system, a pid with its start time is not.
 * Runs in the daemon. Signals only what it was told, and never a process whose start time differs.
 */
import { readFileSync } from 'node:fs'
import { type Clock, delay } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'

export interface ProcessIdentity {
  pid: number
  /**
   * Opaque; equal only for the same process: `<clock ticks since boot>@<boot id>` on Linux. `null` where there is no /proc:
   * then the pid alone decides.
   */
  startTime: string | null
}

const POLL_MS = 20
/** A child that ignores SIGTERM this long is killed. */
const TERM_GRACE_MS = 2000
const KILL_GRACE_MS = 2000

const hasProc = process.platform === 'linux'

/** Identity of a process that lives now; `undefined` when there is none, or only its zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  if (!hasProc) return signal(pid, 0) ? { pid, startTime: null } : undefined
  const stat = readProc(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // proc(5): the command (field 2) stands in parentheses and may hold anything, so count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  const ticks = fields[19]
  if (state === 'Z' || state === 'X' || ticks === undefined) return undefined
  return { pid, startTime: `${ticks}@${readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}` }
}

/** Whether exactly this process still lives. */
export function lives(process: ProcessIdentity): boolean {
  const now = identify(process.pid)
  return now !== undefined && now.startTime === process.startTime
}

/** Command line of a process, its words joined by NUL; `undefined` where it cannot be read. */
export function commandLine(pid: number): string | undefined {
  return hasProc ? readProc(`/proc/${pid}/cmdline`) : undefined
}

/** SIGTERM, then SIGKILL after `TERM_GRACE_MS`; resolves when the process is gone. True when there was one to end. */
export async function end(process: ProcessIdentity, clock: Clock): Promise<boolean> {
  if (!lives(process)) return false
  signal(process.pid, 'SIGTERM')
  if (await gone(process, clock, TERM_GRACE_MS)) return true
  if (lives(process)) signal(process.pid, 'SIGKILL')
  if (await gone(process, clock, KILL_GRACE_MS)) return true
  throw new GrabberError('STO_LOCKED', `process ${process.pid}, left over from before, cannot be ended`, {
    remedy: `end it by hand: kill -9 ${process.pid}`,
  })
}

async function gone(process: ProcessIdentity, clock: Clock, limitMs: number): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + limitMs
  while (lives(process)) {
    if (clock.monotonicMs() >= deadlineMs) return false
    await delay(clock, POLL_MS)
  }
  return true
}

/** False when there is no such process; EPERM means that there is one, of another user. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // ESRCH: the process ended between open and read.
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return undefined
    throw error
  }
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
