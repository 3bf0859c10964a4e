import { describe, expect, it } from 'vitest'
import type { LumaView } from '../../../../core/frame.ts'
import type { Gated } from '../../../../streams/graph-item.ts'
import { MotionGate, motionGate } from '../../../../streams/operators/motion-gate.ts'
import { randomOf } from '../../../support/seeded-random.ts'
import { patchwork, plain, Run, Studio } from '../studio.ts'

const SIDE = 160
const STEP_MS = 200

const draw = (valueAt: (x: number, y: number) => number): LumaView => {
  const luma = plain(0, SIDE, SIDE)
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) luma.data[y * SIDE + x] = Math.max(0, Math.min(255, valueAt(x, y)))
  }
  return luma
}

const still = () => draw((x, y) => 60 + ((x + y) % 100))
/** The same scene with a bright square at `left`. */
const withSquare = (left: number) =>
  draw((x, y) => (x >= left && x < left + 24 && y >= 40 && y < 64 ? 230 : 60 + ((x + y) % 100)))

interface Setting {
  enabled?: boolean
  quietMs?: number
}

/** Pushes pictures 200 ms apart; what goes on, the events, what `finish` says. */
function play(pictures: readonly LumaView[], { enabled = true, quietMs = 1000 }: Setting = {}) {
  const studio = new Studio({ analysis: { motion: { enabled, minAreaRatio: 0.01, pixelThreshold: 18, quietMs } } })
  const gate = new MotionGate(studio.services)
  const run = new Run<Gated>((frames) => frames.pipe(motionGate(gate, studio.services)))
  for (const [index, picture] of pictures.entries()) run.frames.next(studio.frame(index * STEP_MS, picture)!)
  run.frames.complete()
  const passed = run.out.map(({ frame }) => frame.info.ptsMs)
  expect(studio.leases).toBe(passed.length)
  expect(studio.ledger.skipped.gate ?? 0).toBe(pictures.length - passed.length)
  const told = run.out.flatMap(({ events }) => events)
  return { passed, told, finish: gate.finish(), phases: told.map(({ data, ptsMs }) => [phaseOf(data), ptsMs]) }
}

const phaseOf = (data: object) => (data as { phase: string }).phase
const times = <T>(n: number, make: (index: number) => T) => Array.from({ length: n }, (_, index) => make(index))

describe('motionGate', () => {
  it('counts scenes: one more at each cut, and the number stays with the frames behind it', () => {
    const studio = new Studio()
    const run = new Run<Gated>((frames) => frames.pipe(motionGate(new MotionGate(studio.services), studio.services)))
    for (const [index, seed] of [1, 1, 2, 2, 1].entries()) run.frames.next(studio.frame(index * 33, patchwork(seed))!)
    expect(run.out.map(({ scene }) => scene)).toEqual([0, 0, 1, 1, 2])
  })

  it('a still scene: one look a second, no event', () => {
    const { passed, told, finish } = play(times(16, still))
    expect(passed).toEqual([0, 1000, 2000, 3000])
    expect([told, finish]).toEqual([[], []])
  })

  it('sensor noise is not motion', () => {
    const noise = randomOf(1)
    const noisy = times(20, () => draw((x, y) => 60 + ((x + y) % 100) + (noise() - 0.5) * 40))
    const { told, passed } = play(noisy)
    expect(told).toEqual([])
    expect(passed).toEqual([0, 1000, 2000, 3000])
  })

  it('a light switch and a passing cloud are not motion', () => {
    const dimmed = (by: number) => draw((x, y) => 100 + ((x + y) % 60) - by)
    const switched = [...times(5, () => dimmed(0)), ...times(10, () => dimmed(60))]
    const cloud = times(15, (i) => dimmed(i * 4))
    expect(play(switched).told).toEqual([])
    expect(play(cloud).told).toEqual([])
  })

  it('a moving block starts a motion at once, keeps the gate open, and ends after the quiet period', () => {
    // Still until 800 ms, then it moves through until 1600 ms, then it is gone.
    const scene = [...times(5, still), ...times(4, (i) => withSquare(8 + 30 * i)), ...times(15, still)]
    const { phases, told, passed } = play(scene)
    expect(phases.map(([phase]) => phase)).toEqual(['start', 'end'])
    expect(phases[0]?.[1]).toBe(1000)
    expect(told[0]?.key).toBe('e-5/start')
    expect(told[1]?.key).toBe('e-5/end')
    const endMs = Number(phases[1]?.[1])
    expect(endMs).toBeGreaterThanOrEqual(1600 + 1000)
    const during = times(100, (i) => i * STEP_MS).filter((at) => at >= 1000 && at <= endMs)
    expect(passed.filter((at) => at >= 1000 && at <= endMs)).toEqual(during)
    // Closed again: only looks, a second apart.
    expect(passed.filter((at) => at > endMs).every((at) => (at - endMs) % 1000 === 0)).toBe(true)
  })

  it('a pause shorter than the quiet period does not end the motion', () => {
    const scene = [...times(3, still), withSquare(8), ...times(3, still), withSquare(100), ...times(2, still)]
    expect(play(scene).phases).toEqual([['start', 600]])
    expect(play(scene, { quietMs: 300 }).phases.length).toBeGreaterThan(2)
  })

  it('finish ends a motion that the input cuts off, at the last frame, and only once', () => {
    const { phases, finish } = play([...times(3, still), ...times(3, (i) => withSquare(8 + 40 * i))])
    expect(phases).toEqual([['start', 600]])
    expect(finish).toMatchObject([{ key: 'e-3/end', ptsMs: 1000, data: { phase: 'end' } }])
    expect(play([still(), withSquare(20), ...times(20, still)]).finish).toEqual([])
  })

  it('what stays becomes background: a parked object does not keep the gate open', () => {
    const { told } = play([...times(3, still), ...times(100, () => withSquare(60))])
    expect(told.map(({ data }) => phaseOf(data))).toEqual(['start', 'end'])
  })

  it('switched off it lets everything through, and still tells of motion', () => {
    const scene = [...times(4, still), ...times(3, (i) => withSquare(8 + 40 * i))]
    const { passed, phases } = play(scene, { enabled: false })
    expect(passed).toHaveLength(scene.length)
    expect(phases).toEqual([['start', 800]])
  })

  it('the same pictures give the same events', () => {
    const scene = times(40, (i) => (i % 9 < 4 ? withSquare(5 * i) : still()))
    expect(play(scene).told).toEqual(play(scene).told)
  })

  it('a picture that cannot be made small ends the stream, and its lease', () => {
    const studio = new Studio()
    const run = new Run<Gated>((frames) => frames.pipe(motionGate(new MotionGate(studio.services), studio.services)))
    const frame = studio.frame(0)!
    Object.defineProperty(frame, 'luma', {
      get() {
        throw new Error('scaler')
      },
    })
    run.frames.next(frame)
    expect(run.ended).toEqual({ error: expect.objectContaining({ message: 'scaler' }) })
    expect(studio.leases).toBe(0)
  })
})
