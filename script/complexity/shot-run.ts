/**
 * One synthetic shot through the real measuring and selection: what it is like as one mode sees it, and what work `high_quality` has
 * with it, counted. No time is measured: counts are the same on every machine.
 */
import { figuresOf } from '../../config/keyframe-schema.ts'
import { configSchema } from '../../config/schema.ts'
import type { KeyframeMode } from '../../core/keyframe.ts'
import type { ShotComplexity } from '../../core/shot.ts'
import { keyframeSpec } from '../../src/keyframe-spec.ts'
import { FrameMeter } from '../../streams/analysis/measures/frame-meter.ts'
import { scorePicture } from '../../streams/analysis/picture-score.ts'
import { saliencyOf } from '../../streams/analysis/saliency.ts'
import { KeyframeSelector } from '../../streams/analysis/selection/keyframe-selector.ts'
import { FrameLooks } from '../../streams/analysis/shots/frame-looks.ts'
import { ShotMeter } from '../../streams/analysis/shots/shot-meter.ts'
import type { ShotDraw } from './shot-draw.ts'
import { HEIGHT, WIDTH } from './synthetic-pixels.ts'
import { SyntheticShot } from './synthetic-shot.ts'

const SECONDS = 3

/**
 * What one of each costs, ms of one core at 1080p: a candidate is decoded, measured and followed; a held one is coded as JPEG; a
 * keyframe has its features found and matched with its neighbours in the second pass (docs/performance.md). Only their ratios
 * matter, and those roughly: they say how much of the work depends on the shot.
 */
const COST_MS = { candidate: 20, held: 15, keyframe: 100 } as const

/** What a mode looks at. */
function settingsOf(mode: KeyframeMode) {
  const { keyframes } = configSchema.parse({ defaults: { keyframes: { mode } } }).defaults
  return { spec: keyframeSpec(keyframes, null, null), fps: figuresOf(keyframes).candidateFps }
}

/** Metrics as `mode` sees the shot. */
export function metricsOf(draw: ShotDraw, mode: KeyframeMode, seconds = SECONDS): ShotComplexity {
  const meter = new ShotMeter()
  run(draw, mode, seconds, meter)
  return meter.finish()[0]!.metrics
}

/** Work on a second of the shot in `high_quality`, ms as above. */
export function workOf(draw: ShotDraw, seconds = SECONDS): number {
  const { candidates, held, keyframes } = run(draw, 'high_quality', seconds)
  return (COST_MS.candidate * candidates + COST_MS.held * held + COST_MS.keyframe * keyframes) / seconds
}

function run(
  draw: ShotDraw,
  mode: KeyframeMode,
  seconds: number,
  shots?: ShotMeter,
): { candidates: number; held: number; keyframes: number } {
  const { spec, fps } = settingsOf(mode)
  const size = { width: WIDTH, height: HEIGHT }
  const shot = new SyntheticShot(draw, fps, seconds)
  const meter = new FrameMeter(size)
  const selector = new KeyframeSelector(spec, size)
  const looks = new FrameLooks()
  const counts = { candidates: Math.floor(seconds * fps), held: 0, keyframes: 0 }
  const lookOf = new Map<number, ReturnType<FrameLooks['tell']>>()
  const take = ({ records, hold, keep }: ReturnType<KeyframeSelector['step']>) => {
    if (hold) counts.held++
    counts.keyframes += keep.length
    for (const record of records) shots?.add({ ...record, look: lookOf.get(record.seq)! })
  }
  for (let seq = 0; seq < counts.candidates; seq++) {
    const { yuv, ptsMs } = shot.picture(seq)
    looks.see(yuv.luma, ptsMs)
    const measures = meter.measure({ small: yuv, full: yuv.luma })
    const saliency = saliencyOf(measures, null, spec.saliencyWeights)
    const step = selector.step({
      seq,
      ptsMs,
      scene: 0,
      luma: yuv.luma,
      measures,
      score: scorePicture(measures, spec),
      saliency,
    })
    lookOf.set(seq, looks.tell(selector.motion))
    take(step)
  }
  take(selector.finish())
  return counts
}
