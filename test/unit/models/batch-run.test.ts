import { describe, expect, test } from 'vitest'
import { adapterFor } from '../../../models/adapters.ts'
import { checkOutputs, isOutOfMemory, type RunModel, runBatch } from '../../../models/batch-run.ts'
import { findModel } from '../../../models/manifest.ts'

const adapter = adapterFor(findModel('face-reid-0095'))
const PLANE = 128 * 128

/** Embedding: the mean of the red plane, and 1. Refuses a batch with a red pixel of 255, or of more than `most`. */
function model(most = 8) {
  const sizes: number[] = []
  const run: RunModel = async (data, dims) => {
    const count = dims[0]!
    sizes.push(count)
    if (count > most) throw new Error('out of memory')
    const out = new Float32Array(count * 2)
    for (let n = 0; n < count; n++) {
      const red = data.subarray((n * 3 + 2) * PLANE, (n * 3 + 3) * PLANE)
      if (red.includes(255)) throw new Error('poison')
      out.set([red[0]!, 1], n * 2)
    }
    return { embedding: { data: out, dims: [count, 2] } }
  }
  return { run, sizes }
}

const crop = (red: number) => {
  const data = new Uint8Array(3 * PLANE)
  data.fill(red, 0, PLANE)
  return { picture: { width: 128, height: 128, data }, params: {} }
}

test('a good batch runs once, and answers in order', async () => {
  const { run, sizes } = model()
  const { answers, split } = await runBatch(adapter, run, [crop(3), crop(0)])
  expect(sizes).toEqual([2])
  expect(split).toBe(false)
  expect(answers[0]).toMatchObject({ ok: true, result: { rows: 1, columns: 2 } })
  const [first, second] = answers.map((answer) => (answer.ok ? [...answer.result.data] : []))
  expect(first![0]).toBeCloseTo(3 / Math.sqrt(10), 6)
  expect(second).toEqual([0, 1])
})

test('poison harms itself only', async () => {
  const { run, sizes } = model()
  const { answers, split } = await runBatch(adapter, run, [crop(1), crop(255), crop(2)])
  expect(sizes).toEqual([3, 1, 1, 1])
  expect(split).toBe(true)
  expect(answers.map((answer) => answer.ok)).toEqual([true, false, true])
  expect(answers[1]).toMatchObject({ error: { code: 'ENG_POISON', message: expect.stringMatching(/poison/) } })
})

test('a batch that is too large is split, and nobody is lost', async () => {
  const { run, sizes } = model(1)
  const { answers, split } = await runBatch(adapter, run, [crop(1), crop(2)])
  expect(sizes).toEqual([2, 1, 1])
  expect(split).toBe(true)
  expect(answers.every((answer) => answer.ok)).toBe(true)
})

test('what does not fit alone is no poison: it says that memory is short', async () => {
  const { run } = model(0)
  const { answers, outOfMemory } = await runBatch(adapter, run, [crop(1), crop(2)])
  expect(outOfMemory).toBe(true)
  for (const answer of answers) expect(answer).toMatchObject({ ok: false, error: { code: 'ENG_MEMORY' } })
})

test.for<[string, boolean]>([
  ['std::bad_alloc', true],
  ['bfc_arena.cc:360 Failed to allocate memory for requested buffer of size 16777216', true],
  ['CUDA failure 2: out of memory', true],
  ['Array buffer allocation failed', true],
  ['Got invalid dimensions for input', false],
])('%s: out of memory %s', ([message, expected]) => {
  expect(isOutOfMemory(new Error(message))).toBe(expected)
})

describe('an answer that is none', () => {
  const answering = (rows: number, values: number[]): RunModel => {
    return async () => ({ embedding: { data: Float32Array.from(values), dims: [rows, values.length / rows] } })
  }
  test.for<[string, number, number[]]>([
    ['not a number', 1, [1, Number.NaN]],
    ['infinite', 1, [Number.POSITIVE_INFINITY, 1]],
    ['infinite both ways', 1, [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ['of another batch size', 2, [1, 1, 1, 1]],
  ])('%s is poison', async ([, rows, values]) => {
    const { answers } = await runBatch(adapter, answering(rows, values), [crop(1)])
    expect(answers).toMatchObject([{ ok: false, error: { code: 'ENG_POISON' } }])
  })
})

test('an output that the adapter does not look at has to be numbers, too', () => {
  const outputs = {
    seen: { data: Float32Array.of(1), dims: [1, 1] },
    other: { data: Float32Array.of(Number.NaN), dims: [1, 1] },
  }
  expect(() => checkOutputs(outputs, 1)).toThrow(/other is not finite/)
  expect(() => checkOutputs({ seen: outputs.seen }, 1)).not.toThrow()
})

test('pictures in shared memory give what others give', async () => {
  const { run } = model()
  const shared = crop(7)
  const data = new Uint8Array(new SharedArrayBuffer(shared.picture.data.length))
  data.set(shared.picture.data)
  const one = await runBatch(adapter, run, [{ ...shared, picture: { ...shared.picture, data } }, crop(9)])
  expect(one.answers).toEqual((await runBatch(adapter, run, [crop(7), crop(9)])).answers)
})

test('a single request is tried twice', async () => {
  const { run, sizes } = model()
  const { answers } = await runBatch(adapter, run, [crop(255)])
  expect(sizes).toEqual([1, 1])
  expect(answers.length).toBe(1)
})
