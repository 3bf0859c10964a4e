import { describe, expect, test } from 'vitest'
import { type Affine, applyAffine } from '../../../core/geometry.ts'
import { similarityTransform, templatePoints, warpRgb } from '../../../models/align.ts'
import fixture from '../../fixtures/align/align.json' with { type: 'json' }

const point = ([x, y]: number[]) => ({ x: x!, y: y! })

describe('similarityTransform', () => {
  test.for(fixture.transforms)('equals Umeyama by singular values: $kind', ({ from, to, affine }) => {
    const found = similarityTransform(from.map(point), to.map(point))
    for (const [index, value] of found.entries()) expect(value).toBeCloseTo(affine[index]!, 6)
  })

  test('maps template points onto themselves', () => {
    const points = templatePoints([[0.25, 0.5], [0.75, 0.5], [0.5, 1]], 128) // biome-ignore format: as it is meant
    expect(points[0]).toEqual({ x: 32, y: 64 })
    const same = similarityTransform(points, points)
    for (const p of points) {
      expect(applyAffine(same, p).x).toBeCloseTo(p.x, 9)
      expect(applyAffine(same, p).y).toBeCloseTo(p.y, 9)
    }
  })

  test('refuses landmarks that coincide', () => {
    const same = Array.from({ length: 5 }, () => ({ x: 3, y: 4 }))
    const apart = same.map((_, n) => ({ x: n, y: 2 * n }))
    expect(() => similarityTransform(same, apart)).toThrow(expect.objectContaining({ code: 'ENG_POISON' }))
  })
})

describe('warpRgb', () => {
  const picture = { ...fixture.picture, data: Uint8Array.from(fixture.picture.data) }

  test.for(fixture.warps)('equals a bilinear warp by numpy: $kind', ({ affine, size, crop }) => {
    const found = warpRgb(picture, affine as unknown as Affine, size)
    expect(found).toMatchObject({ width: size, height: size })
    expect(found.data.length).toBe(crop.length)
    for (const [index, value] of crop.entries()) expect(Math.abs(found.data[index]! - value)).toBeLessThan(0.5001)
  })

  test('an integer shift copies pixels as they are', () => {
    const found = warpRgb(picture, [1, 0, 5, 0, 1, 3], 4)
    expect(found.data[0]).toBe(picture.data[3 * 24 + 5])
    expect(found.data[2 * 16 + 15]).toBe(picture.data[2 * 18 * 24 + 6 * 24 + 8])
  })
})
