import { describe, expect, it } from 'vitest'
import { candidate, chosen, chosenNumbers, select } from './candidates.ts'
import { layers, type Pose, renderPicture } from './layered-scene.ts'

const clip = (count: number, poses: (n: number) => Pose[], walls = layers()) =>
  Array.from({ length: count }, (_, n) => candidate(n, renderPicture(walls, poses(n), { noise: 2, seed: n })))

describe('KeyframeSelector', () => {
  it('takes none while the camera pauses', () => {
    const x = (n: number) => 0.05 * (Math.min(n, 20) + Math.max(0, n - 50))
    const numbers = chosenNumbers(select(clip(80, (n) => [{ x: x(n) }])))
    expect(numbers.filter((n) => n > 21 && n < 50)).toEqual([])
    expect(numbers.length).toBeGreaterThanOrEqual(2)
  })

  it('writes one record for each candidate', () => {
    const records = select(clip(40, (n) => [{ x: 0.05 * n }]))
    expect(records.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => 3 * n))
    expect(chosen(records)[0]).toMatchObject({ reason: 'first', scene: 0, view: null, links: [] })
  })
})
