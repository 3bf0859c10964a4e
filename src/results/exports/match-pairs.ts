/**
 * Which keyframes are worth matching with each other. Pure.
 */
import type { KeyframeRecord } from '../../../core/keyframe.ts'

/**
 * Up to this many, all pairs: 1770 of them are minutes of matching, and closing a loop that nobody foresaw is worth more than
 * that.
 */
const ALL_PAIRS_UP_TO = 60
/** Following keyframes that each is matched with, whatever tracking says: descriptors bridge what it lost. */
const NEIGHBOURS = 6
/** And 8, 16, 32, 64 further on, as COLMAP's `quadratic_overlap`: a walk that comes back, a pan that swings. */
const FAR_STEPS = [8, 16, 32, 64]

export type Linked = Pick<KeyframeRecord, 'seq' | 'links'>

/**
 * Indices [earlier, later] of pairs, each once, in order: those that share tracks, near ones, and some further apart. Not bounded by
 * shots: two takes of one place belong together.
 */
export function matchPairs(keyframes: readonly Linked[]): [number, number][] {
  const count = keyframes.length
  const indexOf = new Map(keyframes.map(({ seq }, index) => [seq, index]))
  return keyframes.flatMap(({ links }, later) => {
    const linked = links.flatMap(([seq, tracks]) => (tracks > 0 ? [indexOf.get(seq) ?? -1] : []))
    const near = Array.from({ length: count <= ALL_PAIRS_UP_TO ? later : NEIGHBOURS }, (_, step) => later - 1 - step)
    const far = FAR_STEPS.map((step) => later - step)
    const earlier = new Set([...linked, ...near, ...far].filter((index) => index >= 0 && index < later))
    return [...earlier].sort((a, b) => a - b).map((index): [number, number] => [index, later])
  })
}
