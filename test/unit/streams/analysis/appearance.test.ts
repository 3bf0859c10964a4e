import { describe, expect, it } from 'vitest'
import type { YuvView } from '../../../../core/frame.ts'
import type { Box } from '../../../../core/geometry.ts'
import { type Appearance, blend, describeFaces, difference } from '../../../../streams/analysis/appearance.ts'

const WIDTH = 320
const HEIGHT = 240

type Paint = (x: number, y: number) => { luma: number; cb?: number; cr?: number }

/** A picture from what stands at each px. */
function picture(paint: Paint): YuvView {
  const luma = new Uint8Array(WIDTH * HEIGHT)
  const cb = new Uint8Array((WIDTH * HEIGHT) / 4).fill(128)
  const cr = cb.slice()
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const colour = paint(x, y)
      luma[y * WIDTH + x] = colour.luma
      const at = (y >> 1) * (WIDTH / 2) + (x >> 1)
      cb[at] = colour.cb ?? 128
      cr[at] = colour.cr ?? 128
    }
  }
  return { luma: { width: WIDTH, height: HEIGHT, stride: WIDTH, data: luma }, chroma: { cb, cr, stride: WIDTH / 2 } }
}

const box: Box = { x: 140, y: 40, width: 40, height: 48 }
const inBox = (x: number, y: number) => x >= 140 && x < 180 && y >= 40 && y < 88
/** A face of stripes above clothes of one colour. */
const person =
  (period: number, clothes: { luma: number; cb: number; cr: number }, gain = 1, offset = 0): Paint =>
  (x, y) => {
    if (inBox(x, y)) return { luma: offset + gain * (100 + 60 * Math.sin((2 * Math.PI * (x - 140)) / period)) }
    return y > 95 ? clothes : { luma: 120 }
  }
const orange = { luma: 150, cb: 60, cr: 170 }
const black = { luma: 30, cb: 126, cr: 130 }
const lookAt = (paint: Paint, at = box): Appearance => describeFaces(picture(paint), [at])[0]!

describe('looks of a face', () => {
  it('a face is a unit signature without its mean, a chest a histogram that sums to 1', () => {
    const { face, chest, doubtful } = lookAt(person(40, orange))
    expect(face).toHaveLength(64)
    expect(face.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 4)
    expect(Math.hypot(...face)).toBeCloseTo(1, 5)
    expect(chest!.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5)
    // One colour: one bin. Luma 150 is bin 4, Cb 60 the lowest, Cr 170 the highest.
    expect([...chest!.entries()].filter(([, value]) => value > 0)).toEqual([[(4 * 4 + 0) * 4 + 3, 1]])
    expect(doubtful).toBe(false)
  })

  it('the same again is no difference; more light is none for the face; another face, other clothes count', () => {
    const seen = lookAt(person(40, orange))
    expect(difference(seen, lookAt(person(40, orange)))).toBeCloseTo(0, 3)
    expect(difference(seen, lookAt(person(40, orange, 0.5, 20)))).toBeLessThan(0.05)
    const [face, clothes] = [difference(seen, lookAt(person(20, orange))), difference(seen, lookAt(person(40, black)))]
    expect(face).toBeGreaterThan(1)
    expect(clothes).toBeGreaterThan(1)
    // Each alone is no proof (1.75), both together are.
    expect(Math.max(face, clothes)).toBeLessThan(1.75)
    expect(difference(seen, lookAt(person(20, black)))).toBeGreaterThan(2)
  })

  it('a chest below the picture is no evidence either way', () => {
    const low = { ...box, y: 200, height: 36 }
    const seen = lookAt(person(40, orange), low)
    expect(seen.chest).toBeUndefined()
    expect(difference(seen, lookAt(person(40, orange)))).toBeGreaterThan(0.3)
    expect(blend(lookAt(person(40, orange)), seen, 0.3).chest).toEqual(lookAt(person(40, orange)).chest)
  })

  it('is doubtful beside another person and at the edge of the picture', () => {
    const doubts = (...boxes: Box[]) =>
      describeFaces(picture(person(40, orange)), boxes).map(({ doubtful }) => doubtful)
    expect(doubts(box, { ...box, x: 60 })).toEqual([true, true])
    expect(doubts({ ...box, x: 60 }, { ...box, x: 230 })).toEqual([false, false])
    expect(doubts({ ...box, x: 10 })).toEqual([true])
    expect(doubts({ ...box, x: 270 })).toEqual([true])
    expect(doubts({ ...box, y: -5 })).toEqual([true])
  })

  it('a box outside of the picture, or without an extent, is described all the same', () => {
    for (const odd of [
      { x: -500, y: -500, width: 40, height: 40 },
      { x: 310, y: 230, width: 400, height: 400 },
      { x: 10, y: 10, width: 0, height: 0 },
    ]) {
      const { face } = lookAt(person(40, orange), odd)
      expect([...face].every(Number.isFinite)).toBe(true)
    }
  })

  it('memory moves towards what is seen, and stays a unit signature', () => {
    const [a, b] = [lookAt(person(40, orange)), lookAt(person(20, black))]
    const mixed = blend(a, b, 0.3)
    expect(difference(mixed, a)).toBeLessThan(difference(mixed, b))
    expect(Math.hypot(...mixed.face)).toBeCloseTo(1, 5)
    expect(mixed.chest!.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5)
  })
})
