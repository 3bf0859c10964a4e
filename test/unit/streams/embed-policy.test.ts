import { describe, expect, it } from 'vitest'
import { MIN_EMBED_QUALITY, newEmbedHistory, takeEmbedding } from '../../../streams/analysis/embed-policy.ts'

/** When embeddings are taken of faces of the given quality, ms. */
function takenAt(stepMs: number, untilMs: number, quality: (ptsMs: number) => number): number[] {
  const history = newEmbedHistory()
  const taken: number[] = []
  for (let ptsMs = 0; ptsMs <= untilMs; ptsMs += stepMs) {
    if (takeEmbedding(history, quality(ptsMs), ptsMs)) taken.push(ptsMs)
  }
  return taken
}

describe('takeEmbedding', () => {
  it('takes four quickly, 150 ms apart at least, then one a second', () => {
    expect(takenAt(50, 2600, () => 0.5)).toEqual([0, 150, 300, 450, 1450, 2450])
    expect(takenAt(200, 1600, () => 0.5)).toEqual([0, 200, 400, 600, 1600])
  })

  it('takes one more, soon, of a clearly better face', () => {
    expect(takenAt(50, 1000, (ptsMs) => (ptsMs < 700 ? 0.5 : 0.574))).toEqual([0, 150, 300, 450])
    expect(takenAt(50, 1000, (ptsMs) => (ptsMs < 700 ? 0.5 : 0.576))).toEqual([0, 150, 300, 450, 700])
  })

  it('takes none of a face that says nothing', () => {
    expect(takenAt(200, 2000, () => MIN_EMBED_QUALITY - 0.001)).toEqual([])
    expect(takenAt(200, 600, () => MIN_EMBED_QUALITY)).toEqual([0, 200, 400, 600])
  })

  it('a face that says nothing does not delay the next', () => {
    expect(takenAt(100, 300, (ptsMs) => (ptsMs === 100 ? 0 : 0.5))).toEqual([0, 200])
  })
})
