import { describe, expect, test } from 'vitest'
import { shrink, sizeWithin } from '../../../models/shrink.ts'

describe('sizeWithin', () => {
  test.for([
    [1280, 960, 640, 480],
    [360, 1280, 180, 640],
    [640, 360, 640, 360],
    [2000, 1, 640, 1],
  ])('%i×%i becomes %i×%i', ([width, height, w, h]) => {
    expect(sizeWithin({ width: width!, height: height! }, 640)).toEqual({ width: w, height: h })
  })
})

describe('shrink', () => {
  const picture = (width: number, height: number, value: (c: number, x: number, y: number) => number) => {
    const data = new Uint8Array(3 * width * height)
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) data[(c * height + y) * width + x] = value(c, x, y)
    return { width, height, data }
  }

  test('averages whole blocks, each colour by itself', () => {
    const found = shrink(
      picture(4, 2, (c, x, y) => 50 * c + 10 * x + y),
      { width: 2, height: 1 },
    )
    expect(found).toEqual({ width: 2, height: 1, data: Uint8Array.from([6, 26, 56, 76, 106, 126]) })
  })

  test('shares a pixel that lies across two, by area', () => {
    // 3 px onto 2: each takes one and a half.
    const found = shrink(
      picture(3, 1, (_, x) => [0, 90, 210][x]!),
      { width: 2, height: 1 },
    )
    expect([...found.data.subarray(0, 2)]).toEqual([30, 170])
  })

  test.for([
    [1280, 720, 640, 360],
    [1000, 77, 640, 49],
    [641, 641, 640, 640],
    [7, 5, 3, 2],
  ])('a plain picture of %i×%i stays as bright', ([width, height, w, h]) => {
    const found = shrink(
      picture(width!, height!, (c) => 40 + c),
      { width: w!, height: h! },
    )
    for (let c = 0; c < 3; c++) {
      expect(new Set(found.data.subarray(c * w! * h!, (c + 1) * w! * h!))).toEqual(new Set([40 + c]))
    }
  })
})
