import { describe, expect, it } from 'vitest'
import { BurstReading } from '../../../../streams/media/burst-reading.ts'

const STEP_MS = 40

/** Reads a camera that sends `bytes` each 40 ms, and waits when it is told to. The lulls, and the ages of packets when they are read. */
function read(seconds: number, { bytes = 5000, awayFromMs = Number.POSITIVE_INFINITY, awayMs = 0, shiftMs = 0 } = {}) {
  const bursts = new BurstReading()
  const lulls: number[] = []
  const ages: number[] = []
  let nowMs = 0
  for (let n = 0; n < (1000 * seconds) / STEP_MS; n++) {
    const sentMs = n * STEP_MS + (n * STEP_MS >= awayFromMs ? awayMs : 0)
    nowMs = Math.max(nowMs, sentMs)
    const dtsMs = n * STEP_MS + (n * STEP_MS >= awayFromMs ? shiftMs : 0)
    ages.push(nowMs - sentMs)
    const lullMs = bursts.lullMs({ dtsMs, bytes, monotonicMs: nowMs })
    if (lullMs > 0) lulls.push(lullMs)
    nowMs += lullMs
  }
  return { lulls, ages }
}

describe('reading in bursts', () => {
  it('waits between bursts, and never falls behind by more than a lull', () => {
    const { lulls, ages } = read(20)
    expect(lulls.length).toBeGreaterThan(40)
    expect(lulls.length).toBeLessThan(60)
    expect(Math.max(...lulls)).toBe(400)
    expect(Math.max(...ages)).toBeLessThanOrEqual(400)
  })

  it('leaves less in the socket of a camera that sends more, and does not wait for one that sends very much', () => {
    const { lulls } = read(20, { bytes: 20_000 })
    // 128 KiB at 500 bytes a ms, and one packet more or less.
    expect(Math.max(...lulls.slice(1))).toBeLessThanOrEqual(262 + 2 * STEP_MS)
    expect(Math.min(...lulls)).toBeGreaterThanOrEqual(262 - 2 * STEP_MS)
    expect(read(20, { bytes: 100_000 }).lulls.length).toBeLessThanOrEqual(1)
  })

  it('reads on while packets are older than they need be', () => {
    const bursts = new BurstReading()
    bursts.lullMs({ dtsMs: 0, bytes: 5000, monotonicMs: 1000 })
    expect(bursts.lullMs({ dtsMs: 40, bytes: 5000, monotonicMs: 1400 })).toBe(0)
    expect(bursts.lullMs({ dtsMs: 80, bytes: 5000, monotonicMs: 1400 })).toBe(0)
    expect(bursts.lullMs({ dtsMs: 400, bytes: 5000, monotonicMs: 1401 })).toBe(400)
  })

  it.each([
    ['was away for a minute', { awayFromMs: 10_000, awayMs: 60_000 }],
    ['has time stamps that jump ahead', { awayFromMs: 10_000, shiftMs: 3_600_000 }],
    ['has time stamps that jump back', { awayFromMs: 10_000, shiftMs: -3_600_000 }],
  ])('goes on after a camera %s', (_, what) => {
    const { lulls } = read(20, what)
    expect(lulls.length).toBeGreaterThan(40)
  })

  it('does not wait where packets have no time', () => {
    const bursts = new BurstReading()
    const lulls = [1, 2, 3].map((n) => bursts.lullMs({ dtsMs: null, bytes: 100, monotonicMs: 1000 * n }))
    expect(lulls).toEqual([0, 0, 0])
  })
})
