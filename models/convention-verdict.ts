/**
 * What a self-test may conclude from the figures of an entry and of its alternatives. Pure.
 */
import { type Alternative, ASPECTS, type Aspect, declared } from './conventions.ts'
import type { ModelEntry } from './model-entry.ts'
import type { Difference } from './separation.ts'

/**
 * Least gain of an alternative that makes an entry wrong. Colour order and range are either right or not; a crop a little
 * closer can suit a few pictures better, and is a matter of taste.
 */
const MIN_GAIN_RATIO: Record<Aspect, number> = { colour: 0.01, range: 0.01, alignment: 0.05 }

export type Judgement = 'worse' | 'better' | 'not told apart'
export type Verdict = 'right' | 'wrong' | 'cannot tell'

export interface AlternativeFigure {
  name: string
  figure: number
  /** Of the entry over the alternative. */
  difference: Difference
  judgement: Judgement
}

export interface AspectVerdict {
  aspect: Aspect
  declared: string
  verdict: Verdict
  why: string
  alternatives: AlternativeFigure[]
}

/** `figure` is the alternative's, `own` the entry's; more is better. */
export function judge(aspect: Aspect, own: number, figure: number, { low, high }: Difference): Judgement {
  if (low > 0) return 'worse'
  return high < 0 && figure - own > MIN_GAIN_RATIO[aspect] * Math.abs(own) ? 'better' : 'not told apart'
}

/** For each aspect that the model has: right when every alternative is worse, wrong when one is better. */
export function verdicts(
  entry: ModelEntry,
  figures: readonly { alternative: Alternative; figure: AlternativeFigure }[],
): AspectVerdict[] {
  const stated = declared(entry)
  return ASPECTS.flatMap((aspect) => {
    const alternatives = figures
      .filter(({ alternative }) => alternative.aspect === aspect)
      .map(({ figure }) => figure)
      .sort((a, b) => b.figure - a.figure)
    return alternatives.length === 0
      ? []
      : [{ aspect, declared: stated[aspect], ...conclude(alternatives), alternatives }]
  })
}

function conclude(alternatives: readonly AlternativeFigure[]): { verdict: Verdict; why: string } {
  const better = alternatives.find(({ judgement }) => judgement === 'better')
  if (better) return { verdict: 'wrong', why: `${better.name} is better` }
  const open = alternatives.filter(({ judgement }) => judgement === 'not told apart').map(({ name }) => name)
  if (open.length === 0) return { verdict: 'right', why: 'every alternative is worse' }
  return { verdict: 'cannot tell', why: `these pictures do not tell it from ${open.join(', ')}` }
}
