import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Claim, claimWeight, grantClaims } from '../../../../streams/analysis/subject-claims.ts'

const LEAD = 0.05
const claim = (subject: string, similarity: number, more: Partial<Claim> = {}): Claim => ({
  subject,
  similarity,
  proven: false,
  held: false,
  ...more,
})
const proven = { proven: true }
const named = { proven: true, held: true }

describe('grantClaims', () => {
  it.for([
    ['different people both get theirs', [claim('ada', 0.7), claim('bob', 0.9)], [true, true]],
    ['a face without a claim gets nobody', [undefined, claim('ada', 0.7)], [false, true]],
    ['of two faces of one person the more alike is it', [claim('ada', 0.7), claim('ada', 0.8)], [false, true]],
    ['enough evidence beats one good look', [claim('ada', 0.7, proven), claim('ada', 0.99)], [true, false]],
    ['who has the name keeps it', [claim('ada', 0.8, named), claim('ada', 0.84, proven)], [true, false]],
    ['… until another leads clearly', [claim('ada', 0.8, named), claim('ada', 0.86, proven)], [false, true]],
    ['equal claims: the first', [claim('ada', 0.8), claim('ada', 0.8)], [true, false]],
  ] as const)('%s', ([, claims, expected]) => {
    expect(grantClaims(claims, LEAD)).toEqual(expected)
  })

  it('is the best of all assignments of tracks to subjects, and names nobody twice', () => {
    const anyClaim = fc.option(
      fc.record({
        subject: fc.constantFrom('ada', 'bob', 'cyd'),
        similarity: fc.double({ min: 0.6, max: 1, noNaN: true }),
        proven: fc.boolean(),
        held: fc.boolean(),
      }),
      { nil: undefined },
    )
    fc.assert(
      fc.property(fc.array(anyClaim, { maxLength: 6 }), (claims) => {
        const granted = grantClaims(claims, LEAD)
        expect(total(claims, granted)).toBeCloseTo(best(claims), 9)
      }),
    )
  })
})

/** Weight of a choice; −∞ when somebody is in the picture twice. */
function total(claims: readonly (Claim | undefined)[], granted: readonly boolean[]): number {
  const got = claims.filter((one, index): one is Claim => one !== undefined && granted[index] === true)
  if (new Set(got.map(({ subject }) => subject)).size < got.length) return Number.NEGATIVE_INFINITY
  return got.reduce((sum, one) => sum + claimWeight(one, LEAD), 0)
}

function best(claims: readonly (Claim | undefined)[]): number {
  const choices = Array.from({ length: 2 ** claims.length }, (_, bits) => claims.map((_, n) => (bits >> n) % 2 === 1))
  return Math.max(...choices.map((granted) => total(claims, granted)))
}
