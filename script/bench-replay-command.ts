/**
 * The whole `grabber replay` as a person starts it, with its wall time and the CPU time of all its processes. Runs in the
 * benchmark's process.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { GrabberError } from '../core/errors.ts'
import type { ReplaySummary } from '../src/replay-summary.ts'
import { type Cost, machineCpuSeconds } from './bench-kit.ts'

/** bash waits for the command and then writes the CPU times of everything below it: user and system, on the last line. */
const TIMED = '"$@"; status=$?; times; exit $status'
const MAX_OUTPUT_CHARACTERS = 1_000_000

export interface ReplayCost extends Cost {
  summary: ReplaySummary
  /** CPU time that other programs took meanwhile. */
  othersCpuSeconds: number
}

/** Rejects with ACT_DEFECT that holds the command's own last line when it fails. */
export async function replayCommand(clip: string, config: object): Promise<ReplayCost> {
  const folder = await mkdtemp(join(tmpdir(), 'grabber-bench-'))
  try {
    const configFile = join(folder, 'replay.yaml')
    // JSON is YAML.
    await writeFile(configFile, JSON.stringify(config))
    return await timed(clip, configFile)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function timed(clip: string, configFile: string): Promise<ReplayCost> {
  const command = [resolve('bin/grabber'), 'replay', clip, '-c', configFile, '--camera', 'bench']
  const startMs = performance.now()
  const busy = machineCpuSeconds()
  const output = await run('bash', ['-c', TIMED, 'bash', ...command])
  const wallSeconds = (performance.now() - startMs) / 1000
  const lines = output.trim().split('\n')
  const own = cpuSeconds(lines.at(-1)!)
  // The machine counts in ticks of 10 ms, so a quiet one can come out below zero.
  const othersCpuSeconds = Math.max(0, machineCpuSeconds() - busy - own)
  return { wallSeconds, cpuSeconds: own, othersCpuSeconds, summary: JSON.parse(lines[0]!) as ReplaySummary }
}

/** `0m11.016s 0m0.514s` as seconds. */
function cpuSeconds(line: string): number {
  const times = [...line.matchAll(/(\d+)m([\d.]+)s/g)]
  if (times.length !== 2) throw new Error(`not the CPU times of a command: ${line}`)
  return times.reduce((sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds), 0)
}

function run(program: string, args: string[]): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const [output, errors] = [collect(child.stdout), collect(child.stderr)]
    child.once('error', fail)
    child.once('close', (status) => {
      if (status === 0) return done(output())
      const last = errors().trim().split('\n').at(-1) || `status ${status}`
      fail(new GrabberError('ACT_DEFECT', `the replay failed: ${last}`))
    })
  })
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.on('data', (chunk) => {
    text = (text + chunk).slice(-MAX_OUTPUT_CHARACTERS)
  })
  return () => text
}
