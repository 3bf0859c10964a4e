/**
 * What the benchmarks share: their shape, and CPU time beside wall time. Runs in the benchmark's process.
 */
import { cpus } from 'node:os'
import type { Config } from '../../config/schema.ts'
import type { Logger } from '../../core/ports.ts'

export interface BenchContext {
  config: Config
  /** Folder of the test assets; need not exist. */
  assets: string
  logger: Logger
  /** Length of what is measured, s; the benchmark's own when undefined. */
  seconds: number | undefined
  /** For the gallery: how many are known at most. */
  people: number | undefined
  /** Of cameras: how many there are, and how many of them are active; the benchmark's own when undefined. */
  count: number | undefined
  active: number | undefined
  /** Of rendered scenes: how many; all when undefined. */
  paths: number | undefined
}

export interface BenchResult {
  /** What --json prints. */
  report: object
  /** The same for a person. */
  text: string
}

export type Bench = (context: BenchContext) => Promise<BenchResult>

export interface Cost {
  wallSeconds: number
  /** Of all threads of this process, user and system. */
  cpuSeconds: number
}

/** What `work` costs this process, which must do nothing else meanwhile. */
export async function costOf(work: () => Promise<void>): Promise<Cost> {
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  await work()
  const wallSeconds = (performance.now() - startMs) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { wallSeconds, cpuSeconds: (user + system) / 1e6 }
}

/** CPU seconds that all processes of this machine have spent since it started. */
export function machineCpuSeconds(): number {
  const busy = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq)
  return busy.reduce((sum, ms) => sum + ms, 0) / 1000
}

/** Four significant digits: more is noise. */
export function figure(value: number): number {
  return Number(value.toPrecision(4))
}
