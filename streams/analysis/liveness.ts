/**
 * Is it a person, or a picture of one? The regions that the models look at, and the fusion of their looks over a track.
 * Pure; session hosts, and `grabber faces` for a single look.
 *
 * Fusion is the sum rule (Kittler et al., "On combining classifiers", PAMI 1998), over models as published (Silent-Face
 * adds their softmax) and over looks, weighted by the face's quality. A mean of log-odds moved no verdict on our data
 * (docs/decisions.md). Only the last looks count, so that a face that comes nearer is not held to what it was far away.
 */
import type { Box, Size } from '../../core/geometry.ts'
import type { Liveness, LivenessVerdict } from '../../core/observation.ts'
import type { LivenessModel } from '../../core/wire/session-spec.ts'

/** Looks before a verdict: as many as a name needs embeddings by default, and they come together. */
const MIN_LOOKS = 3
/** Looks that count, the latest. */
const WINDOW = 8
/**
 * A face that has less than this many times its box of picture around it cannot be judged: with no surroundings (crops of
 * faces, boxScale about 1) real photographs score anything from 0 to 1, from 1.6 on all of ours score above 0.6.
 */
const MIN_BOX_SCALE = 1.5

/**
 * Where a model looks: the box made larger by `scale` about its centre, or as much as the picture allows, shifted to lie
 * inside it; whole px. The published CropImage, its rounding included. `undefined` without enough surroundings.
 */
export function livenessRegion(box: Box, scale: number, picture: Size): Box | undefined {
  const fitting = Math.min(scale, (picture.height - 1) / box.height, (picture.width - 1) / box.width)
  if (!(fitting >= Math.min(scale, MIN_BOX_SCALE))) return undefined
  const [x, width] = span(box.x + box.width / 2, box.width * fitting, picture.width)
  const [y, height] = span(box.y + box.height / 2, box.height * fitting, picture.height)
  return { x, y, width, height }
}

/** First px and number of px of a stretch that is shifted to lie in 0 … `limit` − 1. */
function span(centre: number, length: number, limit: number): [number, number] {
  let from = Math.max(0, centre - length / 2)
  let to = from + length
  if (to > limit - 1) {
    from -= to - (limit - 1)
    to = limit - 1
  }
  const first = Math.trunc(Math.max(0, from))
  return [first, Math.trunc(to) - first + 1]
}

export interface LivenessLimits {
  /** Fused P(live) from which a track is live. */
  live: number
  /** … and up to which it is a spoof; in between a verdict stays what it was. */
  spoof: number
}

/** Thresholds are fused as the probabilities are. */
export function livenessLimits(models: readonly LivenessModel[]): LivenessLimits {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / (values.length || 1)
  return {
    live: mean(models.map(({ liveThreshold }) => liveThreshold)),
    spoof: mean(models.map(({ spoofThreshold }) => spoofThreshold)),
  }
}

/** What a single look says: for stills, which have no track. `live` is the mean P(live) of the models. */
export function livenessOfLook(live: number | undefined, limits: LivenessLimits): Liveness {
  return live === undefined ? { verdict: 'unchecked' } : { verdict: verdictOf(live, limits), score: live }
}

function verdictOf(live: number, limits: LivenessLimits): LivenessVerdict {
  return live >= limits.live ? 'live' : live <= limits.spoof ? 'spoof' : 'unchecked'
}

interface Look {
  live: number
  quality: number
}

/** One face's looks. */
export class LivenessEvidence {
  readonly #limits: LivenessLimits
  #looks: Look[] = []
  #verdict: LivenessVerdict = 'unchecked'

  constructor(limits: LivenessLimits) {
    this.#limits = limits
  }

  get liveness(): Liveness {
    return this.#looks.length === 0 ? { verdict: this.#verdict } : { verdict: this.#verdict, score: this.#score }
  }

  /** `live`: mean P(live) of the models. */
  add(live: number, quality: number): void {
    this.#looks.push({ live, quality })
    if (this.#looks.length > WINDOW) this.#looks.shift()
    if (this.#looks.length < MIN_LOOKS) return
    const verdict = verdictOf(this.#score, this.#limits)
    if (verdict !== 'unchecked') this.#verdict = verdict
  }

  get #score(): number {
    let [weighted, weights] = [0, 0]
    for (const { live, quality } of this.#looks) {
      weighted += live * quality
      weights += quality
    }
    return weights > 0 ? weighted / weights : 0
  }
}
