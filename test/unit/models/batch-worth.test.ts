import { describe, expect, test } from 'vitest'
import type { BatchOutcome } from '../../../models/batch-run.ts'
import { BatchWorth } from '../../../models/batch-worth.ts'
import { LaneTable } from '../../../models/lane-table.ts'
import type { ModelEntry } from '../../../models/model-entry.ts'

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

/** ms: eight pictures cost more than eight times one. */
const onCpu = (size: number) => 5 * size + 0.2 * size ** 2

describe('the batch that pays', () => {
  test('is one picture on a CPU, but for a look now and then, and ever more seldom', () => {
    const worth = new BatchWorth(8)
    serve(worth, onCpu)
    const later = serve(worth, onCpu, [8], 4000)
    const pictures = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0)
    expect(pictures(later.filter((size) => size > 1)) / pictures(later)).toBeLessThan(0.1)
    // One of the looks goes far: two may not pay where eight do.
    expect(new Set(later)).toEqual(new Set([1, 2, 4, 8]))
  })

  test('is one picture as well where no more than two ever wait', () => {
    const worth = new BatchWorth(8)
    serve(worth, onCpu, [1, 2], 10)
    expect(worth.value).toBe(1)
  })

  test('is as large as may be where a run has a fixed cost', () => {
    const worth = new BatchWorth(8)
    serve(worth, (size) => 3 + 0.3 * size)
    expect(worth.value).toBe(8)
  })

  test('is the smallest that is as cheap as a larger one', () => {
    const worth = new BatchWorth(8)
    // Four at a time, and then four more.
    const later = serve(worth, (size) => 10 * Math.ceil(size / 4)).slice(100)
    expect(later.filter((size) => size > 4).length / later.length).toBeLessThan(0.1)
    expect(later).toContain(4)
  })

  test('is not lowered for a size that hardly ran', () => {
    const worth = new BatchWorth(8)
    for (let n = 0; n < 3; n++) worth.ran(1, 0.5)
    for (let n = 0; n < 100; n++) worth.ran(8, 16)
    expect(worth.value).toBe(8)
  })

  test('grows again when the device is another', () => {
    const worth = new BatchWorth(8)
    serve(worth, onCpu)
    serve(worth, (size) => 3 + 0.3 * size, [8], 4000)
    expect(worth.value).toBe(8)
  })
})

describe('LaneTable', () => {
  const picture = { width: 640, height: 384 }
  const entry = { input: { maxBatch: null } } as unknown as ModelEntry

  test('lets no more run than pays, also where the device bears less than was asked for', () => {
    const table = new LaneTable({ max: 8, maxWaitMs: 100, targetLatencyMs: 40, queueLimit: 100 })
    const limit = () => table.limit('m/640x384', entry, picture)
    for (let n = 0; n < 100; n++) {
      const size = Math.min(limit(), n % 2 === 0 ? 1 : 8)
      table.ran('m/640x384', 'm', picture, size, onCpu(size), { outOfMemory: false, split: false } as BatchOutcome)
    }
    expect(limit()).toBeLessThanOrEqual(2)
    expect(table.smallestLimit('m', entry)).toBeGreaterThan(1)
  })
})
