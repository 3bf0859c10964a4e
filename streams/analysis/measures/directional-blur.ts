/**
 * Motion blur by its direction. Pure; session host only.
 *
 * Motion takes fine detail along its direction and leaves that across it. So the fine structure tensor's weakest direction is
 * that of the motion (Chen, Yang, Wu, Zhao, ICIP 2010), unless the scene itself has a direction: blinds, a fence, the horizon.
 * What a scene has, it has at every scale, for natural pictures look alike at all (Field, JOSA A 1987); what blur has, it has
 * at the fine ones. Hence the fine tensor J is compared with the tensor K of the picture made six times smaller: the direction v
 * with the least vᵀJv / vᵀKv, and that least ratio over the greatest, by the generalised eigenvalues of (J, K).
 */
export interface DirectionalBlur {
  /** 0–1. */
  directionalBlur: number
  /** 0–180°, from the x axis towards y (down). */
  blurAngle: number
}

type Tensor = readonly [xx: number, xy: number, yy: number]

/** Of K's trace, added to its diagonal: a scene with a single direction must not divide by nothing. */
const REGULARISATION = 0.02

export function directionalBlur(fine: Tensor, coarse: Tensor): DirectionalBlur {
  const ridge = REGULARISATION * (coarse[0] + coarse[2])
  const [a, b, c] = fine
  const [d, e, f] = [coarse[0] + ridge, coarse[1], coarse[2] + ridge]
  const det = d * f - e * e
  if (!(det > 0) || a + c <= 0) return { directionalBlur: 0, blurAngle: 0 }
  // det(J − λK) = 0: λ² − 2hλ + p = 0.
  const half = (a * f + c * d - 2 * b * e) / (2 * det)
  const product = (a * c - b * b) / det
  const root = Math.sqrt(Math.max(0, half * half - product))
  const low = Math.max(0, half - root)
  const high = half + root
  if (!(high > 0)) return { directionalBlur: 0, blurAngle: 0 }
  // (J − λK)v = 0: v is across the longer row.
  const [xx, xy, yy] = [a - low * d, b - low * e, c - low * f]
  const [x, y] = xx * xx + xy * xy >= xy * xy + yy * yy ? [-xy, xx] : [-yy, xy]
  const angle = (Math.atan2(y, x) * 180) / Math.PI
  return { directionalBlur: 1 - low / high, blurAngle: (angle + 360) % 180 }
}
