/**
 * What the report draws of the candidates: columns of numbers, filled as records go by, and their envelope for a width of pixels.
 * Pure. Holds 40 bytes a candidate, whatever a record weighs.
 */
import type { FrameRecord, SelectionReason } from '../../../core/keyframe.ts'

export interface SeriesPoint {
  ptsMs: number
  score: number
  /** Part of the score, 0–1; `null` where it has none. */
  sharpness: number | null
  /** Picture diagonals per second; `null` for the first of a sequence. */
  motion: number | null
  scene: number
}

export class CandidateSeries {
  #points: SeriesPoint[] = []
  #sorted = true
  readonly #taken = new Map<SelectionReason, number>()
  readonly #passed = new Map<SelectionReason, number>()

  add(record: FrameRecord): void {
    const { ptsMs, scene, score, look, chosen, reason } = record
    const last = this.#points.at(-1)
    this.#sorted &&= last === undefined || last.ptsMs <= ptsMs
    const sharpness = score.parts.sharpness ?? null
    this.#points.push({ ptsMs, scene, score: score.score, sharpness, motion: speed(look) })
    const counts = chosen ? this.#taken : this.#passed
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }

  get size(): number {
    return this.#points.length
  }

  /** In order of time. */
  get points(): readonly SeriesPoint[] {
    if (!this.#sorted) this.#points.sort((a, b) => a.ptsMs - b.ptsMs)
    this.#sorted = true
    return this.#points
  }

  /** Most frequent first. */
  reasons(of: 'taken' | 'passed'): [SelectionReason, number][] {
    const counts = of === 'taken' ? this.#taken : this.#passed
    return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  }
}

function speed(look: FrameRecord['look']): number | null {
  return look === undefined || look.stepMs <= 0 ? null : (1000 * look.flow) / look.stepMs
}

export interface Bucket {
  atMs: number
  min: number
  max: number
  mean: number
}

/**
 * Lowest, highest and mean of `value` in each of `buckets` equal stretches of [0, endMs], those without a value left out. A point is
 * never lost in it, as it would be if some were picked.
 */
export function envelope(
  points: readonly SeriesPoint[],
  value: (point: SeriesPoint) => number | null,
  endMs: number,
  buckets: number,
): Bucket[] {
  const found = new Map<number, Bucket & { count: number }>()
  for (const point of points) {
    const y = value(point)
    if (y === null || !Number.isFinite(y)) continue
    const index = Math.min(buckets - 1, Math.floor((point.ptsMs / endMs) * buckets))
    const bucket = found.get(index)
    if (bucket === undefined) {
      found.set(index, { atMs: ((index + 0.5) * endMs) / buckets, min: y, max: y, mean: y, count: 1 })
    } else {
      bucket.min = Math.min(bucket.min, y)
      bucket.max = Math.max(bucket.max, y)
      bucket.mean += (y - bucket.mean) / ++bucket.count
    }
  }
  return [...found].sort(([a], [b]) => a - b).map(([, { count, ...bucket }]) => bucket)
}

/** Gaps between neighbours of one scene, ms. */
export function spacings(keyframes: readonly { ptsMs: number; scene: number }[]): number[] {
  return keyframes.flatMap((keyframe, index) => {
    const last = keyframes[index - 1]
    return last && last.scene === keyframe.scene ? [keyframe.ptsMs - last.ptsMs] : []
  })
}

/** By nearest rank; 0 of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}
