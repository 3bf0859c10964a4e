/** Who loses rate and who gets it back: invariants over any sequence of samples, and a box of limited size around the policy. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CameraLoad, LoadPolicy, type LoadSample, type LoadVerdict } from '../../../actors/load-policy.ts'

const limits = { windowMs: 2000, calmMs: 10_000, minShare: 0.125 }

interface Cam {
  id: string
  priority: number
  active: boolean
}

const cams = (...priorities: number[]): Cam[] =>
  priorities.map((priority, i) => ({ id: `c${i}`, priority, active: true }))

/** One sample each second. */
class Rig {
  readonly policy = new LoadPolicy(limits)
  nowMs = 0

  step(cameras: readonly Cam[], kind: LoadVerdict['state']): LoadVerdict {
    this.nowMs += 1000
    const cpuBusyShare = { overload: 1, strained: 0.98, calm: 0.3 }[kind]
    const dropped = kind === 'overload' ? 3 : 0
    const sample: LoadSample = {
      nowMs: this.nowMs,
      cameras: cameras.map((cam) => ({ ...cam, analysed: 5, dropped })),
      engine: null,
      cpuBusyShare,
    }
    const verdict = this.policy.step(sample)
    expect(verdict.state).toBe(cameras.length === 0 && kind === 'overload' ? 'strained' : kind)
    return verdict
  }

  /** The shares after so many seconds of it. */
  after(cameras: readonly Cam[], kind: LoadVerdict['state'], seconds: number): number[] {
    let verdict = this.step(cameras, kind)
    for (let s = 1; s < seconds; s++) verdict = this.step(cameras, kind)
    return cameras.map(({ id }) => verdict.shares.get(id)!)
  }
}

const anyCams = fc
  .array(fc.record({ priority: fc.integer({ min: 0, max: 4 }), active: fc.boolean() }), { minLength: 1, maxLength: 6 })
  .map((list): Cam[] => list.map((cam, i) => ({ ...cam, id: `c${i}` })))
const anyHistory = fc.array(
  fc.record({
    cameras: anyCams,
    kind: fc.constantFrom('overload', 'overload', 'strained', 'calm') as fc.Arbitrary<LoadVerdict['state']>,
    seconds: fc.integer({ min: 1, max: 30 }),
  }),
  { minLength: 1, maxLength: 12 },
)

function expectOrdered(cameras: readonly Cam[], { shares }: LoadVerdict): void {
  const byPriority = [...cameras].sort((a, b) => a.priority - b.priority)
  const values = byPriority.map(({ id }) => shares.get(id)!)
  for (const [i, cam] of byPriority.entries()) {
    expect(values[i]).toBeGreaterThanOrEqual(limits.minShare)
    expect(values[i]).toBeLessThanOrEqual(1)
    const next = byPriority[i + 1]
    if (!next) continue
    if (next.priority === cam.priority) expect(values[i + 1]).toBe(values[i])
    else expect(values[i + 1]).toBeGreaterThanOrEqual(values[i]!)
  }
}

describe('LoadPolicy', () => {
  it('never gives a higher priority less than a lower one, whatever comes and goes', () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        const rig = new Rig()
        for (const { cameras, kind, seconds } of history) {
          for (let s = 0; s < seconds; s++) expectOrdered(cameras, rig.step(cameras, kind))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('takes more and more under overload that stays, the next priority only when those below have no more to give', () => {
    fc.assert(
      fc.property(anyHistory, anyCams, (history, cameras) => {
        const rig = new Rig()
        for (const { cameras: others, kind, seconds } of history) rig.after(others, kind, seconds)
        let before = rig.step(cameras, 'strained').shares
        for (let s = 0; s < 60; s++) {
          const { shares } = rig.step(cameras, 'overload')
          for (const cam of cameras) {
            expect(shares.get(cam.id)).toBeLessThanOrEqual(before.get(cam.id)!)
            if (shares.get(cam.id) === before.get(cam.id) || !cam.active) continue
            const below = cameras.filter((other) => other.active && other.priority < cam.priority)
            for (const other of below) expect(before.get(other.id)).toBe(limits.minShare)
          }
          before = shares
        }
        for (const cam of cameras) if (cam.active) expect(before.get(cam.id)).toBe(limits.minShare)
        expect(rig.step(cameras, 'overload').exhausted).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('gives everything back after calm, highest priority first', () => {
    fc.assert(
      fc.property(anyHistory, anyCams, (history, cameras) => {
        const rig = new Rig()
        for (const { cameras: others, kind, seconds } of history) rig.after(others, kind, seconds)
        let before = rig.step(cameras, 'calm').shares
        // 7 gifts for each priority, the first waits longest.
        for (let s = 0; s < 160 + 5 * 7 * 10 + 150 + 20; s++) {
          const { shares } = rig.step(cameras, 'calm')
          for (const cam of cameras) {
            expect(shares.get(cam.id)).toBeGreaterThanOrEqual(before.get(cam.id)!)
            if (shares.get(cam.id) === before.get(cam.id)) continue
            const above = cameras.filter((other) => other.priority > cam.priority)
            for (const other of above) expect(before.get(other.id)).toBe(1)
          }
          before = shares
        }
        for (const { id } of cameras) expect(before.get(id)).toBe(1)
      }),
      { numRuns: 25 },
    )
  })

  it('halves the lowest, down to the floor, and then the next', () => {
    const rig = new Rig()
    const cameras = cams(1, 1, 5)
    const seen = Array.from({ length: 7 }, () => rig.after(cameras, 'overload', 2).join(' '))
    // The first sample has nothing before it.
    expect(rig.after(cameras, 'overload', 1)).toEqual([0.125, 0.125, 0.125])
    expect(seen).toEqual([
      '1 1 1',
      '0.5 0.5 1',
      '0.25 0.25 1',
      '0.125 0.125 1',
      '0.125 0.125 0.5',
      '0.125 0.125 0.25',
      '0.125 0.125 0.125',
    ])
  })

  it('passes over those who do nothing now, and leaves them no more than it takes to', () => {
    const rig = new Rig()
    const cameras = [{ id: 'idle', priority: 0, active: false }, ...cams(3, 9)]
    expect(rig.after(cameras, 'overload', 3)).toEqual([0.125, 0.5, 1])
  })

  it('gives a new one below no more than what is sure above: the last gift may be taken back yet', () => {
    const rig = new Rig()
    const high = cams(5)
    expect(rig.after(high, 'overload', 3)).toEqual([0.5])
    while (rig.after(high, 'calm', 1)[0] !== 1);
    const both: Cam[] = [...high, { id: 'new', priority: 1, active: true }]
    expect(rig.after(both, 'overload', 2)).toEqual([0.875, 0.125])
  })

  it('bears a short overload, and does not forget a long one for a second between', () => {
    const rig = new Rig()
    const cameras = cams(1)
    rig.after(cameras, 'calm', 5)
    expect(rig.after(cameras, 'overload', 1)).toEqual([1])
    expect(rig.after(cameras, 'calm', 1)).toEqual([1])
    expect(rig.after(cameras, 'overload', 1)).toEqual([1])
    expect(rig.after(cameras, 'strained', 1)).toEqual([1])
    expect(rig.after(cameras, 'overload', 1)).toEqual([0.5])
  })

  it('takes a gift back as it was, and waits longer each time before the next', () => {
    const rig = new Rig()
    const cameras = cams(1)
    expect(rig.after(cameras, 'overload', 3)).toEqual([0.5])
    const waits: number[] = []
    for (let round = 0; round < 6; round++) {
      let seconds = 1
      while (rig.after(cameras, 'calm', 1)[0] === 0.5) seconds++
      waits.push(seconds)
      expect(rig.after(cameras, 'overload', 2)).toEqual([0.5])
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 160])
  })

  describe('calls it overload', () => {
    const judge = (changes: Partial<Omit<LoadSample, 'cameras'>>, ...loads: Partial<CameraLoad>[]) => {
      const base = { id: 'c', priority: 1, active: true, analysed: 10, dropped: 0 }
      const sample = { nowMs: 0, engine: null, cpuBusyShare: 0.5, cameras: loads.map((load) => ({ ...base, ...load })) }
      return new LoadPolicy(limits).step({ ...sample, ...changes }).state
    }
    const engine = { queueDepth: 4, answered: 50, p50LatencyMs: 100, targetLatencyMs: 200 }

    it('when frames are dropped and the cores or the engine are full', () => {
      expect(judge({ cpuBusyShare: 0.98 }, { dropped: 2 })).toBe('overload')
      expect(judge({ engine: { ...engine, p50LatencyMs: 250 } }, { dropped: 2 })).toBe('overload')
    })

    it('when the engine drowns, drops or no drops; not for what it did before it had nothing to do', () => {
      expect(judge({ engine: { ...engine, p50LatencyMs: 401 } }, {})).toBe('overload')
      expect(judge({ engine: { ...engine, p50LatencyMs: 401, answered: 0, queueDepth: 0 } }, {})).toBe('calm')
    })

    it('not when one camera is too much for itself while the box is idle', () => {
      expect(judge({ cpuBusyShare: 0.5, engine }, { dropped: 8 })).toBe('calm')
    })

    it('not when the cores are full and nobody misses anything', () => {
      expect(judge({ cpuBusyShare: 1 }, {})).toBe('strained')
      expect(judge({ cpuBusyShare: 0.98, engine }, { dropped: 0 })).toBe('strained')
      expect(judge({ cpuBusyShare: 0.92 }, { analysed: 100, dropped: 1 })).toBe('strained')
    })
  })

  it('comes to rest in a box of any size: the high ones whole, few changes, and no capacity left unused', () => {
    const wanted = 5
    fc.assert(
      fc.property(fc.double({ min: 8, max: 60, noNaN: true }), (capacity) => {
        const policy = new LoadPolicy(limits)
        const cameras = cams(1, 1, 1, 3, 3, 3, 7, 7, 7)
        let shares = new Map(cameras.map(({ id }) => [id, 1]))
        let changes = 0
        let overloaded = 0
        for (let s = 1; s <= 3600; s++) {
          const demand = cameras.reduce((sum, { id }) => sum + wanted * shares.get(id)!, 0)
          const served = Math.min(1, capacity / demand)
          const loads = cameras.map((cam) => {
            const asked = wanted * shares.get(cam.id)!
            return { ...cam, analysed: asked * served, dropped: served < 0.999 ? asked * (1 - served) : 0 }
          })
          const cpuBusyShare = Math.min(1, demand / capacity)
          const verdict = policy.step({ nowMs: 1000 * s, cameras: loads, engine: null, cpuBusyShare })
          if (s > 1800) {
            if ([...verdict.shares].some(([id, share]) => shares.get(id) !== share)) changes++
            if (verdict.state === 'overload') overloaded++
          }
          shares = new Map(verdict.shares)
        }
        // A gift each 160 s at most, and 2 s to see that it was too much.
        expect(changes).toBeLessThanOrEqual(24)
        expect(overloaded).toBeLessThanOrEqual(36)
        const demand = cameras.reduce((sum, { id }) => sum + wanted * shares.get(id)!, 0)
        expect(demand).toBeLessThan(capacity * 1.25)
        expect(demand).toBeGreaterThan(Math.min(45, capacity) * 0.6)
      }),
      { numRuns: 15 },
    )
  })
})
