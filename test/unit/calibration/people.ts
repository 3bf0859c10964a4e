/** People and tracks made of directions in space, the same for the same seed. Test support. */
import type { CalibrationData } from '../../../src/calibration/calibration-data.ts'

/** Park and Miller's generator; numbers in (0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

export function unit(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values)
  return Float32Array.from(values, (value) => value / length)
}

/** `each` embeddings around a random direction for each person; the more `spread`, the less a person is like themselves. */
export function somePeople(count: number, each: number, { spread = 0.8, seed = 7, dimension = 16 } = {}) {
  const random = randomFrom(seed)
  const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
  return Array.from({ length: count }, (_, index): CalibrationData['people'][number] => {
    const centre = Array.from({ length: dimension }, normal)
    const embeddings = Array.from({ length: each }, () => unit(centre.map((value) => value + spread * normal())))
    return { subject: `person-${index}`, embeddings }
  })
}
