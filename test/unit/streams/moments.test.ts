import { expect, it } from 'vitest'
import { Moments } from '../../../streams/moments.ts'

function takenAt(wanted: number, durationMs: number, stepMs: number): number[] {
  const moments = new Moments(wanted, durationMs)
  const taken: number[] = []
  for (let atMs = 0; atMs < durationMs; atMs += stepMs) if (moments.take(atMs)) taken.push(atMs)
  expect(moments.taken).toBe(taken.length)
  expect(moments.complete).toBe(taken.length === wanted)
  return taken
}

it('takes the middle of each of so many parts', () => {
  expect(takenAt(4, 800, 10)).toEqual([100, 300, 500, 700])
})

it('takes the next frame when there is none in the middle', () => {
  expect(takenAt(2, 1000, 400)).toEqual([400, 800])
})

it('takes every frame of a video that has too few', () => {
  expect(takenAt(8, 300, 100)).toEqual([100, 200])
})

it('takes the first frame when one is enough', () => {
  expect(takenAt(1, 5000, 40)).toEqual([0])
})

it('takes the first frames when the duration is not known', () => {
  const moments = new Moments(2, 0)
  expect([0, 40, 80].map((atMs) => moments.take(atMs))).toEqual([true, true, false])
})
