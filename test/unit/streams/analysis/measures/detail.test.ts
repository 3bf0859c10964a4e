/** The sums of fine detail, against a plain reading of the definitions, whatever the size, stride and step. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { LumaView } from '../../../../../core/frame.ts'
import { measureDetail, TILE_COLUMNS, TILE_ROWS, TileTensors } from '../../../../../streams/analysis/measures/detail.ts'
import { randomBytes } from './pictures.ts'

function plainly({ data, width, height, stride }: LumaView, rowStep: number) {
  const tiles = Array.from({ length: TILE_COLUMNS * TILE_ROWS }, () => [0, 0, 0, 0])
  const laplacians: number[] = []
  let tenengrad = 0
  for (let y = 1; y < height - 1; y += rowStep) {
    for (let x = 1; x < width - 1; x++) {
      const v = (dx: number, dy: number) => data[(y + dy) * stride + x + dx]!
      const gx = v(1, -1) + 2 * v(1, 0) + v(1, 1) - v(-1, -1) - 2 * v(-1, 0) - v(-1, 1)
      const gy = v(-1, 1) + 2 * v(0, 1) + v(1, 1) - v(-1, -1) - 2 * v(0, -1) - v(1, -1)
      laplacians.push(v(-1, 0) + v(1, 0) + v(0, -1) + v(0, 1) - 4 * v(0, 0))
      tenengrad += gx * gx + gy * gy
      const row = Math.floor(((y - 1) * TILE_ROWS) / (height - 2))
      // The tile whose span of whole pixels holds x − 1.
      let column = TILE_COLUMNS - 1
      while (Math.floor((column * (width - 2)) / TILE_COLUMNS) > x - 1) column--
      const tile = tiles[row * TILE_COLUMNS + column]!
      for (const [k, value] of [gx * gx, gx * gy, gy * gy, 1].entries()) tile[k]! += value
    }
  }
  const n = Math.max(1, laplacians.length)
  const mean = laplacians.reduce((sum, l) => sum + l, 0) / n
  const variance = laplacians.reduce((sum, l) => sum + (l - mean) ** 2, 0) / n
  return { variance, tenengrad: tenengrad / n, tiles: tiles.flat() }
}

it('is what the definitions say', () => {
  const shape = { width: fc.nat({ max: 300 }), height: fc.nat({ max: 40 }), padding: fc.nat({ max: 9 }) }
  fc.assert(
    fc.property(fc.record({ ...shape, seed: fc.nat(), step: fc.integer({ min: 1, max: 7 }) }), (one) => {
      const stride = one.width + one.padding
      const luma = { ...one, stride, data: randomBytes(stride * one.height, one.seed) }
      const tensors = new TileTensors()
      const { laplacianVariance, tenengrad } = measureDetail(luma, one.step, tensors)
      const expected = plainly(luma, one.step)
      expect(laplacianVariance).toBeCloseTo(expected.variance, 5)
      expect(tenengrad).toBeCloseTo(expected.tenengrad, 5)
      expect([...tensors.sums]).toEqual(expected.tiles)
    }),
  )
})

it('does not overflow where every pixel has the greatest gradient there is', () => {
  // Columns 0, 0, 255, 255: gx = ±1020 everywhere.
  const [width, height] = [1922, 1082]
  const data = Uint8Array.from({ length: width * height }, (_, i) => ((i % width) % 4 < 2 ? 0 : 255))
  const tensors = new TileTensors()
  for (const step of [1, 3]) {
    expect(measureDetail({ width, height, stride: width, data }, step, tensors).tenengrad).toBe(1020 ** 2)
    expect(tensors.sums[0]! / tensors.sums[3]!).toBe(1020 ** 2)
  }
})
