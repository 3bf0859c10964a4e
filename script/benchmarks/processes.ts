/**
 * What processes have spent and hold, as /proc shows it (Linux). Benchmarks and the soak only; a process that has ended, or is
 * another user's, has nothing.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts process time in these, whatever the kernel's own tick is (USER_HZ). */
const TICK_MS = 10

/** User and system time of a process so far, its ended threads included; `null` when there is no such process. */
export function cpuMs(pid: number): number | null {
  const stat = read(pid, 'stat')
  if (stat === null) return null
  // After the name, which may hold anything: state is field 3, utime 14, stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/** Resident set size, bytes; 0 when there is no such process. */
export function rssBytes(pid: number): number {
  return kilobytes(read(pid, 'status'), 'VmRSS')
}

/** Proportional set size, bytes: a page that n processes share counts as its nth part in each. */
export function pssBytes(pid: number): number {
  return kilobytes(read(pid, 'smaps_rollup'), 'Pss')
}

/** Open descriptors and threads. */
export function handlesOf(pid: number): { descriptors: number; threads: number } {
  return { descriptors: count(`/proc/${pid}/fd`), threads: count(`/proc/${pid}/task`) }
}

export function childrenOf(pid: number): number[] {
  return list(`/proc/${pid}/task`).flatMap((thread) =>
    (read(pid, `task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number),
  )
}

function kilobytes(text: string | null, field: string): number {
  return 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1] ?? 0)
}

const count = (folder: string) => list(folder).length

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function read(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return null
  }
}
