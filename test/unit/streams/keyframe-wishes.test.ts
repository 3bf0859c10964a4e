/** Keyframes that somebody asked for. */
import { expect, it } from 'vitest'
import type { FrameInfo } from '../../../core/frame.ts'
import { KeyframeWishes } from '../../../streams/keyframe-wishes.ts'

const at = (capturedAtMs: number) => ({ capturedAtMs }) as FrameInfo

it('a picture that was captured before the wish is not the one that is meant', () => {
  const wishes = new KeyframeWishes()
  wishes.add('door', 1000)
  wishes.add('bell', 1100)
  expect(wishes.fulfilledBy(at(990), 1010)).toEqual([])
  expect(wishes.fulfilledBy(at(1030), 1120)).toEqual(['door'])
  expect(wishes.fulfilledBy(at(1110), 1200)).toEqual(['bell'])
  expect(wishes.fulfilledBy(at(1200), 1300)).toEqual([])
})

it('a camera whose clock is behind shows what it has after five seconds', () => {
  const wishes = new KeyframeWishes()
  wishes.add('door', 10_000)
  expect(wishes.fulfilledBy(at(1000), 14_999)).toEqual([])
  expect(wishes.fulfilledBy(at(2000), 15_000)).toEqual(['door'])
})

it('who asks too often asks for the same picture', () => {
  const wishes = new KeyframeWishes()
  for (let n = 0; n < 1000; n++) wishes.add(`wish ${n}`, 0)
  expect(wishes.fulfilledBy(at(1), 1)).toHaveLength(16)
})
