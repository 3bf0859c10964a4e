import { describe, expect, test } from 'vitest'
import { type Cosines, compare, compareMeans, cosines, separation } from '../../../models/separation.ts'

/** Cosines of two people's pictures from a table of pairs. */
function given(people: number[], cosine: (a: number, b: number) => number): Cosines {
  const n = people.length
  const values = new Float64Array(n * n)
  for (let a = 0; a < n; a++) for (let b = 0; b < n; b++) values[a * n + b] = cosine(Math.max(a, b), Math.min(a, b))
  return { people, values }
}

describe('separation', () => {
  test('equals figures computed by hand', () => {
    // Genuine pairs (0,1) and (2,3): 0.9 and 0.7; impostor pairs 0.1, 0.3, 0.2, 0.8.
    const table: Record<string, number> = { '1,0': 0.9, '3,2': 0.7, '2,0': 0.1, '3,0': 0.3, '2,1': 0.2, '3,1': 0.8 }
    const found = separation(given([0, 0, 1, 1], (a, b) => table[`${a},${b}`] ?? 1))
    expect(found.genuineMean).toBeCloseTo(0.8, 12)
    expect(found.impostorMean).toBeCloseTo(0.35, 12)
    // Variances 0.01 and 0.0725; pooled deviation √0.04125.
    expect(found.dPrime).toBeCloseTo(0.45 / Math.sqrt(0.04125), 12)
    // 0.9 beats all four, 0.7 three of them.
    expect(found.auc).toBeCloseTo(7 / 8, 12)
  })

  test('ties count half, and embeddings that are all alike tell nobody from anybody', () => {
    const flat = separation(given([0, 0, 1, 1], () => 0.5))
    expect(flat).toMatchObject({ dPrime: 0, auc: 0.5 })
  })

  test('cosines are those of the embeddings', () => {
    const vectors = [[1, 0], [0.6, 0.8], [0, 1]].map((one) => Float32Array.from(one)) // biome-ignore format: as it is meant
    const { values } = cosines(vectors, [0, 0, 1])
    const expected = [1, 0.6, 0, 0.6, 1, 0.8, 0, 0.8, 1]
    for (const [index, value] of expected.entries()) expect(values[index]).toBeCloseTo(value, 6)
  })
})

describe('compare', () => {
  const people = Array.from({ length: 30 }, (_, n) => Math.floor(n / 6))
  const noise = (a: number, b: number) => (((a * 7919 + b * 104729) % 1000) / 1000 - 0.5) * 0.2
  const at = (genuine: number) => given(people, (a, b) => (people[a] === people[b] ? genuine : 0.1) + noise(a, b))

  test('finds the better one, and is certain', () => {
    const { value, low, high } = compare(at(0.8), at(0.6))
    expect(value).toBeGreaterThan(0)
    expect(low).toBeGreaterThan(0)
    expect(high).toBeGreaterThan(low)
    expect(compare(at(0.6), at(0.8)).high).toBeLessThan(0)
  })

  test('says that the same is the same', () => {
    expect(compare(at(0.7), at(0.7))).toEqual({ value: 0, low: 0, high: 0 })
  })

  test('does not decide on what is noise', () => {
    const other = given(people, (a, b) => (people[a] === people[b] ? 0.8 : 0.1) + noise(b + 3, a))
    const { low, high } = compare(at(0.8), other)
    expect(low).toBeLessThan(0)
    expect(high).toBeGreaterThan(0)
  })

  test('a picture that is drawn twice is no pair with itself', () => {
    const withSelf = (self: number) =>
      given(people, (a, b) => (a === b ? self : (people[a] === people[b] ? 0.6 : 0.1) + noise(a, b)))
    expect(compare(withSelf(1), withSelf(-1))).toEqual({ value: 0, low: 0, high: 0 })
  })

  test('gives the same answer each time', () => {
    expect(compare(at(0.8), at(0.75))).toEqual(compare(at(0.8), at(0.75)))
  })

  test('means: paired', () => {
    const first = Array.from({ length: 20 }, (_, n) => n)
    // Each is less by about 0.1, although the values lie far apart.
    const second = first.map((value, n) => value - 0.1 - (n % 3) * 0.01)
    const { value, low } = compareMeans(first, second)
    expect(value).toBeCloseTo(0.1095, 6)
    expect(low).toBeGreaterThan(0.09)
  })
})
