/**
 * Who a person without a name is, from the search over all of them: the rules, apart from where they are kept. Pure.
 */
import { createHash } from 'node:crypto'
import { ANONYMOUS_PREFIX, type GalleryHit } from '../../core/observation.ts'
import type { VisitorLimits } from '../../core/ports.ts'
import { diverseEmbeddings } from '../../streams/analysis/diverse-embeddings.ts'
import { acceptedMatch } from '../../streams/analysis/identity.ts'
import { nearest } from '../../streams/analysis/likeness.ts'

/** The best and the runner-up. */
export const JUDGED_HITS = 2

/** Of one person: as many views of a face as are worth telling apart. */
const MOST_LOOKS = 8
/** More alike than this to one that is known, a template tells nothing new. */
const SAME_LOOK = 0.95

export type Judgement = { is: string } | 'new' | 'undecided'

/**
 * `hits` best first. Somebody new only when nobody comes near: one who matches two, or who matches another face of the same
 * frame, is left undecided, since a second id for one person would make every later match of theirs ambiguous.
 */
export function judge(hits: readonly GalleryHit[], taken: readonly string[], limits: VisitorLimits): Judgement {
  const [best] = hits
  if (!best || best.similarity < limits.matchThreshold) return 'new'
  const match = acceptedMatch(hits, limits)
  return match && !taken.includes(match.subject) ? { is: match.subject } : 'undecided'
}

/** What is kept of a person after `template`; `undefined` when it adds nothing, or is another person's. */
export function withLook(
  looks: readonly Float32Array[],
  template: Float32Array,
  { matchThreshold }: VisitorLimits,
): Float32Array[] | undefined {
  const likeness = nearest(template, looks)
  if (likeness < matchThreshold || likeness >= SAME_LOOK) return undefined
  const all = [...looks, template]
  return diverseEmbeddings(all, MOST_LOOKS).map((index) => all[index]!)
}

/** RFC 4648's, in lower case. */
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const LETTERS = 10

/** 50 bits of SHA-256 over the first track: the same recording makes the same person, and no count tells how many came. */
export function visitorId(node: string, camera: string, trackId: string): string {
  const hash = createHash('sha256').update(`${node}\n${camera}\n${trackId}`).digest()
  const letters = Array.from(hash.subarray(0, LETTERS), (byte) => BASE32[byte % BASE32.length])
  return `${ANONYMOUS_PREFIX}${letters.join('')}`
}
