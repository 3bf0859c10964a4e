/** Deficit round-robin on a simulated device: who gets how much of it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Batcher, type BatchItem } from '../../../models/batcher.ts'
import { VirtualClock } from '../virtual-clock.ts'

interface Camera {
  weight: number
  /** Device time of one of its pictures, ms. Pictures of different costs are of different sizes, hence lanes. */
  cost: number
  /** Requests it keeps waiting or running. */
  open: number
}

interface Item extends BatchItem {
  cost: number
}

/** Each camera sends a new request for each answer. Returns device time by camera, and the longest wait, ms. */
function simulate(cameras: Camera[], { max = 4, batches = 2000, maxWaitMs = 100 } = {}) {
  const clock = new VirtualClock(0)
  const batcher = new Batcher<Item>({
    clock,
    maxWaitMs,
    queueLimit: 1000,
    limit: () => max,
    cost: ({ cost }) => cost,
    reclaim: () => true,
    expired: () => undefined,
  })
  const send = (session: number) => {
    const { weight, cost } = cameras[session]!
    batcher.submit({ session, weight, cost, lane: `${cost}`, alone: false, expiresInMs: null })
  }
  for (const [session, { open }] of cameras.entries()) for (let n = 0; n < open; n++) send(session)
  const usedMs = cameras.map(() => 0)
  const longestWaitMs = cameras.map(() => 0)
  for (let n = 0; n < batches; n++) {
    const selection = batcher.select()!
    const waits = batcher.commit(selection)
    for (const [index, { session }] of selection.items.entries()) {
      longestWaitMs[session] = Math.max(longestWaitMs[session]!, waits[index]!)
    }
    clock.advanceSync(selection.items.reduce((sum, { cost }) => sum + cost, 0))
    for (const { session, cost } of selection.items) {
      usedMs[session] = usedMs[session]! + cost
      send(session)
    }
  }
  return { usedMs, longestWaitMs, totalMs: clock.monotonicMs() }
}

const shares = (usedMs: number[]) => usedMs.map((ms) => ms / usedMs.reduce((a, b) => a + b, 0))

describe('on a busy device', () => {
  test('a camera with large pictures gets as much device time as one with small ones, not more', () => {
    const { usedMs } = simulate([
      { weight: 1, cost: 20, open: 8 },
      { weight: 1, cost: 5, open: 8 },
    ])
    expect(shares(usedMs)[0]).toBeCloseTo(0.5, 1)
  })

  test('device time goes by weight', () => {
    const { usedMs } = simulate([
      { weight: 11, cost: 5, open: 8 },
      { weight: 2, cost: 5, open: 8 },
      { weight: 1, cost: 5, open: 8 },
    ])
    const [high, middle, low] = shares(usedMs) as [number, number, number]
    expect(high).toBeGreaterThan(middle)
    expect(middle / low).toBeCloseTo(2, 0)
  })

  test('one that asks for one at a time is not held up by those that ask for eight', () => {
    const crowd = Array.from({ length: 5 }, () => ({ weight: 1, cost: 5, open: 8 }))
    const { longestWaitMs } = simulate([{ weight: 1, cost: 5, open: 1 }, ...crowd])
    // A round of six cameras at 5 ms, and the batch that runs.
    expect(longestWaitMs[0]).toBeLessThanOrEqual(6 * 5 + 4 * 5)
  })

  test('what a camera used because nobody else wanted it is not held against it for long', () => {
    const clock = new VirtualClock(0)
    const options = { clock, maxWaitMs: 0, queueLimit: 100, limit: () => 8, cost: () => 5, reclaim: () => true }
    const batcher = new Batcher<BatchItem>({ ...options, expired: () => undefined })
    const submit = (session: number, lane: string) =>
      batcher.submit({ session, weight: 1, lane, alone: false, expiresInMs: null })
    const next = () => {
      clock.advanceSync(10)
      const selection = batcher.select()!
      batcher.commit(selection)
      return selection.items.map(({ session }) => session)
    }
    // Of each batch of eight, camera 1 fills the seven places that camera 2 leaves.
    for (let n = 0; n < 100; n++) {
      submit(2, 'a')
      while (batcher.depth < 8) submit(1, 'a')
      expect(next().filter((session) => session === 1).length).toBe(7)
    }
    const served: number[][] = []
    for (let n = 0; n < 30; n++) {
      submit(1, 'a')
      submit(3, 'b')
      served.push(next())
    }
    const ofFirst = (batches: number[][]) => batches.flat().filter((session) => session === 1).length
    expect(ofFirst(served.slice(0, 12))).toBeGreaterThan(0)
    expect(ofFirst(served) / served.flat().length).toBeGreaterThan(0.4)
  })

  test('fair within a batch, and nobody starves, whatever the weights, sizes and loads', () => {
    const camera = fc.record({
      weight: fc.integer({ min: 1, max: 11 }),
      cost: fc.constantFrom(1, 3, 10, 40),
      open: fc.integer({ min: 1, max: 8 }),
    })
    const load = fc.record({
      cameras: fc.array(camera, { minLength: 2, maxLength: 8 }),
      max: fc.integer({ min: 1, max: 8 }),
      maxWaitMs: fc.constantFrom(0, 20, 100),
    })
    fc.assert(
      fc.property(load, ({ cameras, max, maxWaitMs }) => {
        const { usedMs, longestWaitMs } = simulate(cameras, { max, maxWaitMs, batches: 600 })
        const dearest = Math.max(...cameras.map(({ cost }) => cost))
        const batchMs = max * dearest
        const weights = cameras.reduce((sum, { weight }) => sum + weight, 0)
        for (const [index, camera] of cameras.entries()) {
          // A round of everybody's share, with a debt of one batch each, and what went first for throughput.
          const roundMs = weights * dearest + cameras.length * batchMs
          const perRound = Math.ceil(camera.cost / (camera.weight * dearest))
          const requestsAhead = camera.open
          const limitMs = maxWaitMs + roundMs * (perRound + max + requestsAhead)
          expect(longestWaitMs[index]).toBeLessThanOrEqual(limitMs)
          expect(usedMs[index]).toBeGreaterThan(0)
        }
      }),
    )
  })

  test('two that always have enough waiting are served by weight, within one batch', () => {
    const load = fc.record({
      weights: fc.tuple(fc.integer({ min: 1, max: 11 }), fc.integer({ min: 1, max: 11 })),
      costs: fc.tuple(fc.constantFrom(1, 3, 10), fc.constantFrom(1, 3, 10)),
      max: fc.integer({ min: 1, max: 8 }),
    })
    fc.assert(
      fc.property(load, ({ weights, costs, max }) => {
        const cameras = [0, 1].map((index) => ({ weight: weights[index]!, cost: costs[index]!, open: 64 }))
        const { usedMs } = simulate(cameras, { max, maxWaitMs: 0, batches: 300 })
        const dearest = Math.max(...costs)
        const [a, b] = [usedMs[0]! / weights[0], usedMs[1]! / weights[1]]
        // One round's share, and a batch each.
        const slack = dearest + (max * dearest) / Math.min(...weights)
        expect(Math.abs(a - b)).toBeLessThanOrEqual(slack)
      }),
    )
  })
})
