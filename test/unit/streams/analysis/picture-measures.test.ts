/** Block means, median, motion ratio and quality, against values computed another way. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LumaView } from '../../../../core/frame.ts'
import { type BlockGrid, blockMeans, medianGreyLevel } from '../../../../streams/analysis/difference.ts'
import { measureQuality } from '../../../../streams/analysis/measures/quality.ts'
import { MotionModel } from '../../../../streams/analysis/motion.ts'

const pictures = fc
  .record({
    width: fc.integer({ min: 3, max: 40 }),
    height: fc.integer({ min: 3, max: 30 }),
    padding: fc.integer({ min: 0, max: 9 }),
    seed: fc.uint8Array({ minLength: 64, maxLength: 64 }),
  })
  .map(({ width, height, padding, seed }): LumaView => {
    const stride = width + padding
    const data = Uint8Array.from({ length: stride * height }, (_, i) => (seed[i % 64]! * 31 + i * 17) % 256)
    return { width, height, stride, data }
  })

const rows = ({ data, width, height, stride }: LumaView) =>
  Array.from({ length: height }, (_, y) => Array.from(data.subarray(y * stride, y * stride + width)))
const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length

describe('blockMeans', () => {
  it('is the mean of each whole 8×8 block, whatever the stride', () => {
    fc.assert(
      fc.property(pictures, (luma) => {
        const grid = blockMeans(luma)
        const pixels = rows(luma)
        const expected: number[] = []
        for (let by = 0; by + 8 <= luma.height; by += 8) {
          for (let bx = 0; bx + 8 <= luma.width; bx += 8) {
            expected.push(mean(pixels.slice(by, by + 8).flatMap((row) => row.slice(bx, bx + 8))))
          }
        }
        expect([grid.columns, grid.rows]).toEqual([Math.floor(luma.width / 8), Math.floor(luma.height / 8)])
        expect(Array.from(grid.means)).toEqual(expected.map(Math.fround))
      }),
    )
  })
})

describe('medianGreyLevel', () => {
  it('is the lower median of the rounded values', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -255, max: 255 }), { minLength: 1, maxLength: 50 }), (values) => {
        const sorted = [...values].sort((a, b) => a - b)
        expect(medianGreyLevel(Float32Array.from(values))).toBe(sorted[Math.floor((values.length - 1) / 2)])
      }),
    )
  })

  it('is 0 of nothing', () => {
    expect(medianGreyLevel(new Float32Array())).toBe(0)
  })
})

describe('measureQuality', () => {
  it('is the variance of the Laplacian, without the border, and the grey levels, of every third row', () => {
    fc.assert(
      fc.property(pictures, (luma) => {
        const pixels = rows(luma)
        const levels = pixels.filter((_, y) => y % 3 === 0).flat()
        const laplacians: number[] = []
        for (let y = 1; y < luma.height - 1; y += 3) {
          for (let x = 1; x < luma.width - 1; x++) {
            const v = (dx: number, dy: number) => pixels[y + dy]![x + dx]!
            laplacians.push(v(-1, 0) + v(1, 0) + v(0, -1) + v(0, 1) - 4 * v(0, 0))
          }
        }
        const centre = mean(laplacians)
        const quality = measureQuality(luma)
        expect(quality.laplacianVariance).toBeCloseTo(mean(laplacians.map((l) => (l - centre) ** 2)), 5)
        expect(quality.meanLuma).toBeCloseTo(mean(levels), 8)
        expect(quality.darkRatio).toBeCloseTo(levels.filter((v) => v <= 16).length / levels.length, 8)
        expect(quality.brightRatio).toBeCloseTo(levels.filter((v) => v >= 235).length / levels.length, 8)
      }),
    )
  })

  it('knows a checkerboard: Laplacian ±4·255', () => {
    const data = Uint8Array.from({ length: 100 }, (_, i) => (((i % 10) + Math.floor(i / 10)) % 2 === 0 ? 255 : 0))
    const { laplacianVariance, meanLuma } = measureQuality({ width: 10, height: 10, stride: 10, data })
    expect([laplacianVariance, meanLuma]).toEqual([1020 ** 2, 127.5])
  })

  it('is finite for a picture without an inside', () => {
    expect(measureQuality({ width: 2, height: 2, stride: 2, data: new Uint8Array(4).fill(99) })).toEqual({
      laplacianVariance: 0,
      meanLuma: 99,
      darkRatio: 0,
      brightRatio: 0,
    })
  })
})

const grid = (means: number[]): BlockGrid => ({ columns: means.length, rows: 1, means: Float32Array.from(means) })
const scene = [10, 50, 90, 130, 170, 210, 40, 80, 120, 160]
const changed = (blocks: number, by: number) => grid(scene.map((v, i) => (i < blocks ? v + by : v)))

describe('MotionModel', () => {
  it('is the share of blocks that differ by more than the threshold', () => {
    for (const blocks of [0, 1, 3]) {
      const model = new MotionModel(18)
      expect(model.step(grid(scene), 0)).toBe(0)
      expect(model.step(changed(blocks, 19), 200)).toBeCloseTo(blocks / 10, 10)
    }
    const model = new MotionModel(18)
    model.step(grid(scene), 0)
    expect(model.step(changed(3, 18), 200)).toBe(0)
  })

  it('does not see what moves all blocks alike', () => {
    const model = new MotionModel(18)
    model.step(grid(scene), 0)
    expect(model.step(changed(10, 40), 200)).toBe(0)
  })

  it('forgets by media time: 63 % after 3 s, however many frames that were', () => {
    // Constant background b, then a block at b + d: the difference left after t is d·exp(−t/3 s).
    const left = (stepMs: number) => {
      const model = new MotionModel(1e-9)
      model.step(grid(scene), 0)
      for (let t = stepMs; t <= 3000; t += stepMs) model.step(changed(2, 100), t)
      // Find the remaining difference by the threshold that it just passes.
      let [low, high] = [0, 100]
      for (let i = 0; i < 30; i++) {
        const mid = (low + high) / 2
        const probe = new MotionModel(mid)
        probe.step(grid(scene), 0)
        for (let t = stepMs; t <= 3000; t += stepMs) probe.step(changed(2, 100), t)
        if (probe.step(changed(2, 100), 3000) > 0) low = mid
        else high = mid
      }
      return low
    }
    for (const stepMs of [100, 200, 1000]) expect(left(stepMs)).toBeCloseTo(100 * Math.exp(-1), 2)
  })

  it('starts anew with a picture of another size', () => {
    const model = new MotionModel(18)
    model.step(grid(scene), 0)
    expect(model.step(grid([0, 255]), 200)).toBe(0)
  })
})
