/**
 * `script/bench picture`: which standing scenes are called frozen, over scenes, noise, codecs, rates and lengths of groups, and how
 * alike two of their I-frames are at most. Runs in the benchmark's process; keeps nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PictureHealthModel } from '../../streams/analysis/picture-health.ts'
import { type PicturePrint, printOf } from '../../streams/analysis/picture-print.ts'
import { silenceNativeLog } from '../../streams/media/native-log.ts'
import { keyPictures } from './key-pictures.ts'
import { type BenchContext, type BenchResult, figure } from './kit.ts'
import { makeStillClip, type StillKind, type StillScene, stillScene } from './still-clip.ts'

const [WIDTH, HEIGHT, FPS] = [1280, 720, 6]
const ANALYSIS_PX = 640
const FROZEN_MS = 10_000
const DEFAULT_SECONDS = 60

const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency']
const x265 = (params: string) => {
  return ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', `log-level=error:pools=1:${params}`]
}
const constantRate = (kbits: number) => ['-b:v', `${kbits}k`, '-maxrate', `${kbits}k`, '-bufsize', `${2 * kbits}k`]
const mjpeg = (quality: number) => ['-c:v', 'mjpeg', '-q:v', String(quality), '-pix_fmt', 'yuvj420p']

/** Name, options, and whether each picture is an I-frame. */
const ENCODERS: [string, string[], boolean?][] = [
  ['x264 100 kbit/s', [...x264, ...constantRate(100)]],
  ['x264 500 kbit/s', [...x264, ...constantRate(500)]],
  ['x264 2 Mbit/s', [...x264, ...constantRate(2000)]],
  ['x264 4 Mbit/s', [...x264, ...constantRate(4000)]],
  ['x264 QP 32', [...x264, '-qp', '32']],
  ['x264 QP 40', [...x264, '-qp', '40']],
  ['x264 QP 44', [...x264, '-qp', '44']],
  ['x265 500 kbit/s', x265('bitrate=500:vbv-maxrate=500:vbv-bufsize=1000')],
  ['x265 QP 40', x265('qp=40')],
  ['MJPEG q 8', mjpeg(8), true],
  ['MJPEG q 20', mjpeg(20), true],
]

const SUBJECTS: [kind: StillKind, sigma: number][] = [
  ['fresh', 0.1],
  ['fresh', 0.5],
  ['fresh', 5],
  ['held', 0.5],
  ['held', 2],
  ['clock', 1],
  ['same', 1],
]

export interface PictureRow {
  scene: string
  encoder: string
  groupSeconds: number
  kind: StillKind
  sigma: number
  iFrames: number
  /** Largest share of exactly equal 8 × 8 blocks of two I-frames at least a second apart. */
  equalBlocks: number
  /** `null`: never. */
  frozenAfterSeconds: number | null
}

export async function benchPicture({ assets, seconds = DEFAULT_SECONDS }: BenchContext): Promise<BenchResult> {
  silenceNativeLog()
  const folder = mkdtempSync(join(tmpdir(), 'grabber-still-'))
  try {
    const rows: PictureRow[] = []
    for (const [name, scene] of await scenes(assets)) {
      for (const encoder of ENCODERS) {
        // Long groups with one encoder: what happens between I-frames matters to its rate control alone.
        for (const groupSeconds of encoder[0] === 'x264 2 Mbit/s' ? [0.5, 1, 10] : [1]) {
          for (const subject of SUBJECTS) {
            if (encoder[2] && subject[0] === 'held') continue
            rows.push(await measure(join(folder, 'clip.mkv'), name, scene, encoder, subject, groupSeconds, seconds))
          }
        }
      }
    }
    return { report: { rows }, text: table(rows) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function scenes(assets: string): Promise<[string, StillScene][]> {
  const of = (path: string, light?: number) => stillScene(join(assets, path), WIDTH, HEIGHT, light)
  return [
    ['street', await of('videos/car-detection.mp4')],
    ['detailed', await of('negatives/dlib_giraffe.jpg')],
    ['night', await of('videos/one-by-one-person-detection.mp4', 0.12)],
  ]
}

async function measure(
  path: string,
  scene: string,
  still: StillScene,
  [encoder, options, intra]: (typeof ENCODERS)[number],
  [kind, sigma]: (typeof SUBJECTS)[number],
  groupSeconds: number,
  seconds: number,
): Promise<PictureRow> {
  const groupPictures = intra ? 1 : Math.max(1, Math.round(groupSeconds * FPS))
  const groups = Math.ceil((seconds * FPS) / groupPictures)
  await makeStillClip({ path, scene: still, kind, sigma, fps: FPS, groupPictures, groups, encoder: options })
  const model = new PictureHealthModel({ frozenMs: FROZEN_MS, blackMs: FROZEN_MS })
  const prints: PicturePrint[] = []
  let [iFrames, lastMs] = [0, Number.NEGATIVE_INFINITY]
  let frozenAfterSeconds: number | null = null
  for await (const { luma, ptsMs } of keyPictures(path, ANALYSIS_PX)) {
    iFrames++
    const finding = model.step(luma, { ptsMs, key: true })
    if (finding?.health === 'frozen') frozenAfterSeconds ??= figure(ptsMs / 1000)
    if (ptsMs - lastMs < 900) continue
    lastMs = ptsMs
    prints.push(printOf(luma))
  }
  return { scene, encoder, groupSeconds, kind, sigma, iFrames, equalBlocks: mostEqual(prints), frozenAfterSeconds }
}

function mostEqual(prints: readonly PicturePrint[]): number {
  let most = 0
  for (const [i, a] of prints.entries()) {
    for (const b of prints.slice(0, i)) {
      let equal = 0
      for (let block = 0; block < a.hashes.length; block++) if (a.hashes[block] === b.hashes[block]) equal++
      most = Math.max(most, equal / a.hashes.length)
    }
  }
  return figure(most)
}

/** One line for each scene, codec and group; a column for each kind of clip: most equal blocks, and when it was called frozen. */
function table(rows: readonly PictureRow[]): string {
  const subject = ({ kind, sigma }: PictureRow) => `${kind} ${sigma}`
  const line = ({ scene, encoder, groupSeconds }: PictureRow) => `${scene}, ${encoder}, ${groupSeconds} s`
  const columns = [...new Set(rows.map(subject))]
  const cell = (row: PictureRow | undefined) => {
    if (!row) return ''
    const frozen = row.frozenAfterSeconds === null ? '' : ` frozen ${row.frozenAfterSeconds} s`
    return `${(100 * row.equalBlocks).toFixed(1)} %${frozen}`
  }
  const body = [...Map.groupBy(rows, line)].map(([name, group]) => {
    return [name, ...columns.map((column) => cell(group.find((row) => subject(row) === column)))]
  })
  return [['equal blocks', ...columns], ...body].map((cells) => `${cells.join(' | ')}\n`).join('')
}
