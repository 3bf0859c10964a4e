import { describe, expect, test } from 'vitest'
import { BatchWorth } from '../../../models/batch-worth.ts'

/** Runs of `sizes` in turn, each as large as it may be; those that ran. */
function serve(
  worth: BatchWorth,
  runMs: (size: number) => number,
  sizes = [1, 8, 2, 8, 1, 8, 4, 8],
  rounds = 50,
): number[] {
  const ran: number[] = []
  for (let n = 0; n < rounds; n++) {
    for (const wanted of sizes) {
      const size = Math.min(wanted, worth.value)
      worth.ran(size, runMs(size))
      ran.push(size)
    }
  }
  return ran
}

describe('the batch that pays', () => {
  test('is one picture on a CPU, but for a look now and then', () => {
    const worth = new BatchWorth(8)
    serve(worth, (size) => 5 * size + 0.2 * size ** 2)
    const later = serve(worth, (size) => 5 * size + 0.2 * size ** 2, [8], 400)
    expect(new Set(later)).toEqual(new Set([1, 2]))
    expect(later.filter((size) => size > 1).length / later.length).toBeLessThan(0.25)
  })

  test('is as large as may be where a run has a fixed cost', () => {
    const worth = new BatchWorth(8)
    serve(worth, (size) => 3 + 0.3 * size)
    expect(worth.value).toBe(8)
  })

  test('is the smallest that is as cheap as a larger one', () => {
    const worth = new BatchWorth(8)
    // Four at a time, and then four more.
    serve(worth, (size) => 10 * Math.ceil(size / 4))
    expect(worth.value).toBeOneOf([4, 5])
  })

  test('is not lowered for a size that hardly ran', () => {
    const worth = new BatchWorth(8)
    for (let n = 0; n < 3; n++) worth.ran(1, 0.5)
    for (let n = 0; n < 100; n++) worth.ran(8, 16)
    expect(worth.value).toBe(8)
  })

  test('grows again when the device is another', () => {
    const worth = new BatchWorth(8)
    serve(worth, (size) => 5 * size)
    expect(worth.value).toBeLessThanOrEqual(2)
    serve(worth, (size) => 3 + 0.3 * size)
    expect(worth.value).toBe(8)
  })
})
