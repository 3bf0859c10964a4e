import { describe, expect, test } from 'vitest'
import { adapterFor } from '../../../models/adapters.ts'
import { liveFromResult } from '../../../models/liveness.ts'
import { findModel } from '../../../models/manifest.ts'

const size = { width: 80, height: 80 }
const answer = (logits: number[], index = 0) =>
  adapterFor(findModel('minifasnet-v2')).unpack(
    { logits: { data: Float32Array.from(logits), dims: [logits.length / 3, 3] } },
    index,
    size,
    {},
  )

describe('liveness adapter', () => {
  test('takes crops of 80 px, as BGR bytes without normalisation', () => {
    const adapter = adapterFor(findModel('minifasnet-v1se'))
    expect(() => adapter.batchKey({ width: 128, height: 128 })).toThrow('80×80')
    const picture = { ...size, data: Uint8Array.from({ length: 3 * 6400 }, (_, n) => Math.floor(n / 6400) * 100 + 7) }
    const { data, dims } = adapter.pack([picture])
    expect(dims).toEqual([1, 3, 80, 80])
    expect([data[0], data[6400], data[12_800]]).toEqual([207, 107, 7])
  })

  test('answers the softmax of its picture, class 1 being live', () => {
    const result = answer([0, 0, 0, 1, 3, 2], 1)
    expect([...result.data]).toEqual([0.0900306, 0.6652409, 0.2447285].map((p) => expect.closeTo(p, 6)))
    expect(liveFromResult(result)).toBeCloseTo(0.6652409, 6)
    // Far apart logits neither overflow nor become NaN.
    expect(liveFromResult(answer([-500, 500, 0]))).toBe(1)
  })

  test('refuses what is no answer', () => {
    for (const logits of [
      [Number.NaN, 0, 0],
      [0, Number.NaN, 1],
      [0, 0, Number.POSITIVE_INFINITY],
      [1, 2],
    ]) {
      expect(() => answer(logits)).toThrow()
    }
    expect(() => liveFromResult({ rows: 1, columns: 256, data: new Float32Array(256) })).toThrow('1 × 3')
  })
})
