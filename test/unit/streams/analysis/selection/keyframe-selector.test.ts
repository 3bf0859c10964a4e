import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyframeSelector } from '../../../../../streams/analysis/selection/keyframe-selector.ts'
import type { DecidedFrame, KeyframeCandidate } from '../../../../../streams/analysis/selection/selection-words.ts'
import { Books, candidate, chosen, chosenNumbers, select, spec } from './candidates.ts'
import { layers, type Pose, plane, renderPicture, SIZE } from './layered-scene.ts'

const clip = (count: number, poses: (n: number) => Pose[], walls = layers()) =>
  Array.from({ length: count }, (_, n) => candidate(n, renderPicture(walls, poses(n), { noise: 2, seed: n })))
/** Sub-frames over 0.8 of the time between two candidates: a long exposure. */
const blurred = (pose: (n: number) => Pose, n: number, subFrames: number) =>
  Array.from({ length: subFrames }, (_, k) => pose(n + (0.8 * k) / (subFrames - 1)))
const black = (n: number, light = 2) => {
  const data = new Uint8Array(SIZE.width * SIZE.height).fill(light)
  return candidate(n, { data, width: SIZE.width, height: SIZE.height, stride: SIZE.width })
}
const again = (one: KeyframeCandidate, n: number) => ({ ...one, seq: 3 * n, ptsMs: 100 * n })
const reasonOf = (records: readonly DecidedFrame[], n: number) => records.find(({ seq }) => seq === 3 * n)!.reason

const walk = clip(45, (n) => [{ x: 0.06 * n }])
const walked = select(walk)

describe('a walk past something with depth', () => {
  it('gives keyframes for parallax, of a fundamental matrix', () => {
    const taken = chosen(walked)
    expect(taken.length).toBeGreaterThanOrEqual(4)
    expect(taken.length).toBeLessThanOrEqual(12)
    expect(taken[0]).toMatchObject({ reason: 'first', scene: 0, view: null, links: [] })
    const inner = taken.slice(1, -1)
    expect(inner.filter(({ view }) => view!.model === 'F').length).toBe(inner.length)
    expect(inner.filter(({ reason }) => reason === 'parallax').length).toBeGreaterThan(0)
    expect(new Set(taken.map(({ reason }) => reason))).not.toContain('rotation')
  })

  it('writes one record for each candidate, with a reason and numbers', () => {
    expect(walked.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(walk.map(({ seq }) => seq))
    for (const { evidence } of walked) expect(evidence).toMatch(/\d/)
  })

  it('links each keyframe to the ones before it, newest first, and lets a point be seen in three', () => {
    const taken = chosen(walked)
    for (const [i, { links }] of taken.entries()) {
      expect(links.map(([seq]) => seq)).toEqual(
        taken
          .slice(Math.max(0, i - links.length), i)
          .map(({ seq }) => seq)
          .reverse(),
      )
      if (i >= 2) expect(links[1]![1]).toBeGreaterThan(20)
    }
  })

  it('is selected alike each time', () => {
    expect(select(walk)).toEqual(walked)
  })

  it('holds one candidate at a time, and only as many as are worth encoding', () => {
    const books = new Books()
    const selector = new KeyframeSelector(spec, SIZE)
    let holds = 0
    for (const one of walk) {
      const step = selector.step(one)
      if (step.hold) holds++
      books.enter(step, one.seq)
    }
    expect(books.mostHeld).toBeLessThanOrEqual(2)
    expect(holds).toBeLessThan(3 * chosen(walked).length)
  })

  it('takes more where it moves faster', () => {
    const x = (n: number) => 0.01 * Math.min(n, 20) + 0.12 * Math.max(0, n - 20)
    const numbers = chosenNumbers(select(clip(40, (n) => [{ x: x(n) }])))
    expect(numbers.filter((n) => n > 21).length).toBeGreaterThan(2 * numbers.filter((n) => n > 4 && n <= 21).length)
  })

  it('takes one before a plane as well: a homography, but no turn', () => {
    const taken = chosen(select(clip(30, (n) => [{ x: 0.06 * n }], plane()))).slice(1, -1)
    expect(taken.length).toBeGreaterThanOrEqual(1)
    expect(taken.every(({ view, reason }) => view!.model === 'H' && reason !== 'rotation')).toBe(true)
  })
})

describe('a camera that does not move on', () => {
  const x = (n: number) => 0.06 * (Math.min(n, 12) + Math.max(0, n - 36))
  const records = select(clip(48, (n) => [{ x: x(n) }]))

  it('gives none while it pauses', () => {
    expect(chosenNumbers(records).filter((n) => n > 14 && n < 36)).toEqual([])
    expect(chosenNumbers(records).some((n) => n <= 14)).toBe(true)
    expect(chosenNumbers(records).some((n) => n > 36)).toBe(true)
  })

  it('gives one picture when it never moves, however long; the same one again is a duplicate', () => {
    const still = clip(12, () => [{}])
    const records = select([...Array(10).keys()].flatMap((k) => still.map((one, i) => again(one, 12 * k + i))))
    expect(chosenNumbers(records).length).toBe(1)
    expect(reasonOf(records, 60)).toBe('still')
    const frozen = select(Array.from({ length: 8 }, (_, n) => again(still[0]!, n)))
    expect(reasonOf(frozen, 7)).toBe('duplicate')
  })

  it('flags a turn on the spot, and does not take it for parallax', () => {
    const taken = chosen(select(clip(40, (n) => [{ yaw: 0.02 * n }]))).slice(1, -1)
    expect(taken.length).toBeGreaterThanOrEqual(2)
    expect(taken.every(({ view, reason }) => reason === 'rotation' && view!.model === 'H')).toBe(true)
    expect(taken.every(({ view }) => view!.overlapRatio > 0.4)).toBe(true)
  })

  it('gives the sharp ends of a whip pan', () => {
    const pose = (n: number): Pose => ({ x: 0.05 * n, yaw: 0.9 * Math.max(0, Math.min(1, (n - 14) / 5)) - 0.45 })
    const whip = clip(28, (n) => (n >= 13 && n < 20 ? blurred(pose, n, 24) : [pose(n)]))
    const numbers = chosenNumbers(select(whip))
    expect(numbers.filter((n) => n > 13 && n < 19)).toEqual([])
    expect(numbers.some((n) => n > 4 && n <= 14)).toBe(true)
    expect(numbers.some((n) => n >= 19 && n < 24)).toBe(true)
  })
})

describe('a swing on the way', () => {
  const pose = (n: number): Pose => ({ x: 0.03 * n, yaw: 0.1 * (Math.max(0, Math.min(18, n - 6)) - 9) })
  /** The shutter is open for a twelfth of the time between two candidates. */
  const open = (n: number) => Array.from({ length: 7 }, (_, k) => pose(n + (k / 6 - 0.5) / 12))
  const inSwing = (records: readonly DecidedFrame[]) =>
    chosen(records).filter(({ seq }) => seq > 3 * 8 && seq <= 3 * 24)

  it('gives no more pictures for being blurred: a soft one waits until it is nearly due', () => {
    const blurred = inSwing(select(clip(30, open, layers(4))))
    const sharp = inSwing(select(clip(30, (n) => [pose(n)], layers(4))))
    expect(blurred.length).toBeGreaterThanOrEqual(4)
    expect(blurred.length).toBeLessThanOrEqual(sharp.length)
  })
})

describe('pictures that are not fit', () => {
  it('passes over a blurred one for a sharp neighbour', () => {
    const pose = (n: number): Pose => ({ x: 0.06 * n, pitch: 0.05 * Math.sin(2 * n) })
    const records = select(
      clip(36, (n) => (n % 2 === 1 ? blurred((at) => ({ ...pose(n), pitch: 0.08 * (at - n) }), n, 6) : [pose(n)])),
    )
    const numbers = chosenNumbers(records)
    expect(numbers.length).toBeGreaterThanOrEqual(3)
    expect(numbers.filter((n) => n % 2 === 1)).toEqual([])
  })

  it('takes none of a black stretch, and begins a sequence after it', () => {
    const dark = Array.from({ length: 20 }, (_, n) => black(n + 15))
    const after = clip(15, (n) => [{ x: 0.06 * n }], layers(9)).map((one, n) => again(one, n + 35))
    const records = select([...walk.slice(0, 15), ...dark, ...after])
    expect(chosenNumbers(records).filter((n) => n >= 15 && n < 35)).toEqual([])
    expect(reasonOf(records, 20)).toBe('dark')
    const second = chosen(records).filter(({ scene }) => scene === 1)
    expect(second[0]).toMatchObject({ reason: 'first', links: [] })
  })

  it('is not thrown by one picture of something else', () => {
    const flash = candidate(20, renderPicture(layers(30), [{}]))
    const records = select(walk.map((one, n) => (n === 20 ? flash : one)))
    expect(chosenNumbers(records)).not.toContain(20)
    expect(new Set(records.map(({ scene }) => scene))).toEqual(new Set([0]))
  })

  it('waits while the exposure jumps', () => {
    const gain = (n: number) => (n === 10 || n === 11 ? 1.6 : 1)
    const clipped = Array.from({ length: 24 }, (_, n) =>
      candidate(n, renderPicture(layers(), [{ x: 0.06 * n }], { gain: gain(n), noise: 2, seed: n })),
    )
    const records = select(clipped)
    expect(reasonOf(records, 10)).toBe('exposure')
    expect(reasonOf(records, 12)).toBe('exposure')
  })
})

describe('sequences', () => {
  const other = clip(15, (n) => [{ x: 0.06 * n }], layers(20)).map((one, n) => again(one, n + 20))

  it('begins one at a cut that it is told of', () => {
    const records = select([...walk.slice(0, 20), ...other.map((one) => ({ ...one, scene: 1 }))])
    expect(records.every(({ seq, scene }) => scene === (seq < 60 ? 0 : 1))).toBe(true)
    expect(chosen(records).find(({ scene }) => scene === 1)).toMatchObject({ reason: 'first', view: null, links: [] })
  })

  it('begins one at a cut that it sees by itself', () => {
    const records = select([...walk.slice(0, 20), ...other])
    expect(chosen(records).find(({ scene }) => scene === 1)).toMatchObject({ reason: 'first', links: [] })
    expect(chosen(records).filter(({ seq, scene }) => scene === 1 && seq < 60)).toEqual([])
  })

  it('takes the picture that somebody asks for', () => {
    const asked = walk.slice(0, 20).map((one, n) => ({ ...one, wanted: n === 9 }))
    expect(chosen(select(asked)).find(({ seq }) => seq === 27)).toMatchObject({ reason: 'trigger' })
    expect(chosen(select([{ ...black(0), wanted: true }]))).toMatchObject([{ reason: 'trigger' }])
  })

  it('bears pictures that are left out, and none at all', () => {
    expect(chosen(select(walk.filter((_, n) => n % 3 === 0))).length).toBeGreaterThanOrEqual(3)
    expect(select([])).toEqual([])
    expect(chosen(select([black(0), black(1)]))).toEqual([])
  })
})

describe('a checkpoint', () => {
  it('goes on as without an interruption', () => {
    const parts = [...walk.slice(0, 30), ...Array.from({ length: 4 }, (_, n) => black(30 + n)), ...walk.slice(34)]
    const cut = parts.map((one) => ({ ...one, ptsMs: 3 * one.ptsMs }))
    const whole = run(cut, () => false)
    expect(whole.checkpoints.length).toBeGreaterThan(2)
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: whole.checkpoints.length, maxLength: 60 }), (stops) => {
        expect(run(cut, (k) => stops[k] === true).records).toEqual(whole.records)
      }),
      { numRuns: 2 },
    )
  })

  it('is to be had every few seconds, while the camera goes on and on', () => {
    const slow = walk.map((one) => ({ ...one, ptsMs: 3 * one.ptsMs }))
    const at = [0]
    const selector = new KeyframeSelector(spec, SIZE)
    for (const one of slow) {
      selector.step(one)
      if (selector.checkpointable) at.push(one.ptsMs)
    }
    expect(Math.max(...at.slice(1).map((ms, i) => ms - at[i]!))).toBeLessThan(7000)
    expect(at.at(-1)).toBeGreaterThan(6000)
  })

  it('is of a few hundred bytes a point', () => {
    const { checkpoints } = run(walk, () => false)
    expect(Math.max(...checkpoints.map(({ length }) => length))).toBeLessThan(400 * spec.tracks)
  })

  /** Ends the selector's life at the checkpoints that `stops` names, and begins another from its state. */
  function run(candidates: readonly KeyframeCandidate[], stops: (checkpoint: number) => boolean) {
    let selector = new KeyframeSelector(spec, SIZE)
    const records: DecidedFrame[] = []
    const checkpoints: string[] = []
    for (const one of candidates) {
      records.push(...selector.step(one).records)
      if (!selector.checkpointable) continue
      const state = selector.state()
      if (stops(checkpoints.length)) selector = KeyframeSelector.resume(spec, SIZE, state, one.luma)
      checkpoints.push(state)
    }
    records.push(...selector.finish().records)
    return { records, checkpoints }
  }
})
