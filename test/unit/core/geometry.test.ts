import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Affine,
  applyAffine,
  type Box,
  clipBox,
  composeAffine,
  invertAffine,
  iou,
  scaleBox,
} from '../../../core/geometry.ts'

const coordinate = fc.double({ min: -1000, max: 1000, noNaN: true })
const side = fc.double({ min: 0.5, max: 1000, noNaN: true })
const boxes: fc.Arbitrary<Box> = fc.record({ x: coordinate, y: coordinate, width: side, height: side })
const affines = fc.tuple(coordinate, coordinate, coordinate, coordinate, coordinate, coordinate)

test('iou of known pairs', () => {
  const unit = { x: 0, y: 0, width: 2, height: 2 }
  expect(iou(unit, unit)).toBe(1)
  expect(iou(unit, { x: 1, y: 1, width: 2, height: 2 })).toBeCloseTo(1 / 7, 12)
  expect(iou(unit, { x: 0, y: 0, width: 1, height: 2 })).toBe(0.5)
  expect(iou(unit, { x: 2, y: 0, width: 2, height: 2 })).toBe(0)
  expect(iou(unit, { x: 0, y: 5, width: 2, height: 2 })).toBe(0)
})

test('iou is symmetric, between 0 and 1, and does not change when both boxes are scaled', () => {
  fc.assert(
    fc.property(boxes, boxes, (a, b) => {
      const value = iou(a, b)
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThanOrEqual(1 + 1e-9)
      expect(iou(b, a)).toBeCloseTo(value, 9)
      expect(iou(scaleBox(a, 2, 3), scaleBox(b, 2, 3))).toBeCloseTo(value, 6)
    }),
  )
})

test('a composed map does what its parts do, inner first', () => {
  const turn: Affine = [0, -1, 0, 1, 0, 0]
  const shift: Affine = [1, 0, 10, 0, 1, 0]
  expect(applyAffine(composeAffine(shift, turn), { x: 1, y: 2 })).toEqual({ x: 8, y: 1 })
  expect(applyAffine(composeAffine(turn, shift), { x: 1, y: 2 })).toEqual({ x: -2, y: 11 })
})

test('an inverse undoes its map; a singular map has none', () => {
  expect(invertAffine([1, 2, 5, 2, 4, 7])).toBeUndefined()
  fc.assert(
    fc.property(affines, coordinate, coordinate, (m, x, y) => {
      fc.pre(Math.abs(m[0] * m[4] - m[1] * m[3]) > 1)
      const back = applyAffine(invertAffine(m)!, applyAffine(m, { x, y }))
      expect(Math.abs(back.x - x)).toBeLessThan(1e-2)
      expect(Math.abs(back.y - y)).toBeLessThan(1e-2)
    }),
  )
})

test('clipping keeps what is inside and leaves nothing of what is outside', () => {
  const size = { width: 100, height: 50 }
  expect(clipBox({ x: -10, y: -10, width: 30, height: 30 }, size)).toEqual({ x: 0, y: 0, width: 20, height: 20 })
  expect(clipBox({ x: 90, y: 40, width: 30, height: 30 }, size)).toEqual({ x: 90, y: 40, width: 10, height: 10 })
  expect(clipBox({ x: -50, y: 10, width: 20, height: 5 }, size).width).toBe(0)
  expect(clipBox({ x: 120, y: 10, width: 20, height: 5 }, size).width).toBe(0)
  const inside = { x: 1, y: 2, width: 3, height: 4 }
  expect(clipBox(inside, size)).toEqual(inside)
})
