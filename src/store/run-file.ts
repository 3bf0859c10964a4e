/**
 * `data/run.json`: who runs here and how to reach it. Written by the daemon alone, read by commands and by the next start.
 * It may hold an address with credentials: mode 0600, and never in a log.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { GrabberError } from '../../core/errors.ts'

const processSchema = z.object({ pid: z.int().positive(), startTime: z.string().nullable() })

const runSchema = processSchema.extend({
  /** Processes that outlive a killed daemon unless they are swept. */
  children: z.array(processSchema.extend({ name: z.string() })),
  natsUrl: z.string().nullable(),
  httpUrl: z.string().nullable(),
  controlSocket: z.string().nullable(),
})

export type RunInfo = z.infer<typeof runSchema>
export type RunChild = RunInfo['children'][number]

const runPath = (dataDir: string) => join(dataDir, 'run.json')

/** Replaces the file as a whole: a reader sees the old one or the new one. */
export function writeRunFile(dataDir: string, info: RunInfo): void {
  const path = runPath(dataDir)
  const partial = `${path}.partial`
  try {
    writeFileSync(partial, `${JSON.stringify(info, undefined, 2)}\n`, { mode: 0o600 })
    renameSync(partial, path)
  } catch (cause) {
    throw new GrabberError('STO_UNUSABLE', `${path} cannot be written`, { cause })
  }
}

/** `undefined` when there is none, or what is there is not one (a file of another version, a disk that was full). */
export function readRunFile(dataDir: string): RunInfo | undefined {
  let text: string
  try {
    text = readFileSync(runPath(dataDir), 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new GrabberError('STO_UNUSABLE', `${runPath(dataDir)} cannot be read`, { cause })
  }
  const parsed = runSchema.safeParse(parseJson(text))
  return parsed.success ? parsed.data : undefined
}

export function removeRunFile(dataDir: string): void {
  rmSync(runPath(dataDir), { force: true })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
