import { describe, expect, test } from 'vitest'
import { BatchLimit } from '../../../models/batch-limit.ts'

const FAST_MS = 1

describe('out of memory', () => {
  test('halves, down to one, and grows back by full batches only', () => {
    const limit = new BatchLimit(8, 200)
    limit.outOfMemory(8)
    expect(limit.value).toBe(4)
    for (let n = 0; n < 100; n++) limit.ran(3, FAST_MS)
    expect(limit.value).toBe(4)
    for (let n = 0; n < 16; n++) limit.ran(4, FAST_MS)
    expect(limit.value).toBe(5)
    for (let n = 0; n < 5; n++) limit.outOfMemory(limit.value)
    expect(limit.value).toBe(1)
    for (let n = 0; n < 16 * 50; n++) limit.ran(8, FAST_MS)
    expect(limit.value).toBe(8)
  })

  test('of a batch smaller than allowed tells about that size', () => {
    const limit = new BatchLimit(32, 200)
    limit.outOfMemory(6)
    expect(limit.value).toBe(3)
  })
})

describe('the target latency', () => {
  /** Batches as large as allowed, on a device that takes `runMs`. */
  const settle = (limit: BatchLimit, runMs: (size: number) => number, batches = 400) => {
    const sizes: number[] = []
    for (let n = 0; n < batches; n++) {
      sizes.push(limit.value)
      limit.ran(limit.value, runMs(limit.value))
    }
    return sizes
  }

  test('a device that takes 30 ms a picture gets three, and now and then a fourth to see whether it still does', () => {
    const sizes = settle(new BatchLimit(8, 200), (size) => 30 * size)
    expect(sizes[0]).toBe(8)
    const later = sizes.slice(50)
    expect(new Set(later)).toEqual(new Set([3, 4]))
    expect(later.filter((size) => size === 4).length / later.length).toBeLessThan(0.15)
  })

  test('one slow run alone changes nothing; the next one counts, however many small ones came between', () => {
    const limit = new BatchLimit(8, 200)
    limit.ran(8, 150)
    limit.ran(8, 50)
    limit.ran(8, 150)
    expect(limit.value).toBe(8)
    limit.ran(2, 20)
    limit.ran(8, 150)
    expect(limit.value).toBe(5)
  })

  test('a device with a fixed cost is not held at one', () => {
    expect(settle(new BatchLimit(32, 200), (size) => 60 + 2 * size).slice(100)).toContain(20)
  })

  test('never under one, though one alone takes too long; never above the most', () => {
    expect(new Set(settle(new BatchLimit(4, 10), () => 1000).slice(4))).toEqual(new Set([1]))
    expect(new Set(settle(new BatchLimit(4, 10), () => 0.1))).toEqual(new Set([4]))
  })

  test('a device that became faster gets larger batches again', () => {
    const limit = new BatchLimit(8, 200)
    settle(limit, (size) => 40 * size)
    expect(limit.value).toBeLessThanOrEqual(3)
    settle(limit, (size) => 2 * size)
    expect(limit.value).toBe(8)
  })
})
