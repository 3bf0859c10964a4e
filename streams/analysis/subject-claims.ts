/**
 * One person is at most once in a picture: which of a frame's faces get the subject that they claim. Pure.
 *
 * This is the assignment of tracks to subjects of the greatest total weight. A track is only ever a candidate for its one
 * nearest subject, by a margin: the second nearest is never taken because the first is taken, which would give a person seen
 * twice (a mirror, a poster) the name of whoever looks most like them. With one subject a track the optimum needs no
 * Hungarian algorithm: it is, subject by subject, the heaviest claim (checked against all assignments in the tests).
 */
export interface Claim {
  subject: string
  /** Cosine of the track's template with the subject, 0–1. */
  similarity: number
  /** The evidence is enough for a name. */
  proven: boolean
  /** The track is said to be this subject already, at least as a candidate. */
  held: boolean
}

/**
 * True for each claim that is granted, in the claims' order. Enough evidence comes first, then similarity; who holds the
 * subject keeps it until another leads by `leadToTake`. Of equal claims the first one wins.
 */
export function grantClaims(claims: readonly (Claim | undefined)[], leadToTake: number): boolean[] {
  const winners = new Map<string, number>()
  for (const [index, claim] of claims.entries()) {
    if (!claim) continue
    const rival = winners.get(claim.subject)
    if (rival === undefined || claimWeight(claim, leadToTake) > claimWeight(claims[rival]!, leadToTake)) {
      winners.set(claim.subject, index)
    }
  }
  return claims.map((claim, index) => claim !== undefined && winners.get(claim.subject) === index)
}

/** Similarities of accepted matches are less than 1 apart, so that a proven claim outweighs every other. */
export function claimWeight({ similarity, proven, held }: Claim, leadToTake: number): number {
  return (proven ? 2 : 0) + similarity + (held ? leadToTake : 0)
}
