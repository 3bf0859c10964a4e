/** The search against a slow one written apart: the same subjects, in the same order, with the same bits. */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EmbeddingIndex } from '../../../src/store/search/embedding-index.ts'
import { bruteForce, numbers, type Person, randomUnit } from '../../integration/support/people.ts'

function indexOf(dimension: number, people: readonly Person[]): EmbeddingIndex {
  const index = new EmbeddingIndex(dimension)
  for (const { subject, name, embeddings } of people) index.put(subject, name, embeddings)
  return index
}

const normalised = (values: readonly number[]) => {
  const norm = Math.hypot(...values)
  return Float32Array.from(values, (value) => value / norm)
}

/** Vectors that a coarse copy cannot tell apart, or tells badly: equal, opposite, a hair apart, with one huge number. */
function vectors(dimension: number): fc.Arbitrary<Float32Array> {
  const seeds = fc.integer({ min: 0, max: 5 })
  const base = seeds.map((seed) => randomUnit(dimension, numbers(seed)))
  const nudged = fc.tuple(base, fc.nat(dimension - 1), fc.constantFrom(1e-3, 1e-5, 1e-7)).map(([vector, at, by]) => {
    const values = [...vector]
    values[at]! += by
    return normalised(values)
  })
  const spiky = fc.tuple(base, fc.nat(dimension - 1)).map(([vector, at]) => {
    const values = [...vector]
    values[at] = 20
    return normalised(values)
  })
  const opposite = base.map((vector) => vector.map((value) => -value))
  const free = fc.integer({ min: 100, max: 1_000_000 }).map((seed) => randomUnit(dimension, numbers(seed)))
  return fc.oneof(base, nudged, spiky, opposite, free)
}

const scene = fc.constantFrom(1, 3, 16, 17, 128, 256, 512).chain((dimension) =>
  fc.record({
    dimension: fc.constant(dimension),
    people: fc.uniqueArray(
      fc.record({
        subject: fc.stringMatching(/^[a-z]{1,4}$/),
        name: fc.option(fc.string({ maxLength: 3 })),
        embeddings: fc.array(vectors(dimension), { maxLength: 5 }),
      }),
      { selector: ({ subject }) => subject, maxLength: 40 },
    ),
    removed: fc.array(fc.nat(40), { maxLength: 10 }),
    probe: vectors(dimension),
    k: fc.integer({ min: 0, max: 12 }),
  }),
)

describe('EmbeddingIndex', () => {
  it('finds what a search in double precision finds, to the last bit, also after removals', () => {
    fc.assert(
      fc.property(scene, ({ dimension, people, removed, probe, k }) => {
        const index = indexOf(dimension, people)
        expect(index.search(probe, k)).toEqual(bruteForce(people, probe, k))
        const gone = new Set(removed.map((at) => people[at]?.subject))
        for (const subject of gone) if (subject !== undefined) index.remove(subject)
        const left = people.filter(({ subject }) => !gone.has(subject))
        expect(index.search(probe, k)).toEqual(bruteForce(left, probe, k))
        expect([index.size, index.embeddings]).toEqual([left.length, left.flatMap((one) => one.embeddings).length])
      }),
      { numRuns: 300 },
    )
  })

  it('is exact over several blocks, with thousands of near duplicates around the last place', () => {
    const dimension = 64
    const next = numbers(7)
    const centre = randomUnit(dimension, next)
    const people = Array.from({ length: 9000 }, (_, n): Person => {
      const near = normalised(Array.from(centre, (value) => value + 1e-4 * next()))
      return { subject: `p${n}`, name: null, embeddings: [n % 3 === 0 ? randomUnit(dimension, next) : near] }
    })
    const index = indexOf(dimension, people)
    for (const k of [1, 5, 50]) expect(index.search(centre, k)).toEqual(bruteForce(people, centre, k))
    const left = people.filter((_, n) => n % 7 !== 0)
    for (const [n, { subject }] of people.entries()) if (n % 7 === 0) index.remove(subject)
    expect(index.search(centre, 20)).toEqual(bruteForce(left, centre, 20))
  })

  it('finds a face whose coarse copy says nothing of what it is searched by', () => {
    const dimension = 513
    const rest = (value: number) => new Array<number>(dimension - 1).fill(value)
    // The small numbers are rounded away together: the error is as large as the bound allows.
    const hidden = normalised([127, ...rest(0.49)])
    const exact = normalised([0, 1, ...rest(0)].slice(0, dimension))
    const people = Object.entries({ exact, hidden }).map(([subject, one]) => ({
      subject,
      name: null,
      embeddings: [one],
    }))
    const probe = normalised([0, ...rest(1)])
    expect(indexOf(dimension, people).search(probe, 1)).toEqual(bruteForce(people, probe, 1))
    expect(bruteForce(people, probe, 1)).toMatchObject([{ subject: 'hidden' }])
  })

  it('replaces what was known of a subject', () => {
    const [a, b] = [1, 2].map((seed) => randomUnit(8, numbers(seed)))
    const index = indexOf(8, [{ subject: 'ada', name: null, embeddings: [a!, b!] }])
    index.put('ada', 'Ada', [b!])
    expect(index.embeddings).toBe(1)
    expect(index.search(b!, 1)).toMatchObject([{ subject: 'ada', name: 'Ada' }])
    expect(index.search(a!, 1)[0]!.similarity).toBeLessThan(0.9)
  })

  it.skipIf(!existsSync('/proc/self/maps'))('keeps no number of a removed subject in memory', () => {
    const dimension = 256
    const index = new EmbeddingIndex(dimension)
    // Made in place, so that nothing but the index holds a copy.
    const made = (seed: number) => {
      const next = numbers(seed)
      const vector = new Float32Array(dimension)
      for (let i = 0; i < dimension; i++) vector[i] = next() / 10
      return vector
    }
    // Removed from the middle, so that another row takes its place.
    for (let n = 0; n < 20; n++) {
      const vector = made(n)
      index.put(`p${n}`, null, [vector])
      vector.fill(0)
    }
    expect(copiesInMemory(() => made(7))).toBeGreaterThan(0)
    index.remove('p7')
    expect(copiesInMemory(() => made(7))).toBe(0)
    expect(copiesInMemory(() => made(19))).toBeGreaterThan(0)
    // It was the last row, and has moved: neither place may keep it.
    index.remove('p19')
    expect(copiesInMemory(() => made(19))).toBe(0)
    expect(index.size).toBe(18)
  })
})

/** How often 64 bytes of the vector stand in this process's memory. What is looked for is masked, so as not to be found. */
function copiesInMemory(make: () => Float32Array): number {
  const MASK = 0x5a
  const vector = make()
  const needle = new Uint8Array(vector.buffer, 64, 64).map((byte) => byte ^ MASK)
  vector.fill(0)
  const chunk = Buffer.alloc(4 << 20)
  const memory = openSync('/proc/self/mem', 'r')
  let found = 0
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line)
    if (!range || line.includes('[v')) continue
    const [from, to] = [Number.parseInt(range[1]!, 16), Number.parseInt(range[2]!, 16)]
    for (let at = from; at < to; at += chunk.length) {
      chunk.fill(0)
      const length = Math.min(chunk.length, to - at)
      const read = readSome(memory, chunk, length, at)
      found += occurrences(chunk.subarray(0, read), needle, MASK)
    }
  }
  closeSync(memory)
  chunk.fill(0)
  return found
}

/** 0 for pages that are reserved only. */
function readSome(file: number, target: Buffer, length: number, position: number): number {
  try {
    return readSync(file, target, 0, length, position)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EIO') return 0
    throw error
  }
}

function occurrences(bytes: Buffer, masked: Uint8Array, mask: number): number {
  const first = masked[0]! ^ mask
  let found = 0
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let same = 1
    while (same < masked.length && bytes[at + same]! === (masked[same]! ^ mask)) same++
    if (same === masked.length) found++
  }
  return found
}
