/**
 * Clips as files: what is cut decodes to the very frames of the recording, what is encoded has the loudness and the colours that it
 * has to have. Measured by ffmpeg and ffprobe in the test, with another meter than the product's.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cutByCopy } from '../../actors/clip-job.ts'
import { Transcoder } from '../../actors/transcoder.ts'
import { loadConfig } from '../../config/load.ts'
import type { CutAnswer } from '../../core/wire/cut-spec.ts'
import { type Recording, soundTask } from '../../src/clips/clip-tasks.ts'
import { type ClipOptions, makeClips } from '../../src/clips/make-clips.ts'
import { settleSound } from '../../src/clips/settle-sound.ts'
import { sourceFacts } from '../../src/clips/source-facts.ts'
import { hostSettings } from '../../src/host-settings.ts'
import { createLogger } from '../../src/ops/logger.ts'
import { pqGrey, type sounds, uneven, withBFrames, withoutSound, withSound } from './support/clip-sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'grabber-clips-'))
const logger = createLogger({ level: 'error', stream: process.stderr, human: true })
const host = hostSettings(loadConfig({ env: {}, cwd: folder }).config, logger)
const { signal } = new AbortController()
let transcoder: Transcoder
beforeAll(async () => {
  const entry = new URL('../../src/media/reencode-host.ts', import.meta.url)
  transcoder = await Transcoder.start({ entry, workFolder: folder, host, signal })
})
afterAll(async () => {
  await transcoder[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const OUT = { encoding: 'utf8', maxBuffer: 1 << 26 } as const
const ffmpeg = (...args: string[]) => execFileSync('ffmpeg', ['-v', 'error', ...args], OUT)

/** MD5 of each decoded picture. */
const framesOf = (path: string) =>
  ffmpeg('-i', path, '-map', '0:v', '-f', 'framehash', '-hash', 'md5', '-')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',').at(-1)?.trim())

const samplesOf = (path: string) =>
  new Int16Array(
    new Uint8Array(
      execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-ac', '1', '-f', 's16le', '-'], { maxBuffer: 1 << 26 }),
    ).buffer,
  )

interface Level {
  i: number
  tp: number
  lra: number
}

/** By the meter of `loudnorm`; the product verifies with `ebur128`. */
function levelOf(path: string): Level {
  const log = execFileSync(
    'sh',
    ['-c', 'ffmpeg -hide_banner -nostats -i "$0" -vn -af loudnorm=print_format=json -f null - 2>&1', path],
    OUT,
  )
  const report = JSON.parse(log.slice(log.lastIndexOf('{'), log.lastIndexOf('}') + 1)) as Record<string, string>
  return { i: Number(report.input_i), tp: Number(report.input_tp), lra: Number(report.input_lra) }
}

function expectOnTarget({ i, tp, lra }: Level): void {
  expect(Math.abs(i + 16)).toBeLessThanOrEqual(0.75)
  // The two meters differ by a tenth in true peak (BS.1770-4, annex 2).
  expect(tp).toBeLessThanOrEqual(-0.9)
  expect(lra).toBeLessThanOrEqual(7.5)
}

async function recordingAt(path: string): Promise<Recording> {
  return { path, facts: sourceFacts(await transcoder.probe(path)) }
}

const options: ClipOptions = { reencode: false, film: null, minMs: 15_000, maxMs: 60_000, openTimeoutMs: 10_000 }

async function make(path: string, fromS: number[], over: Partial<ClipOptions> = {}) {
  const choices = fromS.map((s) => ({ fromMs: s * 1000, toMs: (s + 15) * 1000, weight: 1, reason: 'a test' }))
  const said: string[] = []
  const tools = {
    transcoder,
    host,
    folder,
    signal,
    onStep: (words: string) => said.push(words),
    onProgress: () => undefined,
  }
  return { clips: await makeClips(await recordingAt(path), choices, { ...options, ...over }, tools), said }
}

const FIELDS =
  'stream=codec_name,width,height,pix_fmt,color_range,color_space,color_transfer,color_primaries,channels,sample_rate,start_time'
const probed = (path: string) =>
  JSON.parse(
    execFileSync('ffprobe', ['-v', 'error', '-of', 'json', '-show_entries', `${FIELDS}:format=duration`, path], OUT),
  ) as {
    streams: Record<string, unknown>[]
    format: { duration: string }
  }
const BT709 = { color_range: 'tv', color_space: 'bt709', color_transfer: 'bt709', color_primaries: 'bt709' }

describe('a copy', () => {
  it('begins at an I-frame and decodes to the very frames and samples of the recording', async () => {
    const path = withBFrames('mp4')
    const targets = ['copy-a.mp4', 'copy-b.mp4'].map((name) => join(folder, name))
    const pieces = [5.5, 0].map((s, i) => ({ fromMs: s * 1000, toMs: (s + 15.5) * 1000, target: targets[i]! }))
    const spec = { path, pieces, toleranceMs: 2000, maxMs: 60_000, openTimeoutMs: 10_000 }
    const answers = await cutByCopy({ spec, host, signal })
    expect(answers.map((answer) => answer.kind === 'cut' && answer.fromMs)).toEqual([4000, 0])
    const [frames, samples] = [framesOf(path), samplesOf(path)]
    for (const [i, answer] of answers.entries()) {
      const cut = answer as Extract<CutAnswer, { kind: 'cut' }>
      const [from, to] = [cut.fromMs / 100, cut.toMs / 100]
      expect(cut.toMs).toBeGreaterThanOrEqual(pieces[i]!.toMs)
      expect(framesOf(targets[i]!)).toEqual(frames.slice(from, to))
      const part = samples.subarray(from * 4800, to * 4800)
      expect(samplesOf(targets[i]!).subarray(0, part.length)).toEqual(part)
      expect(probed(targets[i]!).streams.map(({ start_time }) => start_time)).toEqual(['0.000000', '0.000000'])
    }
  })

  it('is made of a transport stream as well, and verified', async () => {
    const path = withBFrames('ts')
    const { clips } = await make(path, [6.1])
    expect(clips).toMatchObject([{ method: 'copy', fromMs: 6000, loudness: { integrated: expect.any(Number) } }])
    const copied = framesOf(clips[0]!.made)
    expect(copied).toEqual(framesOf(path).slice(60, 60 + copied.length))
  })

  it('is not made where the cut does not allow it, and it says why', async () => {
    const { clips, said } = await make(withSound('wide'), [1])
    expect(clips).toMatchObject([{ method: 'reencode', fromMs: 1000 }])
    expect(said[0]).toBe('encoded anew: clip 1: pcm_s16le is not put into MP4')
    expectOnTarget(levelOf(clips[0]!.made))
  })
})

describe('the sound of a clip', () => {
  const span = { fromMs: 2000, toMs: 17_000 }
  const levels: number[] = []
  const kinds: (keyof typeof sounds)[] = ['quiet', 'peaks', 'hot', 'surround']

  it.each(kinds)('of %s comes to the target as stereo', async (kind) => {
    const recording = await recordingAt(withSound(kind))
    const { filters } = await settleSound(transcoder, recording, span, folder)
    const path = join(folder, `${kind}.m4a`)
    await transcoder.run(soundTask(recording, span, filters, path))
    const level = levelOf(path)
    expectOnTarget(level)
    expect(probed(path).streams).toMatchObject([{ codec_name: 'aac', channels: 2, sample_rate: '48000' }])
    levels.push(level.i)
  })

  it('is within 1.5 LU of that of any other', () => {
    expect(levels).toHaveLength(kinds.length)
    expect(Math.max(...levels) - Math.min(...levels)).toBeLessThanOrEqual(1.5)
  })

  it('stays silent where it is silence, and is left out where there is none', async () => {
    const { clips } = await make(withSound('silence'), [2], { reencode: true })
    expect(clips).toMatchObject([{ loudness: { integrated: null }, notes: [expect.stringContaining('silence')] }])
    expect(samplesOf(clips[0]!.made).every((sample) => sample === 0)).toBe(true)
    const bare = await recordingAt(withoutSound())
    expect(await settleSound(transcoder, bare, span, folder)).toEqual({ filters: null, note: 'it has no sound' })
  })
})

describe('the pictures of a clip', () => {
  it('are BT.709 with its tags, and a film of two clips has their joint', async () => {
    const { clips } = await make(uneven(), [2, 30], { film: ['crossfade'] })
    const { streams, format } = probed(clips[0]!.made)
    expect(streams).toMatchObject([
      { codec_name: 'h264', pix_fmt: 'yuv420p', width: 320, height: 180, ...BT709 },
      { codec_name: 'aac', channels: 2 },
    ])
    expect(Number(format.duration)).toBeCloseTo(29, 1)
    // A constant rate of 10 a second, made of a changing one.
    expect(framesOf(clips[0]!.made)).toHaveLength(290)
    expectOnTarget(levelOf(clips[0]!.made))
  })

  it('of HDR are mapped: reference white lands where the curve puts it', async () => {
    // 203 cd/m² in PQ is 0.5807 of the signal (BT.2408): 64 + 876 · 0.5807 in ten bits.
    const { clips } = await make(pqGrey(573), [0])
    expect(probed(clips[0]!.made).streams).toMatchObject([{ pix_fmt: 'yuv420p', ...BT709 }])
    const luma = execFileSync('ffmpeg', [
      '-v',
      'error',
      '-i',
      clips[0]!.made,
      '-frames:v',
      '1',
      '-pix_fmt',
      'gray',
      '-f',
      'rawvideo',
      '-',
    ])
    // Möbius from 0.3 on with a peak of 1000 cd/m² (libavfilter/vf_tonemap.c), shown by BT.1886.
    const [j, peak] = [0.3, 1000 / 203]
    const a = (-j * j * (peak - 1)) / (j * j - 2 * j + peak)
    const b = (j * j - 2 * j * peak + peak) / (peak - 1)
    const light = (((b * b + 2 * b * j + j * j) / (b - a)) * (1 + a)) / (1 + b)
    expect(Math.abs(luma[160 * 90]! - 255 * light ** (1 / 2.4))).toBeLessThanOrEqual(4)
  })
})
