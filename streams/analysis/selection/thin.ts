/**
 * Fewer keyframes of a finished selection, spread evenly over what they show, not over time: `--max-frames`. Pure.
 * Greedy: again and again the one goes whose neighbours share most of their points without it, so that the least shared pair stays as
 * good as it can; a stretch of fast motion keeps its pictures, and a slow one gives them.
 */
import type { KeyframeRecord } from '../../../core/keyframe.ts'

/** Points that two neighbours must share for a reconstruction to go on (COLMAP wants 15 right ones; half are lost in matching). */
const MIN_SHARED = 30
/** Costs: 0 to 1 is the share of points that the neighbours do not have in common. On top: the chain breaks; a scene is lost. */
const BREAKS = 1
const LAST_OF_SCENE = 2
/** How much the picture's own quality (0–1) counts: a poor one goes before a good one that is as redundant. */
const QUALITY_WEIGHT = 0.3
/** A turn on the spot gives no points: its pictures are only there to lead on. */
const TURN_WEIGHT = 0.8

interface Node {
  record: KeyframeRecord
  /** Points it shows, at least: the most that it shares with another. */
  points: number
  previous: Node | null
  next: Node | null
  /** Points shared with `next`; 0 without one. */
  sharedWithNext: number
  cost: number
}

/** At most `max` of `records`, in the order of seq. Equal inputs give equal results. */
export function thin(records: readonly KeyframeRecord[], max: number): KeyframeRecord[] {
  const nodes = chain(records.toSorted((a, b) => a.seq - b.seq))
  const kept = new Set(nodes)
  for (const node of kept) node.cost = costOf(node)
  while (kept.size > Math.max(0, max)) {
    const leaving = cheapest(kept)
    kept.delete(leaving)
    const { previous, next } = leaving
    if (previous) {
      previous.sharedWithNext = next ? sharedWithout(leaving) : 0
      previous.next = next
    }
    if (next) next.previous = previous
    if (previous) previous.cost = costOf(previous)
    if (next) next.cost = costOf(next)
  }
  return [...kept].map(({ record }) => record)
}

/** Neighbours are neighbours within a scene. */
function chain(records: readonly KeyframeRecord[]): Node[] {
  const points = new Map<number, number>()
  const raise = (seq: number, count: number) => points.set(seq, Math.max(points.get(seq) ?? 0, count))
  for (const { seq, links } of records) {
    for (const [other, count] of links) {
      raise(seq, count)
      raise(other, count)
    }
  }
  const nodes = records.map((record): Node => {
    return { record, points: points.get(record.seq) ?? 0, previous: null, next: null, sharedWithNext: 0, cost: 0 }
  })
  for (const [i, node] of nodes.entries()) {
    const next = nodes[i + 1]
    if (!next || next.record.scene !== node.record.scene) continue
    node.next = next
    next.previous = node
    node.sharedWithNext = recorded(node, next) ?? 0
  }
  return nodes
}

function cheapest(kept: Iterable<Node>): Node {
  let best: Node | undefined
  for (const node of kept) if (!best || node.cost < best.cost) best = node
  return best!
}

function costOf(node: Node): number {
  const { record, previous, next } = node
  const worth =
    (1 - QUALITY_WEIGHT + QUALITY_WEIGHT * record.score.score) * (record.reason === 'rotation' ? TURN_WEIGHT : 1)
  if (!previous && !next) return LAST_OF_SCENE + worth
  if (!previous || !next) return worth
  const shared = sharedWithout(node)
  const breaks = shared < MIN_SHARED && Math.min(previous.sharedWithNext, node.sharedWithNext) >= MIN_SHARED
  const lost = 1 - shared / Math.max(1, previous.points, next.points)
  return lost * worth + (breaks ? BREAKS : 0)
}

/**
 * Points that the neighbours of `node` have in common: as recorded, or, of two that are further apart than records go, by the share
 * that each step loses.
 */
function sharedWithout(node: Node): number {
  const previous = node.previous!
  const next = node.next!
  return recorded(previous, next) ?? (previous.sharedWithNext * node.sharedWithNext) / Math.max(1, node.points)
}

/** `undefined` when the later one's record does not reach back so far; none is 0 within its reach. */
function recorded(earlier: Node, later: Node): number | undefined {
  const { links } = later.record
  const found = links.find(([seq]) => seq === earlier.record.seq)
  if (found) return found[1]
  const oldest = links.at(-1)?.[0]
  return links.length >= MOST_LINKS && oldest !== undefined && earlier.record.seq < oldest ? undefined : 0
}

/** Of a record (core/keyframe). */
const MOST_LINKS = 16
