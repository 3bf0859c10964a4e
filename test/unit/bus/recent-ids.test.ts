import { expect, test } from 'vitest'
import { recentIds } from '../../../src/bus/recent-ids.ts'

const holding = (first: number, last: number, gone: readonly number[] = []) => ({
  range: async () => ({ first, last }),
  idAt: async (seq: number) => (gone.includes(seq) ? undefined : `id-${seq}`),
})

test('the last 64 messages, those that are gone left out', async () => {
  const ids = await recentIds(holding(1, 100, [99]))
  expect(ids.size).toBe(63)
  expect(ids.has('id-37')).toBe(true)
  expect(ids.has('id-36')).toBe(false)
  expect(ids.has('id-99')).toBe(false)
})

test('a short stream from its first message, an empty one and none', async () => {
  expect([...(await recentIds(holding(5, 7)))]).toEqual(['id-5', 'id-6', 'id-7'])
  // JetStream says first 1, last 0 of an empty stream, and first n + 1, last n of a purged one.
  expect((await recentIds(holding(1, 0))).size).toBe(0)
  expect((await recentIds(holding(8, 7))).size).toBe(0)
  expect((await recentIds({ range: async () => undefined, idAt: async () => 'x' })).size).toBe(0)
})
