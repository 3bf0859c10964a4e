import { describe, expect, it } from 'vitest'
import { FrameDistances } from '../../../../streams/analysis/frame-distances.ts'

function variable(times: readonly number[], tickMs = 0.01): boolean {
  const distances = new FrameDistances(tickMs)
  for (const ptsMs of times) distances.add(ptsMs, 100 * ptsMs)
  return distances.end().variable
}
const every = (stepMs: number, count = 300) => Array.from({ length: count }, (_, n) => n * stepMs)

describe('FrameDistances', () => {
  it('one rate is none, whatever the container rounds to', () => {
    expect(variable(every(40))).toBe(false)
    expect(variable(every(1000 / 30))).toBe(false)
    // Matroska: whole milliseconds, distances of 8 and 9 at 120 a second.
    expect(variable(every(1000 / 120).map(Math.round), 1)).toBe(false)
  })

  it('B-frames come out of order, and are at one rate', () => {
    const decodeOrder = every(40).flatMap((_, n, all) =>
      n % 4 === 1 ? [all[n + 3] ?? [], all[n]!, all[n + 1] ?? [], all[n + 2] ?? []].flat() : n === 0 ? [0] : [],
    )
    expect(decodeOrder.length).toBeGreaterThan(290)
    expect(variable(decodeOrder)).toBe(false)
  })

  it('pictures that come when something happens are at a variable one; a gap or two is not', () => {
    let ptsMs = 0
    expect(variable(every(0).map((_, n) => (ptsMs += n % 7 < 3 ? 33 : 66)))).toBe(true)
    expect(variable([...every(40), 20_000])).toBe(false)
    expect(variable(every(40).map((each) => each + 0.004 * each ** 1.5))).toBe(true)
  })

  it('a handful of pictures, or none, is at no variable rate', () => {
    expect([variable([]), variable([0]), variable([0, 40]), variable([0, 40, 90])]).toEqual([
      false,
      false,
      false,
      false,
    ])
  })

  it('pictures that are missing are told with the place behind them, at one rate only', () => {
    const gaps = (times: readonly number[]) => {
      const distances = new FrameDistances(0.01)
      for (const [n, ptsMs] of times.entries()) distances.add(ptsMs, n === 7 ? null : 1000 * n)
      return distances.end().gaps
    }
    const holes = every(40, 600).filter((_, n) => (n < 5 || n > 14) && (n < 40 || n > 42) && n !== 60)
    expect(gaps(holes)).toEqual([{ ptsMs: 160, ms: 440, byte: 5000 }])
    expect(gaps(every(40))).toEqual([])
    expect(gaps(every(40).filter((_, n) => n % 10 < 4))).toEqual([])
  })
})
