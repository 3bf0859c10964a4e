import { describe, expect, it } from 'vitest'
import type { BlockGrid } from '../../../../streams/analysis/difference.ts'
import { SceneCuts } from '../../../../streams/analysis/scene-cut.ts'

const COLUMNS = 80
const ROWS = 45

/** Smooth noise that is one scene for one seed; `shift` in blocks. */
function scene(seed: number, shift = 0): BlockGrid {
  const means = new Float32Array(COLUMNS * ROWS)
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      const x = column + shift
      const waves = [1, 2, 3, 4, 5].map((n) => {
        const [a, b, c] = [noise(seed, n), noise(seed, n + 10), noise(seed, n + 20)]
        return Math.sin(x * (0.2 + a) + row * (0.2 + b) + 6 * c)
      })
      means[row * COLUMNS + column] = 128 + 20 * waves.reduce((sum, wave) => sum + wave, 0)
    }
  }
  return { columns: COLUMNS, rows: ROWS, means }
}

const noise = (seed: number, n: number) => {
  const value = Math.sin(seed * 127.1 + n * 311.7) * 43758.5453
  return value - Math.floor(value)
}
const mapped = (grid: BlockGrid, change: (value: number, index: number) => number): BlockGrid => ({
  ...grid,
  means: grid.means.map(change),
})
const flat = (value: number) => mapped(scene(1), () => value)
const cuts = (...grids: BlockGrid[]) => {
  const model = new SceneCuts()
  return grids.map((grid) => model.step(grid))
}

describe('SceneCuts', () => {
  it('another scene is a cut, once; the first picture and the same again are none', () => {
    expect(cuts(scene(1), scene(1), scene(2), scene(2), scene(1))).toEqual([false, false, true, false, true])
  })

  it('light that goes, comes and doubles its contrast is none', () => {
    const dim = mapped(scene(1), (value) => 20 + 0.25 * value)
    const bright = mapped(scene(1), (value) => Math.min(255, 40 + 1.3 * value))
    expect(cuts(scene(1), dim, bright, dim, scene(1))).toEqual([false, false, false, false, false])
  })

  it('a covered lens, a flash, the dark say nothing, and what comes after is compared with what was before', () => {
    expect(cuts(scene(1), flat(0), flat(255), scene(1))).toEqual([false, false, false, false])
    expect(cuts(scene(1), flat(0), scene(2))).toEqual([false, false, true])
  })

  it('a camera that turns by 8 blocks shows the same scene; what fills half of the picture moves through it', () => {
    expect(cuts(scene(1), scene(1, 8))).toEqual([false, false])
    const other = scene(3).means
    const half = mapped(scene(1), (value, index) => (index % COLUMNS < COLUMNS / 2 ? other[index]! : value))
    expect(cuts(scene(1), half, scene(1))).toEqual([false, false, false])
  })

  it('a picture of another size begins anew without a cut', () => {
    const small: BlockGrid = { columns: 4, rows: 3, means: new Float32Array(12).map((_, i) => (i * 37) % 200) }
    expect(cuts(scene(1), small, scene(1), { columns: 0, rows: 0, means: new Float32Array() })).toEqual([
      false,
      false,
      false,
      false,
    ])
  })
})
