import { describe, expect, it } from 'vitest'
import type { LumaView } from '../../../../../core/frame.ts'
import { isSamePlace, smallCopy } from '../../../../../streams/analysis/shots/same-place.ts'
import { randomOf } from '../../../../support/seeded-random.ts'

const [WIDTH, HEIGHT] = [40, 22]

/** Noise; where `columns` of it come from the right edge of `of`, they are that with so much noise of their own. */
function noise(seed: number, of?: LumaView, columns = 0, own = 0): LumaView {
  const random = randomOf(seed)
  const data = new Uint8Array(WIDTH * HEIGHT)
  for (let at = 0; at < data.length; at++) {
    const x = at % WIDTH
    const value = 255 * random()
    data[at] = of && x < columns ? (1 - own) * of.data[at + WIDTH - columns]! + own * value : value
  }
  return { data, width: WIDTH, height: HEIGHT, stride: WIDTH }
}

describe('isSamePlace', () => {
  const picture = noise(1)

  it('the same with noise, and what a pan leaves of it', () => {
    expect(isSamePlace(picture, noise(2, picture, WIDTH, 0.45))).toBe(true)
    expect(isSamePlace(picture, noise(2, picture, 24, 0.1))).toBe(true)
  })

  it('not another picture; nor one that is alike in the part that a shift finds', () => {
    expect(isSamePlace(picture, noise(2))).toBe(false)
    // A correlation of 0.7: enough for a whole picture.
    expect(isSamePlace(picture, noise(2, picture, 24, 0.5))).toBe(false)
  })
})

it('smallCopy: means of blocks; what fills no block is left out', () => {
  const means = Float32Array.from({ length: 5 * 3 }, (_, n) => n)
  const { width, height, data } = smallCopy({ columns: 5, rows: 3, means }, 2)
  expect([width, height, [...data]]).toEqual([2, 1, [3, 5]])
})
