/**
 * `script/soak replays`: many replays in one process with one engine, and what each leaves behind. Entry file of a command of
 * its own. The replays are those of the real command; it is measured between two of them, when the session's host has gone.
 * Needs `--expose-gc`: what the collector would still free is no leak.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import packageJson from '../package.json' with { type: 'json' }
import { runCommandLine } from '../src/cli/command-line.ts'
import { createContext } from '../src/cli/context.ts'
import { registerReplay } from '../src/cli/replay.ts'

const CLIP_SECONDS = 0.5

interface Sample {
  descriptors: number
  children: number
  rssBytes: number
  heapBytes: number
  engineRssBytes: number
}

async function main(): Promise<void> {
  const { warmUp, replays } = parse(process.argv.slice(2))
  const folder = mkdtempSync(join(tmpdir(), 'grabber-soak-'))
  try {
    const samples = await soak(recordings(folder, warmUp + replays))
    process.stdout.write(`${JSON.stringify(report(samples.slice(warmUp), warmUp))}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** So many copies of one short recording. SRC_NOT_FOUND without the test assets. */
function recordings(folder: string, n: number): string[] {
  const source = resolve(process.env.GRABBER_ASSETS || '../shared/assets', 'videos/asl/eat.mkv')
  if (!existsSync(source)) {
    const remedy = 'set GRABBER_ASSETS to the folder of the test assets'
    throw new GrabberError('SRC_NOT_FOUND', `${source} is not there`, { remedy })
  }
  mkdirSync(folder, { recursive: true })
  const clip = join(folder, 'clip.mkv')
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', source, '-t', String(CLIP_SECONDS), '-c:v', 'libx264', clip])
  return Array.from({ length: n }, (_, index) => {
    const copy = join(folder, `${String(index).padStart(5, '0')}.mkv`)
    copyFileSync(clip, copy)
    return copy
  })
}

/** One sample after each replay. */
async function soak(files: string[]): Promise<Sample[]> {
  const samples: Sample[] = []
  const context = createContext({
    stdout: { write: () => samples.push(sample()) },
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    isTty: false,
    signal: new AbortController().signal,
  })
  const status = await runCommandLine(['replay', ...files], context, [registerReplay], packageJson)
  if (status !== 0 || samples.length !== files.length)
    throw new GrabberError('ACT_GAVE_UP', `${samples.length} of ${files.length} replays, exit status ${status}`)
  return samples
}

function sample(): Sample {
  globalThis.gc?.()
  const children = childrenOf(process.pid)
  const { rss, heapUsed } = process.memoryUsage()
  const engineRssBytes = children.reduce((sum, pid) => sum + rssOf(pid), 0)
  const descriptors = readdirSync('/proc/self/fd').length
  return { descriptors, children: children.length, rssBytes: rss, heapBytes: heapUsed, engineRssBytes }
}

function childrenOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}

function rssOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return 1024 * Number(kilobytes ?? 0)
}

function report(samples: readonly Sample[], warmUp: number): object {
  const range = (of: (sample: Sample) => number) => {
    const values = samples.map(of)
    return { min: Math.min(...values), max: Math.max(...values), first: values[0], last: values.at(-1) }
  }
  const perReplay = (of: (sample: Sample) => number) => Math.round(slope(samples.map(of)))
  return {
    soak: 'replays',
    warmUp,
    replays: samples.length,
    descriptors: range((s) => s.descriptors),
    children: range((s) => s.children),
    rssBytes: range((s) => s.rssBytes),
    // Bytes a replay, by least squares.
    rssSlopeBytes: perReplay((s) => s.rssBytes),
    heapSlopeBytes: perReplay((s) => s.heapBytes),
    engineRssSlopeBytes: perReplay((s) => s.engineRssBytes),
  }
}

/** Least-squares slope of values over their index. */
function slope(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const middle = (values.length - 1) / 2
  const spread = values.reduce((sum, _, index) => sum + (index - middle) ** 2, 0)
  return values.reduce((sum, value, index) => sum + (index - middle) * (value - mean), 0) / spread
}

function parse(args: string[]): { warmUp: number; replays: number } {
  const remedy = 'script/soak replays [--warm-up N] [--replays N]'
  try {
    const options = {
      'warm-up': { type: 'string', default: '50' },
      replays: { type: 'string', default: '200' },
    } as const
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    const [warmUp, replays] = [Number(values['warm-up']), Number(values.replays)]
    if (positionals.join() !== 'replays') throw new Error('which soak?')
    if (!Number.isInteger(warmUp) || warmUp < 0 || !Number.isInteger(replays) || replays < 2)
      throw new Error('--warm-up and --replays take whole numbers, the latter at least 2')
    return { warmUp, replays }
  } catch (cause) {
    throw new GrabberError('CFG_USAGE', cause instanceof Error ? cause.message : String(cause), { cause, remedy })
  }
}

main().catch((error) => {
  const coded = toGrabberError(error)
  process.stderr.write(`${coded.line}\n`)
  process.exitCode = coded.exitStatus
})
