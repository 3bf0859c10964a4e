/**
 * `script/bench startup`: from starting `grabber run` to its word "ready" and to the first analysed frame, and what each
 * process holds in memory then. Runs in the benchmark's process; the daemon is the real command, with one file camera.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { GrabberError } from '../../core/errors.ts'
import { table } from '../../src/cli/table.ts'
import { facesSpec, installedModels, modelsDir } from '../../src/face-models.ts'
import { readRunFile } from '../../src/store/run-file.ts'
import { benchClip } from './clip.ts'
import { type BenchContext, type BenchResult, figure } from './kit.ts'
import { pssBytes } from './processes.ts'

const STARTS = 5
/** Until the camera has settled: models warm, first tracks seen. */
const SETTLE_MS = 3000
const POLL_MS = 20
const LIMIT_MS = 30_000

interface Start {
  readyMs: number
  firstFrameMs: number
  /** Proportional set size by process, bytes: what is shared is counted once. */
  pss: Record<string, number>
}

export async function benchStartup({ config, assets }: BenchContext): Promise<BenchResult> {
  const { detector, embedder } = facesSpec(config)
  await installedModels(config, [detector, embedder])
  const clip = await benchClip(assets, 5)
  const starts: Start[] = []
  for (let n = 0; n < STARTS; n++) starts.push(await startOnce(clip, modelsDir(config)))
  const last = starts.at(-1)!
  const report = {
    bench: 'startup',
    starts: STARTS,
    readyMs: quantiles(starts.map(({ readyMs }) => readyMs)),
    firstFrameMs: quantiles(starts.map(({ firstFrameMs }) => firstFrameMs)),
    pssBytes: last.pss,
  }
  const rows = Object.entries(last.pss).map(([name, bytes]) => [name, `${(bytes / 1e6).toFixed(0)} MB`])
  const lines = [
    `ready after ${report.readyMs.p50} ms (slowest ${report.readyMs.max}); first frame analysed after ${report.firstFrameMs.p50} ms`,
    table([['PROCESS', 'PSS'], ...rows]),
  ]
  return { report, text: lines.join('\n') }
}

async function startOnce(clip: string, models: string): Promise<Start> {
  const folder = mkdtempSync(join(tmpdir(), 'grabber-bench-'))
  const data = join(folder, 'data')
  const path = join(folder, 'grabber.yaml')
  const camera = `  one: { source: ${JSON.stringify(`file:${resolve(clip)}`)}, loop: true }`
  writeFileSync(path, `data: ${data}\nhttp: { port: 0 }\ncameras:\n${camera}\n`)
  try {
    return await measure(path, data, models)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(path: string, data: string, models: string): Promise<Start> {
  mkdirSync(data)
  symlinkSync(models, join(data, 'models'))
  const env = { ...process.env, GRABBER_DATA: data, GRABBER_HTTP_PORT: '0' }
  const startMs = performance.now()
  const program = fileURLToPath(new URL('../../bin/grabber', import.meta.url))
  const daemon = spawn(program, ['-c', path, 'run'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = new Promise((done) => daemon.once('exit', done))
  try {
    await lineWith(daemon.stderr, '"msg":"ready"')
    const readyMs = performance.now() - startMs
    await analysed(data)
    const firstFrameMs = performance.now() - startMs
    await pause(SETTLE_MS)
    const processes = [{ name: 'daemon', pid: daemon.pid! }, ...(readRunFile(data)?.children ?? [])]
    const pss = Object.fromEntries(processes.map(({ name, pid }) => [name, pssBytes(pid)]))
    return { readyMs, firstFrameMs, pss }
  } finally {
    daemon.kill('SIGTERM')
    await exited
  }
}

async function lineWith(stream: NodeJS.ReadableStream, text: string): Promise<void> {
  for await (const line of createInterface({ input: stream })) if (line.includes(text)) return
  throw new GrabberError('ACT_HOST_DIED', 'the daemon ended before it was ready')
}

async function analysed(data: string): Promise<void> {
  const deadline = performance.now() + LIMIT_MS
  while (performance.now() < deadline) {
    const metrics = await (await fetch(`${readRunFile(data)?.httpUrl}/metrics`)).text()
    if (/grabber_processed_frames_total\{camera_id="one",result="analysed"\} [1-9]/.test(metrics)) return
    await pause(POLL_MS)
  }
  throw new GrabberError('ACT_DEADLINE', 'no frame was analysed')
}

function quantiles(values: number[]): { min: number; p50: number; max: number } {
  const sorted = values.toSorted((a, b) => a - b)
  return { min: figure(sorted[0]!), p50: figure(sorted[sorted.length >> 1]!), max: figure(sorted.at(-1)!) }
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))
