/**
 * How one clip becomes the next in a film of several. Pure.
 */
import { GrabberError } from '../../core/errors.ts'

/** Names of ours → of ffmpeg's `xfade`; `cut` has none. */
const transitions = {
  cut: null,
  /** Through black. */
  fade: 'fadeblack',
  /** One picture into the other. */
  crossfade: 'fade',
  dissolve: 'dissolve',
  wipeleft: 'wipeleft',
  wiperight: 'wiperight',
  slideleft: 'slideleft',
  slideright: 'slideright',
  circleopen: 'circleopen',
} as const satisfies Record<string, string | null>
export type Transition = keyof typeof transitions
export const transitionNames = Object.keys(transitions) as Transition[]

/** Both clips are seen for so long, s: a quarter of a second is a flash, two are a scene of their own. */
export const TRANSITION_S = 1

/** `crossfade`, or one for each joint: `fade,cut,crossfade`; the last one goes on. CFG_USAGE. */
export function parseTransitions(text: string): Transition[] {
  return text.split(',').map((name) => {
    if (Object.hasOwn(transitions, name)) return name as Transition
    throw new GrabberError('CFG_USAGE', `there is no transition ${name}; there are ${transitionNames.join(', ')}`)
  })
}

export interface JoinedGraph {
  /** Chains that end in [v] and, with sound, [a]. */
  chains: string[]
  lengthS: number
}

/**
 * The chains that join [v0] [a0], [v1] [a1], … of `lengthsS`, each of exactly that length at the constant rate `fps`. Sounds are
 * faded into each other where pictures are.
 */
export function joinGraph(
  lengthsS: readonly number[],
  asked: readonly Transition[],
  fps: string,
  hasSound: boolean,
): JoinedGraph {
  const chains: string[] = []
  let lengthS = lengthsS[0] ?? 0
  let last = '0'
  for (const [i, nextS] of lengthsS.entries()) {
    if (i === 0) continue
    const name = transitions[asked[i - 1] ?? asked.at(-1) ?? 'cut']
    const out = `j${i}`
    if (name === null) {
      const pads = hasSound ? `[v${last}][a${last}][v${i}][a${i}]` : `[v${last}][v${i}]`
      // What `concat` gives has no rate that `xfade` would take.
      const rate = `fps=${fps},settb=AVTB`
      chains.push(
        `${pads}concat=n=2:v=1:a=${hasSound ? 1 : 0}[c${i}]${hasSound ? `[a${out}]` : ''}`,
        `[c${i}]${rate}[v${out}]`,
      )
      lengthS += nextS
    } else {
      const offset = (lengthS - TRANSITION_S).toFixed(3)
      chains.push(`[v${last}][v${i}]xfade=transition=${name}:duration=${TRANSITION_S}:offset=${offset}[v${out}]`)
      if (hasSound) chains.push(`[a${last}][a${i}]acrossfade=d=${TRANSITION_S}[a${out}]`)
      lengthS += nextS - TRANSITION_S
    }
    last = out
  }
  chains.push(`[v${last}]null[v]`)
  if (hasSound) chains.push(`[a${last}]anull[a]`)
  return { chains, lengthS }
}
