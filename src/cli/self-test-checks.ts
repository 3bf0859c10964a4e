/**
 * What a self-test finds out without any picture: that a model answers the same to the same, something else to something
 * else, and in a batch what it answers alone. Runs in commands.
 */
import type { RgbPicture } from '../../core/frame.ts'
import { adapterFor } from '../../models/adapters.ts'
import type { SelfTestRig } from './self-test-rig.ts'

/** Cosine above which two embeddings are one: the model does not look at its input. */
const CONSTANT_COSINE = 0.9999
const UNIT_TOLERANCE = 1e-4
/** Of a GPU; on a CPU a batch is bit-exact (docs/decisions.md). */
const BATCH_TOLERANCE = 1e-3
const BATCH = 4

export interface Check {
  check: string
  ok: boolean
  /** The figure behind it. */
  detail: string
}

export async function syntheticChecks(rig: SelfTestRig): Promise<Check[]> {
  const size = adapterFor(rig.entry).warmUpSize
  const noise = Array.from({ length: BATCH }, (_, n) => noisePicture(size, n + 1))
  const alone: Float32Array[] = []
  for (const picture of noise) alone.push(...(await rig.infer([picture])))
  const [again] = await rig.infer([noise[0]!])
  const together = await rig.infer([...noise, ...noise])
  const same = largestDifference([again!], [alone[0]!])
  const batch = largestDifference(together, [...alone, ...alone])
  const checks: Check[] = [
    { check: 'the same answer twice', ok: same === 0, detail: `largest difference ${same}` },
    rig.entry.input.maxBatch === 1
      ? { check: 'a batch of 4', ok: true, detail: 'not asked: the file takes one picture at a time' }
      : {
          check: 'a batch answers as one alone',
          ok: batch <= BATCH_TOLERANCE,
          detail: `largest difference ${show(batch)}`,
        },
  ]
  if (rig.entry.kind !== 'face-embedder') return checks
  const lengths = alone.map((vector) => Math.sqrt(cosine(vector, vector)))
  const [flat] = await rig.infer([gradient(size)])
  const alike = cosine(alone[0]!, flat!)
  checks.push(
    {
      check: `embeddings of ${rig.entry.dimension} numbers`,
      ok: alone.every((vector) => vector.length === rig.entry.dimension),
      detail: `${alone[0]!.length}`,
    },
    {
      check: 'of length 1',
      ok: lengths.every((length) => Math.abs(length - 1) < UNIT_TOLERANCE),
      detail: lengths[0]!.toFixed(6),
    },
    { check: 'another answer to another picture', ok: alike < CONSTANT_COSINE, detail: `cosine ${show(alike)}` },
  )
  return checks
}

interface Size {
  width: number
  height: number
}

function noisePicture({ width, height }: Size, seed: number): RgbPicture {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  }
  return { width, height, data: Uint8Array.from({ length: 3 * width * height }, next) }
}

function gradient({ width, height }: Size): RgbPicture {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, n) => ((n % width) * 255) / width)
  return { width, height, data }
}

function largestDifference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let most = 0
  for (const [index, vector] of a.entries()) {
    const other = b[index]!
    if (vector.length !== other.length) return Number.POSITIVE_INFINITY
    for (let i = 0; i < vector.length; i++) most = Math.max(most, Math.abs(vector[i]! - other[i]!))
  }
  return most
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0)
}

const show = (value: number) => (value === 0 ? '0' : value.toPrecision(3))
