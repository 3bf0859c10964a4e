/**
 * `script/bench measures`: CPU time of each measure of a 1080p picture, and of all of them together as a camera's graph takes them. Runs in
 * the benchmark's process; the pictures are ffmpeg's Mandelbrot sets with a little noise, which have more corners and edges than most scenes.
 */
import { execFileSync } from 'node:child_process'
import type { LumaView, YuvView } from '../../core/frame.ts'
import { lbpEntropy } from '../../streams/analysis/measures/binary-patterns.ts'
import { GLCM_CELLS, measureCoOccurrence } from '../../streams/analysis/measures/co-occurrence.ts'
import { colourfulness } from '../../streams/analysis/measures/colourfulness.ts'
import { CornerMeter } from '../../streams/analysis/measures/corners.ts'
import { measureDetail, TileTensors } from '../../streams/analysis/measures/detail.ts'
import { edgeMemory, measureEdges } from '../../streams/analysis/measures/edges.ts'
import { measureExposure } from '../../streams/analysis/measures/exposure.ts'
import {
  detailStep,
  FrameMeter,
  type MeasuredPicture,
  PERCENTILE_STEP,
  TEXTURE_STEP,
} from '../../streams/analysis/measures/frame-meter.ts'
import { halve } from '../../streams/analysis/measures/halve.ts'
import { NOISE_BINS, noiseSigma } from '../../streams/analysis/measures/noise.ts'
import { measureQuality } from '../../streams/analysis/measures/quality.ts'
import { highFrequencyShare } from '../../streams/analysis/measures/spectrum.ts'
import { gradientP95, STEEPNESS_BINS } from '../../streams/analysis/measures/steepness.ts'
import { type BenchContext, type BenchResult, figure } from './kit.ts'

const FULL = { width: 1920, height: 1080 }
const SMALL = { width: 640, height: 360 }
const PICTURES = 4
/** Runs before the first that counts: V8 optimises after a few dozen. */
const WARM_UP = 60
/** Of all measures together. */
const DEFAULT_SECONDS = 10

type Work = (picture: MeasuredPicture & { full: LumaView }) => void

export async function benchMeasures({ seconds = DEFAULT_SECONDS }: BenchContext): Promise<BenchResult> {
  const pictures = makePictures()
  const ms: Record<string, number> = {}
  const each = Object.entries(works())
  for (const [name, work] of each) {
    for (let n = 0; n < WARM_UP; n++) work(pictures[n % PICTURES]!)
    const cpu = process.cpuUsage()
    const endMs = performance.now() + (1000 * seconds) / each.length
    let runs = 0
    while (performance.now() < endMs) work(pictures[runs++ % PICTURES]!)
    const { user, system } = process.cpuUsage(cpu)
    ms[name] = figure((user + system) / 1000 / runs)
  }
  const { all, ...parts } = ms
  const report = { picture: `${FULL.width}×${FULL.height}`, cpuMs: all, parts }
  const lines = Object.entries(ms).map(([name, value]) => `${name.padEnd(12)} ${value.toFixed(2)} ms`)
  return { report, text: `${lines.join('\n')}\n` }
}

function works(): Record<string, Work> {
  const meter = new FrameMeter(SMALL)
  const step = detailStep(FULL)
  const tensors = new TileTensors()
  const half: LumaView = { width: 320, height: 180, stride: 320, data: new Uint8Array(320 * 180) }
  const [levels, steepness, noise] = [256, STEEPNESS_BINS, NOISE_BINS].map((bins) => new Uint32Array(bins))
  const pairs = new Uint32Array(GLCM_CELLS)
  const coefficients = new Float64Array(64)
  const corners = new CornerMeter(SMALL)
  const tiles = edgeMemory(SMALL)
  return {
    all: (picture) => void meter.measure(picture),
    detail: ({ full }) => void measureDetail(full, step, tensors),
    coarse: ({ small }) => {
      halve(small.luma, half)
      measureDetail(half, 1, tensors)
    },
    steepness: ({ full }) => void gradientP95(full, step * PERCENTILE_STEP, steepness!),
    noise: ({ full }) => void noiseSigma(full, step * PERCENTILE_STEP, noise!),
    spectrum: ({ full }) => void highFrequencyShare(full, coefficients),
    exposure: ({ small }) => void measureExposure(small.luma, 1, levels!),
    colour: ({ small }) => void colourfulness(small.chroma, small.luma),
    gradient: ({ small }) => corners.gradient.take(small.luma),
    corners: () => void corners.measure(),
    edges: () => void measureEdges(corners.gradient, tiles),
    patterns: ({ small }) => void lbpEntropy(small.luma, TEXTURE_STEP, levels!),
    coOccurrence: ({ small }) => void measureCoOccurrence(small.luma, TEXTURE_STEP, pairs),
    /** What a camera without keyframes pays. */
    quality: ({ small }) => void measureQuality(small.luma),
  }
}

/** The full planes, and of the same bytes the small ones, made by a second filter. */
function makePictures(): (MeasuredPicture & { full: LumaView })[] {
  const source = `mandelbrot=size=${FULL.width}x${FULL.height}:rate=1,noise=alls=4:allf=t`
  const input = ['-v', 'error', '-f', 'lavfi', '-i', source, '-frames:v', String(PICTURES)]
  const full = run([...input, '-pix_fmt', 'yuv420p', '-f', 'rawvideo', '-'])
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p']
  const size = ['-video_size', `${FULL.width}x${FULL.height}`]
  const scale = ['-vf', `scale=${SMALL.width}:${SMALL.height}:flags=area`]
  const small = run(['-v', 'error', ...raw, ...size, '-i', '-', ...scale, ...raw, '-'], full)
  return Array.from({ length: PICTURES }, (_, n) => ({
    full: pictureAt(full, FULL.width, FULL.height, n).luma,
    small: pictureAt(small, SMALL.width, SMALL.height, n),
  }))
}

function run(args: string[], input?: Uint8Array): Uint8Array {
  return new Uint8Array(execFileSync('ffmpeg', args, { maxBuffer: 1 << 28, ...(input ? { input } : {}) }))
}

function pictureAt(data: Uint8Array, width: number, height: number, n: number): YuvView {
  const [luma, chroma] = [width * height, (width * height) / 4]
  const at = n * (luma + 2 * chroma)
  return {
    luma: { width, height, stride: width, data: data.subarray(at, at + luma) },
    chroma: {
      cb: data.subarray(at + luma, at + luma + chroma),
      cr: data.subarray(at + luma + chroma, at + luma + 2 * chroma),
      stride: width / 2,
    },
  }
}
