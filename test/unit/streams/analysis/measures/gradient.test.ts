/** Derivatives and corners of pictures whose sides are no multiples of anything. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LumaView } from '../../../../../core/frame.ts'
import { CornerMeter } from '../../../../../streams/analysis/measures/corners.ts'
import { GradientPlane } from '../../../../../streams/analysis/measures/gradient.ts'
import { randomBytes } from './pictures.ts'

const pictures = fc
  .record({ width: fc.integer({ min: 1, max: 50 }), height: fc.integer({ min: 1, max: 20 }), seed: fc.nat() })
  .chain((one) => fc.record({ one: fc.constant(one), padding: fc.nat({ max: 9 }) }))
  .map(({ one, padding }): LumaView => {
    const stride = one.width + padding
    return { ...one, stride, data: randomBytes(stride * one.height, one.seed) }
  })

/** `[gx, gy]`, 0 on the border. */
function derivatives({ data, width, height, stride }: LumaView, x: number, y: number): [number, number] {
  if (x < 1 || y < 1 || x > width - 2 || y > height - 2) return [0, 0]
  const v = (dx: number, dy: number) => data[(y + dy) * stride + x + dx]!
  return [
    v(1, -1) + 2 * v(1, 0) + v(1, 1) - v(-1, -1) - 2 * v(-1, 0) - v(-1, 1),
    v(-1, 1) + 2 * v(0, 1) + v(1, 1) - v(-1, -1) - 2 * v(0, -1) - v(1, -1),
  ]
}

describe('GradientPlane', () => {
  it('has Sobel’s derivatives of every pixel and their squares, and a border of 0, whatever was in it', () => {
    fc.assert(
      fc.property(pictures, (luma) => {
        const plane = new GradientPlane(luma)
        plane.take({ ...luma, data: luma.data.map((value) => 255 - value) })
        plane.take(luma)
        for (let y = 0; y < luma.height; y++) {
          for (let x = 0; x < luma.width; x++) {
            const at = y * plane.rowLength + x
            const [gx, gy] = derivatives(luma, x, y)
            expect([plane.gx[at], plane.gy[at], plane.squares[at]]).toEqual([gx + 0, gy + 0, gx * gx + gy * gy])
          }
        }
      }),
    )
  })
})

describe('CornerMeter', () => {
  it('counts the peaks of the smaller eigenvalue, by a plain reading of the definition', () => {
    fc.assert(
      fc.property(pictures, (luma) => {
        const meter = new CornerMeter(luma)
        meter.gradient.take(luma)
        const { cornerDensity } = meter.measure()
        const [columns, rows] = [luma.width, luma.height].map((px) => Math.max(0, Math.floor((px - 3) / 2)))
        const value = (column: number, row: number): number => {
          if (column < 0 || row < 0 || column >= columns! || row >= rows!) return -1
          let [xx, xy, yy] = [0, 0, 0]
          for (let dy = -1; dy <= 1; dy++) {
            for (let dx = -1; dx <= 1; dx++) {
              const [gx, gy] = derivatives(luma, 2 * column + 2 + dx, 2 * row + 2 + dy)
              xx += gx * gx
              xy += gx * gy
              yy += gy * gy
            }
          }
          return (xx + yy - Math.hypot(xx - yy, 2 * xy)) / 2
        }
        let peaks = 0
        for (let row = 0; row < rows!; row++) {
          for (let column = 0; column < columns!; column++) {
            const own = value(column, row)
            const around = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => value(column + dx, row + dy)))
            around.splice(4, 1)
            if (own >= 16 * 9 * 64 && around.every((other) => own >= other)) peaks++
          }
        }
        expect(cornerDensity).toBeCloseTo((1000 * peaks) / (luma.width * luma.height), 9)
      }),
    )
  })
})
