import { describe, expect, it } from 'vitest'
import { descriptorVariety } from '../../../models/descriptor-variety.ts'

const ones = (n: number) => new Float32Array(n).fill(1)
const oneHot = (n: number, dimension: number, length = 1) =>
  Float32Array.from({ length: n * dimension }, (_, i) => (i % dimension === Math.floor(i / dimension) ? length : 0))

describe('descriptorVariety', () => {
  it('of n descriptors at right angles: spread 1 − 1/n over n − 1 directions, as much as there can be', () => {
    // Their covariance is (I − 11ᵀ/n) / n: n − 1 eigenvalues of 1/n.
    for (const n of [2, 5, 16]) {
      const { spread, effectiveRank, richness } = descriptorVariety(oneHot(n, 16, 7), 16, ones(n))
      expect(spread).toBeCloseTo(1 - 1 / n, 5)
      expect(effectiveRank).toBeCloseTo(n - 1, 4)
      expect(richness).toBeCloseTo(n === 2 ? 0 : Math.sqrt(1 - 1 / n), 4)
    }
  })

  it('does not hang on their length, only on their directions', () => {
    const lengths = Float32Array.from({ length: 12 }, (_, i) => 1 + (i % 4))
    const scaled = oneHot(4, 3).map((value, i) => value * lengths[Math.floor(i / 3)]!)
    const plain = descriptorVariety(oneHot(4, 3), 3, ones(4))
    expect(descriptorVariety(scaled, 3, ones(4))).toEqual(plain)
  })

  it('of equal ones is nothing, and the mean is theirs', () => {
    const { richness, effectiveRank, spread, mean } = descriptorVariety(
      Float32Array.from({ length: 30 }, (_, i) => [3, 0, 4][i % 3]!),
      3,
      ones(10),
    )
    expect([richness, effectiveRank]).toEqual([0, 0])
    expect(spread).toBeLessThan(1e-6)
    expect([...mean].map((value) => value.toFixed(5))).toEqual(['0.60000', '0.00000', '0.80000'])
  })

  it('of two groups is one direction', () => {
    const two = Float32Array.from({ length: 40 }, (_, i) => (Math.floor(i / 4) % 2 === i % 4 ? 1 : 0))
    expect(descriptorVariety(two, 4, ones(10)).effectiveRank).toBeCloseTo(1, 5)
  })

  it('a descriptor counts by its weight: twice is the same as two of it, and nothing as if it were not there', () => {
    const three = () => oneHot(3, 4)
    const doubled = Float32Array.from([...three(), ...three().slice(0, 4)])
    const byWeight = descriptorVariety(three(), 4, Float32Array.of(2, 1, 1))
    const byCount = descriptorVariety(doubled, 4, ones(4))
    expect(byWeight.spread).toBeCloseTo(byCount.spread, 6)
    expect(byWeight.effectiveRank).toBeCloseTo(byCount.effectiveRank, 5)
    const without = descriptorVariety(three(), 4, Float32Array.of(1, 1, 0))
    expect(without.effectiveRank).toBeCloseTo(1, 5)
  })

  it('is the participation ratio of the eigenvalues, computed another way', () => {
    // Points (cos, sin) at 0°, 60°, 90°: covariance by hand.
    const points = [0, 60, 90].map((degrees) => (degrees * Math.PI) / 180).map((t) => [Math.cos(t), Math.sin(t)])
    const [mx, my] = [0, 1].map((k) => points.reduce((sum, p) => sum + p[k]! / 3, 0))
    const c = (j: number, k: number) =>
      points.reduce((sum, p) => sum + ((p[j]! - [mx!, my!][j]!) * (p[k]! - [mx!, my!][k]!)) / 3, 0)
    const [trace, det] = [c(0, 0) + c(1, 1), c(0, 0) * c(1, 1) - c(0, 1) ** 2]
    const found = descriptorVariety(Float32Array.from(points.flat()), 2, ones(3))
    expect(found.spread).toBeCloseTo(trace, 5)
    expect(found.effectiveRank).toBeCloseTo(trace ** 2 / (trace ** 2 - 2 * det), 4)
  })

  it.each([
    ['no descriptors', 0],
    ['descriptors of no length', 3],
  ])('%s: zeros', (_, n) => {
    const nothing = descriptorVariety(new Float32Array(n * 4), 4, ones(n))
    expect(nothing).toEqual({ richness: 0, effectiveRank: 0, spread: 0, mean: new Float32Array(4) })
  })
})
