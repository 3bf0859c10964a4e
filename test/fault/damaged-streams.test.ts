/**
 * Forty damaged streams and headers that lie about the size, through the program as a person starts it: each ends with a
 * summary or a code, every frame is accounted for, and nothing is left behind.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { probeRecording } from '../../actors/probe-job.ts'
import { configSchema } from '../../config/schema.ts'
import { type GrabberError, toGrabberError } from '../../core/errors.ts'
import { imbalance, type LedgerCounts } from '../../core/ledger.ts'
import type { PreflightReport } from '../../core/wire/preflight.ts'
import { hostSettings } from '../../src/host-settings.ts'
import type { ReplaySummary } from '../../src/replay-summary.ts'
import { startDaemon } from '../e2e/support/daemon.ts'
import { Grabber, jsonLines } from '../e2e/support/grabber.ts'
import { processesOf } from '../e2e/support/processes.ts'
import type { ReportLine } from '../e2e/support/report-line.ts'
import { asl, ClipFolder, hasClips } from '../integration/support/clips.ts'
import { damaged, withJpegSize, withPngSize, withSampleEntrySize, withSpsSize } from '../integration/support/damage.ts'
import { silentLogger, until } from '../integration/support/nats.ts'

const SEED = 20_240_601
const VARIANTS = 40
/** Of damage (support/damage). */
const KINDS = 7
/** Of what a busy machine may take; no figure depends on it. */
const LIMIT_MS = 100_000

const HEVC = ['-pix_fmt', 'yuv420p', '-x265-params', 'log-level=error:keyint=15:pools=1']

const host = hostSettings(configSchema.parse({ timeouts: { helloMs: 60_000, silenceMs: 60_000 } }), silentLogger)

/** Code and words of a recording that could not be used. */
const PLAIN_FAILURE = [expect.stringMatching(/^(SRC|DEC)_/), expect.stringMatching(/^\w+( \S+){2,}/)]

let grabber: Grabber
let clips: ClipFolder
/** What was done to each file, by name. */
const damage = new Map<string, string>()
beforeAll(() => {
  if (!hasClips) return
  grabber = new Grabber({ models: true })
  clips = new ClipFolder()
  mkdirSync(clips.at('damaged'))
  mkdirSync(clips.at('sizes'))
  makeDamaged()
  makeSizes()
})
afterAll(() => {
  grabber?.[Symbol.dispose]()
  clips?.[Symbol.dispose]()
})

function makeDamaged(): void {
  const encode = ['-i', asl('help'), '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '15']
  const whole = {
    mp4: readFileSync(clips.made('whole.mp4', ...encode, '-movflags', '+faststart')),
    ts: readFileSync(clips.made('whole.ts', ...encode)),
    mkv: readFileSync(clips.made('whole.mkv', ...encode)),
  }
  for (let n = 0; n < VARIANTS; n++) {
    const container = (['mp4', 'ts', 'mkv'] as const)[n % 3]!
    const name = `damaged-${String(n).padStart(2, '0')}.${container}`
    const { what, bytes } = damaged(whole[container], SEED, n)
    damage.set(name, what)
    writeFileSync(clips.at(`damaged/${name}`), bytes)
  }
}

/** Files whose headers state sizes that they do not have, and what must become of each. */
const sizes: Record<string, string> = {
  'zero.avi': '^(SRC_UNREADABLE|DEC_FAILED)$',
  'zero.png': '^(SRC_UNREADABLE|DEC_FAILED)$',
  'zero-entry.mp4': '^frames$',
  'large.avi': '^(SRC_TOO_LARGE|DEC_FAILED)$',
  'large.png': '^SRC_TOO_LARGE$',
  'large-entry.mp4': '^SRC_TOO_LARGE$',
  'large.h264': '^SRC_TOO_LARGE$',
  'largest.h264': '^SRC_TOO_LARGE$',
  'sixteen.avi': '^(SRC_TOO_LARGE|SRC_UNREADABLE|DEC_FAILED)$',
  'sixteen.h264': '^(SRC_TOO_LARGE|SRC_UNREADABLE|DEC_FAILED)$',
}

function makeSizes(): void {
  const jpegs = clips.made('jpegs.avi', '-i', asl('help'), '-frames:v', '10', '-c:v', 'mjpeg', '-huffman', 'default')
  const png = clips.made('picture.png', '-i', asl('help'), '-frames:v', '1')
  const mp4 = clips.made('entry.mp4', '-i', asl('help'), '-frames:v', '20', '-c:v', 'libx264')
  const baseline = ['-c:v', 'libx264', '-profile:v', 'baseline', '-frames:v', '10', '-bsf:v', 'h264_mp4toannexb']
  const h264 = clips.made('raw.h264', '-i', asl('help'), '-pix_fmt', 'yuv420p', ...baseline)
  const edits: Record<string, [string, (bytes: Buffer) => Buffer]> = {
    'zero.avi': [jpegs, (bytes) => withJpegSize(bytes, 0, 0)],
    'zero.png': [png, (bytes) => withPngSize(bytes, 0, 0)],
    'zero-entry.mp4': [mp4, (bytes) => withSampleEntrySize(bytes, 'avc1', 0, 0)],
    'large.avi': [jpegs, (bytes) => withJpegSize(bytes, 16000, 8000)],
    'large.png': [png, (bytes) => withPngSize(bytes, 16384, 8192)],
    'large-entry.mp4': [mp4, (bytes) => withSampleEntrySize(bytes, 'avc1', 16384, 16384)],
    'large.h264': [h264, (bytes) => withSpsSize(bytes, 16384 / 16, 8192 / 16)],
    'largest.h264': [h264, (bytes) => withSpsSize(bytes, 1015, 1015)],
    'sixteen.avi': [jpegs, (bytes) => withJpegSize(bytes, 16384, 16384)],
    'sixteen.h264': [h264, (bytes) => withSpsSize(bytes, 16384 / 16, 16384 / 16)],
  }
  for (const [name, [input, edit]] of Object.entries(edits)) clips.edited(`sizes/${name}`, input, edit)
}

/** What became of each file: its summary, or its code. */
async function replayAll(folder: string, names: Iterable<string>): Promise<Map<string, ReplaySummary | string>> {
  const files = [...names].map((name) => clips.at(`${folder}/${name}`))
  const ended = await grabber.run('replay', ...files)
  expect(ended.status).toBe(3)
  const outcomes = new Map<string, ReplaySummary | string>()
  for (const summary of jsonLines<ReplaySummary>(ended.out)) outcomes.set(summary.file.split('/').at(-1)!, summary)
  for (const line of ended.err.trimEnd().split('\n')) {
    const [, code, name] = /^([A-Z]{3}_[A-Z_]+): (?:\S+\/)?([^\s/:]+): /.exec(line) ?? []
    expect(line).toMatch(/^[A-Z]{3}_[A-Z_]+: /)
    if (code !== undefined && name !== undefined && code !== 'DEC_DAMAGED') outcomes.set(name, code)
  }
  expect(processesOf(grabber.data)).toEqual([])
  return outcomes
}

/** Each in a host of its own, two at a time. */
async function lookAtAll(paths: readonly string[]): Promise<(PreflightReport | GrabberError)[]> {
  const outcomes: (PreflightReport | GrabberError)[] = []
  const waiting = [...paths.entries()]
  const look = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, path] = next
      const signal = AbortSignal.timeout(LIMIT_MS)
      outcomes[index] = await probeRecording({ path, host, signal, openTimeoutMs: 10_000 }).catch(toGrabberError)
    }
  }
  await Promise.all([look(), look()])
  return outcomes
}

function expectAccounted({ frames, leases, restarts }: ReplaySummary, what: string): void {
  const ledger: LedgerCounts = frames
  expect([what, imbalance(ledger), ledger.inFlight, ledger.dropped, leases]).toEqual([what, 0, 0, {}, 0])
  expect([what, restarts]).toEqual([what, 0])
  expect(ledger.captured, what).toBeGreaterThan(0)
}

describe.skipIf(!hasClips)('damaged streams', () => {
  it(`${VARIANTS} of them (seed ${SEED}), replayed: the frames that can be had, or a code of the input`, async () => {
    const outcomes = await replayAll('damaged', damage.keys())
    for (const [name, what] of damage) {
      const outcome = outcomes.get(name)
      const where = `${name}: ${what}`
      if (typeof outcome === 'object') expectAccounted(outcome, where)
      else expect([where, outcome]).toEqual([where, expect.stringMatching(/^(SRC|DEC)_/)])
    }
    // Most can be had in part; a summary each, of up to the 58 frames of the whole.
    const read = [...outcomes.values()].filter((outcome) => typeof outcome === 'object')
    expect(read.length).toBeGreaterThan(VARIANTS / 2)
    expect(read.reduce((sum, { frames }) => sum + frames.captured, 0)).toBeGreaterThan(20 * read.length)
  })

  it('through a batch: a result, or a code of the input; a second batch does nothing again', async () => {
    const batch = () =>
      grabber.run('batch', clips.at('damaged'), '--out', 'out', '--mode', 'fast', '--parallel', '2', '--json')
    const first = await batch()
    const lines = jsonLines<ReportLine>(first.out)
    const total = lines.at(-1)!.total!
    expect([first.status, total.files, total.done! + total.failed!]).toEqual([3, VARIANTS, VARIANTS])
    expect(first.err.trimEnd().split('\n').at(-1)).toMatch(/^(SRC|DEC)_[A-Z_]+: \d+ of 40 recordings failed: /)
    const done = new Set<string>()
    for (const { file, outcome, error, result, keyframes, frames } of lines.slice(0, -1)) {
      const name = file!.split('/').at(-1)!
      const where = `${name}: ${damage.get(name)}`
      if (outcome === 'failed') {
        expect([where, error!.code, error!.message]).toEqual([where, ...PLAIN_FAILURE])
        continue
      }
      expect([where, outcome, frames! > 0]).toEqual([where, 'done', true])
      done.add(result!.split('/').at(-1)!)
      const metadata = JSON.parse(readFileSync(`${result}/metadata.json`, 'utf8')) as { keyframes: { file: string }[] }
      const pictures = metadata.keyframes.map(({ file }) => file)
      expect([where, readdirSync(`${result}/images`).sort()]).toEqual([where, pictures])
      expect([where, pictures.length]).toEqual([where, keyframes])
    }
    expect([done.size, done.size > VARIANTS / 2]).toEqual([total.done, true])
    const out = () => readdirSync(grabber.path('out')).filter((name) => name !== '.grabber.lock')
    expect(new Set(out())).toEqual(done)
    const inodes = () => out().map((name) => statSync(grabber.path(`out/${name}`)).ino)
    const before = inodes()
    const second = await batch()
    const again = jsonLines<ReportLine>(second.out)
    expect([second.status, again.at(-1)!.total]).toMatchObject([
      3,
      { done: 0, skipped: done.size, failed: total.failed },
    ])
    const codes = (all: ReportLine[]) =>
      all.flatMap(({ file, error }) => (error ? [`${file} ${error.code}`] : [])).sort()
    expect([codes(again), inodes()]).toEqual([codes(lines), before])
    expect(processesOf(grabber.data)).toEqual([])
  })

  it('looked at before a job, H.265 among them: what is known of each and where it is damaged, or a code of the input', async () => {
    const hevc = clips.made('whole-hevc.mp4', '-i', asl('help'), '-c:v', 'libx265', '-preset', 'ultrafast', ...HEVC)
    const whole = readFileSync(hevc)
    // Each kind of damage, in H.264 of three containers and in H.265.
    const looks = [...damage.keys()].slice(0, KINDS).map((name) => clips.at(`damaged/${name}`))
    for (let n = 0; n < KINDS; n++) {
      const path = clips.at(`damaged-hevc-${n}.mp4`)
      writeFileSync(path, damaged(whole, SEED, n).bytes)
      looks.push(path)
    }
    const outcomes = await lookAtAll(looks)
    const codes = outcomes.flatMap((outcome) => ('code' in outcome ? [outcome.code] : []))
    expect(codes).toEqual(codes.map(() => expect.stringMatching(/^(SRC|DEC)_/)))
    const reports = outcomes.filter((outcome) => 'packets' in outcome)
    expect(reports.length).toBeGreaterThanOrEqual(KINDS)
    for (const { damage, packets } of reports) {
      expect(packets).toBeGreaterThan(0)
      expect(damage.at.length).toBe(Math.min(20, damage.count))
    }
    // Bits of a payload show in the decoder alone; what is cut off or missing shows here.
    expect(reports.filter(({ damage }) => damage.at.some(({ byte }) => byte !== null)).length).toBeGreaterThanOrEqual(3)
  })

  it('sizes of nothing and of 16K: a code of the input, or its frames', async () => {
    const outcomes = await replayAll('sizes', Object.keys(sizes))
    for (const [name, expected] of Object.entries(sizes)) {
      const outcome = outcomes.get(name)
      const end = typeof outcome === 'object' ? 'frames' : outcome
      expect([name, end]).toEqual([name, expect.stringMatching(new RegExp(expected))])
      if (typeof outcome === 'object') expectAccounted(outcome, name)
    }
  })

  it('a size of 16K is refused before the memory is taken; of a still, whose decoder alone knows, below a gigabyte', () => {
    const script = join(import.meta.dirname, '../integration/support/open-input.ts')
    const peak = (name: string) => {
      const out = execFileSync(process.execPath, [script, clips.at(`sizes/${name}`)], { encoding: 'utf8' })
      const { end, peakRssBytes } = JSON.parse(out) as { end: string | number; peakRssBytes: number }
      expect([name, String(end)]).toEqual([name, expect.stringMatching(/^(0$|SRC_|DEC_)/)])
      return peakRssBytes / 1e6
    }
    for (const name of Object.keys(sizes).filter((name) => /^(large|sixteen)/.test(name))) {
      expect(peak(name), name).toBeLessThan(name.endsWith('.png') ? 1000 : 250)
    }
  })

  it('as cameras of a daemon: it lives, the good camera is seen to its end, nothing is left', async () => {
    const bad = [...damage.keys()].slice(0, 3).map((name) => `damaged/${name}`)
    const files = [...bad, 'sizes/large.png']
    const cameras = files.map((name, index) => `  bad-${index}: { source: "file:${clips.at(name)}" }\n`)
    const config = `http: { port: 0 }\nnats: { url: none }\ntimeouts: { helloMs: 60000, silenceMs: 60000 }\ncameras:\n  good: { source: "file:${asl('help')}" }\n`
    writeFileSync(grabber.path('grabber.yaml'), config + cameras.join(''))
    const daemon = await startDaemon(grabber, grabber.path('grabber.yaml'))
    await until('the good camera to end', async () => (await daemon.camera('good'))?.state === 'stopped', LIMIT_MS)
    const settled = ['stopped', 'backing_off', 'quarantined']
    for (const index of files.keys()) {
      await until(`bad-${index} to end`, async () =>
        settled.includes((await daemon.camera(`bad-${index}`))?.state ?? ''),
      )
    }
    const good = (await daemon.camera('good'))!
    expect([good.ledger.captured, good.ledger.inFlight]).toEqual([58, 0])
    for (const index of files.keys()) {
      const { ledger } = (await daemon.camera(`bad-${index}`))!
      expect([index, imbalance(ledger as LedgerCounts), ledger.inFlight]).toEqual([index, 0, 0])
    }
    expect(await daemon.stop()).toBe(0)
    expect(processesOf(grabber.data)).toEqual([])
  })
})
