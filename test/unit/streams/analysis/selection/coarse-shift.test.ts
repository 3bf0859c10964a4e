import { describe, expect, it } from 'vitest'
import type { LumaView } from '../../../../../core/frame.ts'
import { CoarseProducts } from '../../../../../streams/analysis/selection/coarse-products.ts'
import { coarseShift } from '../../../../../streams/analysis/selection/coarse-shift.ts'
import { randomIndex } from '../../../../../streams/analysis/two-view/seeded-random.ts'

type Scene = (x: number, y: number) => number

/** Soft blobs on grey: something to see at every place, and nothing twice. */
function blobs(seed: number): Scene {
  const index = randomIndex(seed)
  const random = () => index(1e6) / 1e6
  const all = Array.from({ length: 60 }, () => [160 * random(), 120 * random(), 3 + 7 * random(), 120 * random() - 60])
  return (x, y) =>
    all.reduce((sum, [cx, cy, r, g]) => sum + g! * Math.exp(-((x - cx!) ** 2 + (y - cy!) ** 2) / (2 * r! * r!)), 128)
}

function view(scene: Scene, [left, top]: readonly number[], width: number, height: number, stride = width): LumaView {
  const data = new Uint8Array(stride * height).fill(77)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data[y * stride + x] = Math.max(0, Math.min(255, scene(x + left!, y + top!)))
  }
  return { data, width, height, stride }
}

/** Pearson's coefficient over the common pixels, from their differences to their means. */
function pearson(a: LumaView, b: LumaView, dx: number, dy: number): number {
  const pairs: [number, number][] = []
  for (let y = Math.max(0, -dy); y < Math.min(a.height, a.height - dy); y++) {
    for (let x = Math.max(0, -dx); x < Math.min(a.width, a.width - dx); x++) {
      pairs.push([a.data[y * a.stride + x]!, b.data[(y + dy) * b.stride + x + dx]!])
    }
  }
  const mean = (of: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[of], 0) / pairs.length
  const [p, q] = [mean(0), mean(1)]
  const sum = (of: (a: number, b: number) => number) => pairs.reduce((total, [a, b]) => total + of(a - p, b - q), 0)
  return sum((a, b) => a * b) / Math.sqrt(sum((a) => a * a) * sum((_, b) => b * b))
}

describe('coarseShift', () => {
  // Widths and strides that are no multiple of eight; shifts to each side, and none.
  it.each([
    [40, 23, 40, 6, 3],
    [61, 34, 64, -19, 8],
    [53, 30, 53, 23, -12],
    [79, 44, 80, -35, -19],
    [47, 26, 50, 0, 0],
  ])('of %i×%i px finds (stride %i) the shift of %i, %i, and its correlation', (width, height, stride, dx, dy) => {
    const scene = blobs(width)
    const a = view(scene, [45, 30], width, height, stride)
    const b = view(scene, [45 - dx, 30 - dy], width, height)
    const found = coarseShift(a, b)
    expect([Math.round(found.dx), Math.round(found.dy)]).toEqual([dx, dy])
    expect(found.correlation).toBeCloseTo(pearson(a, b, dx, dy), 9)
  })

  it('has no shift and a low correlation between unrelated pictures, and none in flat ones', () => {
    const a = view(blobs(1), [0, 0], 60, 34)
    expect(coarseShift(a, view(blobs(2), [0, 0], 60, 34)).correlation).toBeLessThan(0.6)
    const flat = view(() => 255, [0, 0], 60, 34)
    expect(coarseShift(flat, flat)).toEqual({ dx: 0, dy: 0, correlation: 0 })
  })

  it('products of a white strip of 2000 rows, more than 32 bits hold', () => {
    const strip = view(() => 255, [0, 0], 41, 2000)
    const products = new CoarseProducts()
    products.compare(strip, strip, 1)
    expect(products.products(0, 2000, 0, 0)).toBe(41 * 2000 * 255 ** 2)
    expect(products.products(0, 1990, -1, 10)).toBe(40 * 1990 * 255 ** 2)
  })
})
