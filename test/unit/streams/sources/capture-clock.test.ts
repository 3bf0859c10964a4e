/** Captured times against the truth of a simulated camera; the bounds are what the clock's doc promises. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Arrival, CaptureClock, type CaptureMoment } from '../../../../streams/sources/capture-clock.ts'
import { type SimulatedArrival, type Simulation, simulate } from './simulated-camera.ts'

const WALL_MS = 1_700_000_000_000

const calm: Simulation = {
  seed: 1,
  seconds: 60,
  fps: 25,
  driftPpm: 0,
  baseDelayMs: 80,
  jitterMs: 5,
  stallChance: 0,
  stallMs: 0,
  wallMs: WALL_MS,
}

const anyCamera: fc.Arbitrary<Simulation> = fc.record({
  seed: fc.integer(),
  seconds: fc.constant(400),
  fps: fc.constantFrom(1, 5, 10, 25),
  driftPpm: fc.integer({ min: -500, max: 500 }),
  baseDelayMs: fc.integer({ min: 0, max: 300 }),
  jitterMs: fc.integer({ min: 0, max: 40 }),
  stallChance: fc.constantFrom(0, 0.0005, 0.003),
  stallMs: fc.integer({ min: 0, max: 5000 }),
  wallMs: fc.constant(WALL_MS),
})

const mapAll = (arrivals: readonly Arrival[], clock = new CaptureClock()) =>
  arrivals.map((arrival) => clock.map(arrival))

/** Captured − (true capture + what every picture takes at the least), ms. */
function errors(arrivals: readonly SimulatedArrival[], moments: readonly CaptureMoment[], baseDelayMs = 80): number[] {
  return moments.map(({ capturedAtMs }, i) => capturedAtMs - WALL_MS - arrivals[i]!.trulyMs - baseDelayMs)
}

const worst = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

/** The largest step back; 0 when there is none. */
function backward(moments: readonly CaptureMoment[]): number {
  return moments.reduce((most, { capturedAtMs }, i) => {
    return i === 0 ? 0 : Math.max(most, moments[i - 1]!.capturedAtMs - capturedAtMs)
  }, 0)
}

describe('CaptureClock by arrivals', () => {
  it('takes queues, jitter and drift out: 25 ms around the least delay after 10 s, the drift to 30 ppm after 5 min', () => {
    fc.assert(
      fc.property(anyCamera, (camera) => {
        const arrivals = simulate(camera)
        const clock = new CaptureClock()
        const moments = mapAll(arrivals, clock)
        expect(worst(errors(arrivals, moments, camera.baseDelayMs).slice(10 * camera.fps))).toBeLessThan(25)
        expect(Math.abs(clock.driftPpm! - camera.driftPpm)).toBeLessThan(30)
        expect(moments.some(({ discontinuity }) => discontinuity)).toBe(false)
        expect(backward(moments)).toBe(0)
        const early = moments.map(({ capturedAtMs }, i) => capturedAtMs - arrivals[i]!.arrivedAtMs)
        // Date.now() is cut to whole ms.
        expect(Math.max(...early)).toBeLessThanOrEqual(1)
      }),
      { numRuns: 60 },
    )
  })

  it('knows no drift in the first minute, and then one', () => {
    const arrivals = simulate({ ...calm, seconds: 90, driftPpm: 200 })
    const clock = new CaptureClock()
    mapAll(arrivals.slice(0, 60 * 25), clock)
    expect(clock.driftPpm).toBeNull()
    mapAll(arrivals.slice(60 * 25), clock)
    expect(clock.driftPpm).toBeCloseTo(200, -2)
  })

  it('follows a burst at the start, where the camera sends what it has kept', () => {
    const arrivals = simulate({ ...calm, jitterMs: 0 }).map((arrival) => {
      // Everything of the first 4 s comes in 400 ms.
      const monotonicMs = Math.max(arrival.monotonicMs, 4080 + arrival.trulyMs / 10)
      return { ...arrival, monotonicMs, arrivedAtMs: WALL_MS + monotonicMs }
    })
    const moments = mapAll(arrivals)
    expect(worst(errors(arrivals, moments).slice(5 * 25))).toBeLessThan(1)
    expect(backward(moments)).toBe(0)
    expect(moments.some(({ discontinuity }) => discontinuity)).toBe(false)
  })

  it('goes on by the moments of arrival when the PTS stands still or is not there, and comes back to it', () => {
    const arrivals = simulate(calm)
    for (const stuck of [arrivals[500]!.ptsMs, null]) {
      const moments = mapAll(arrivals.map((a, i) => ({ ...a, ptsMs: i > 500 && i <= 1000 ? stuck : a.ptsMs })))
      expect(backward(moments)).toBe(0)
      expect(worst(errors(arrivals, moments).slice(1000))).toBeLessThan(60)
      expect(moments[1000]!.mediaMs).toBeCloseTo(40_000, -2)
    }
  })

  it('does without any PTS at all', () => {
    const arrivals = simulate(calm)
    const moments = mapAll(arrivals.map((a) => ({ ...a, ptsMs: null })))
    expect(worst(errors(arrivals, moments))).toBeLessThan(60)
    expect(moments.at(-1)!.mediaMs).toBeCloseTo(60_000, -3)
  })

  it('takes B-frames in decode order for what they are', () => {
    const arrivals = simulate({ ...calm, jitterMs: 0 })
    // P B B: the P comes two pictures early in the file, and is sent when the camera has it.
    const decodeOrder = arrivals.map((a, i) => ({ ...a, ptsMs: a.ptsMs + (i % 3 === 0 ? 80 : -40) }))
    const moments = mapAll(decodeOrder)
    expect(moments.some(({ discontinuity }) => discontinuity)).toBe(false)
    const byPts = moments.map((m, i) => ({ ...m, ptsMs: decodeOrder[i]!.ptsMs })).sort((a, b) => a.ptsMs - b.ptsMs)
    expect(backward(byPts.slice(25))).toBeLessThan(0.001)
  })

  it('follows a delay that has become longer for good, without a step', () => {
    const arrivals = simulate({ ...calm, seconds: 300 }).map((a) => {
      const laterMs = a.trulyMs > 60_000 ? 200 : 0
      return { ...a, monotonicMs: a.monotonicMs + laterMs, arrivedAtMs: a.arrivedAtMs + laterMs }
    })
    const moments = mapAll(arrivals)
    const steps = moments.slice(1).map(({ capturedAtMs }, i) => capturedAtMs - moments[i]!.capturedAtMs)
    expect(Math.max(...steps.slice(25))).toBeLessThan(43)
    expect(worst(errors(arrivals, moments, 280).slice(-25))).toBeLessThan(25)
  })
})

describe('CaptureClock and PTS that jump', () => {
  const jumps: [string, number][] = [
    ['ahead by 5 s', 5000],
    ['ahead by ten hours', 36_000_000],
    ['back by 5 s', -5000],
    ['back to zero', -5_030_000],
    ['by the wrap of 33 bits at 90 kHz', -(2 ** 33) / 90],
  ]
  for (const [name, byMs] of jumps) {
    it(`${name}: says so once, and time goes on`, () => {
      const arrivals = simulate({ ...calm, driftPpm: 100, seconds: 120 })
      const moments = mapAll(arrivals.map((a, i) => ({ ...a, ptsMs: a.ptsMs + (i >= 750 ? byMs : 0) })))
      expect(moments.flatMap(({ discontinuity }, i) => (discontinuity ? [i] : []))).toEqual([750])
      expect(backward(moments)).toBe(0)
      expect(worst(errors(arrivals, moments).slice(250))).toBeLessThan(50)
      const media = moments.slice(1).map(({ mediaMs }, i) => mediaMs - moments[i]!.mediaMs)
      expect(Math.min(...media)).toBeGreaterThan(0)
      expect(Math.max(...media)).toBeLessThan(100)
    })
  }

  it('sees no jump where pictures are missing, as many as the time says', () => {
    const arrivals = simulate(calm).filter(({ trulyMs }) => trulyMs < 20_000 || trulyMs > 35_000)
    const moments = mapAll(arrivals)
    expect(moments.some(({ discontinuity }) => discontinuity)).toBe(false)
    expect(worst(errors(arrivals, moments).slice(250))).toBeLessThan(25)
  })

  it('maps a PTS again without its arrival', () => {
    const arrivals = simulate(calm)
    const clock = new CaptureClock()
    const moments = mapAll(arrivals, clock)
    const again = clock.at(arrivals.at(-10)!.ptsMs)
    expect(again.mediaMs).toBeCloseTo(moments.at(-10)!.mediaMs, 6)
    expect(again.capturedAtMs).toBeCloseTo(moments.at(-10)!.capturedAtMs, 0)
  })
})

describe('CaptureClock and a wall clock that is set', () => {
  for (const byMs of [5 * 3_600_000, -5 * 3_600_000]) {
    it(`by ${byMs / 3_600_000} h: answers by the new time at once, and the stream is whole`, () => {
      const arrivals = simulate(calm).map((a, i) => ({ ...a, arrivedAtMs: a.arrivedAtMs + (i >= 700 ? byMs : 0) }))
      const moments = mapAll(arrivals)
      const set = moments.map((m, i) => ({ ...m, capturedAtMs: m.capturedAtMs - (i >= 700 ? byMs : 0) }))
      expect(worst(errors(arrivals, set).slice(250))).toBeLessThan(25)
      expect(backward(moments.slice(700))).toBe(0)
      expect(moments.some(({ discontinuity }) => discontinuity)).toBe(false)
    })
  }

  it('by a fifth of a second back: no answer comes before the one before it', () => {
    const arrivals = simulate(calm).map((a, i) => ({ ...a, arrivedAtMs: a.arrivedAtMs - (i >= 700 ? 200 : 0) }))
    expect(backward(mapAll(arrivals))).toBe(0)
  })
})

describe('CaptureClock with sender reports', () => {
  const withSender = (arrivals: SimulatedArrival[], offMs: (i: number) => number) =>
    arrivals.map((a, i) => ({ ...a, senderAtMs: WALL_MS + a.trulyMs + offMs(i) }))

  it('takes the camera at its word: the true moment of capture, the least delay included', () => {
    const clock = new CaptureClock()
    const arrivals = withSender(simulate({ ...calm, baseDelayMs: 400, driftPpm: 300 }), () => 0)
    const moments = mapAll(arrivals, clock)
    expect(clock.basis).toBe('sender')
    expect(worst(errors(arrivals, moments, 0).slice(25 * 25))).toBeLessThan(5)
    expect(backward(moments)).toBe(0)
  })

  it.each([
    ['is hours off', () => 3 * 3_600_000],
    ['is minutes off', () => -180_000],
    ['lies in the future', () => 5000],
    ['starts at 1970', () => -WALL_MS],
    ['is never the same', (i: number) => (i % 40 < 20 ? 0 : 900)],
  ])('does not believe a camera whose clock %s', (_, offMs) => {
    const clock = new CaptureClock()
    const arrivals = withSender(simulate(calm), offMs)
    const moments = mapAll(arrivals, clock)
    expect(clock.basis).toBe('arrival')
    expect(worst(errors(arrivals, moments).slice(250))).toBeLessThan(25)
  })

  it('lets go of a camera whose clock is set to nonsense, and takes it back', () => {
    const clock = new CaptureClock()
    const wrong = (i: number) => i >= 500 && i < 1000
    const arrivals = withSender(simulate(calm), (i) => (wrong(i) ? 7_200_000 : 0))
    mapAll(arrivals.slice(0, 500), clock)
    expect(clock.basis).toBe('sender')
    const astray = mapAll(arrivals.slice(500, 1000), clock)
    expect(clock.basis).toBe('arrival')
    expect(worst(errors(arrivals.slice(500, 1000), astray, 40))).toBeLessThan(60)
    mapAll(arrivals.slice(1000), clock)
    expect(clock.basis).toBe('sender')
  })
})

it('a first picture without a PTS is one frame before the second, whenever that arrives', () => {
  const clock = new CaptureClock(40)
  const arrivals = [null, 120, 160].map((ptsMs, n) => ({ ptsMs, arrivedAtMs: 1000 + n, monotonicMs: n }))
  expect(arrivals.map((arrival) => clock.map(arrival).mediaMs)).toEqual([0, 40, 80])
})
