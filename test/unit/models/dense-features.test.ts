import { describe, expect, it } from 'vitest'
import type { ModelTensor } from '../../../models/adapter.ts'
import { adapterFor } from '../../../models/adapters.ts'
import { viewFromResult } from '../../../models/dense-features.ts'
import { loadManifest, type ModelEntry, parseManifest } from '../../../models/manifest.ts'
import { checkSignature } from '../../../models/model-fitness.ts'

const xfeat = loadManifest().models.find(({ id }) => id === 'xfeat')!
const D = 4
/** Patches of 8 px, sides padded to 32. */
const map: ModelEntry = { ...xfeat, dimension: D }
const tokens: ModelEntry = {
  ...map,
  patches: { output: 'tokens', layout: 'tokens', patchPx: 8, skipTokens: 2, weight: null },
}
const picture = { width: 40, height: 20 }
/** Of the tensor, 64 × 32, and of the picture in it, 40 × 20. */
const [columns, rows, across, down] = [8, 4, 5, 3]
const GARBAGE = 1e6

/** Number k of the patch at (x, y) of picture n; garbage where the padding is. */
const descriptor = (n: number, x: number, y: number, k: number) =>
  x < across && y < down ? ((x * 3 + y * 5 + k * 7 + n) % 11) - 4 : k === 0 ? GARBAGE : -GARBAGE

function tensor(dims: number[], value: (at: number[]) => number): ModelTensor {
  const length = dims.reduce((product, size) => product * size, 1)
  const data = Float32Array.from({ length }, (_, i) => {
    let rest = i
    const at = [...dims].reverse().map((size) => {
      const index = rest % size
      rest = Math.floor(rest / size)
      return index
    })
    return value(at.reverse())
  })
  return { dims, data }
}

const mapOutputs = (weight: (x: number, y: number) => number) => ({
  descriptors: tensor([2, D, rows, columns], ([n, k, y, x]) => descriptor(n!, x!, y!, k!)),
  reliability: tensor([2, 1, rows, columns], ([, , y, x]) => weight(x!, y!)),
})
const tokenOutputs = {
  tokens: tensor([2, 2 + rows * columns, D], ([n, t, k]) =>
    t! < 2 ? GARBAGE * (k! + 1) : descriptor(n!, (t! - 2) % columns, Math.floor((t! - 2) / columns), k!),
  ),
}

/** Mean of the unit descriptors of the patches that show the picture, by their weights, as a unit vector. */
function expectedMean(n: number, weight: (x: number, y: number) => number): number[] {
  const mean = new Array<number>(D).fill(0)
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      const own = mean.map((_, k) => descriptor(n, x, y, k))
      for (const [k, value] of own.entries()) mean[k]! += (weight(x, y) * value) / Math.hypot(...own)
    }
  }
  return mean.map((value) => value / Math.hypot(...mean))
}

describe('the patches that are taken', () => {
  const even = () => 1
  const uneven = (x: number, y: number) => (x === 2 ? 0.8 : 0.1 * y)

  it.each([
    ['of a map', map, mapOutputs(even), even],
    ['of a map with weights', map, mapOutputs(uneven), uneven],
    ['of tokens, without the class and register tokens', tokens, tokenOutputs, even],
  ] as const)('%s are those of the picture, not of the padding nor of another picture', (_, entry, outputs, weight) => {
    for (const n of [0, 1]) {
      const view = viewFromResult(adapterFor(entry).unpack(outputs, n, picture, {}))
      for (const [k, value] of expectedMean(n, weight).entries()) expect(view.descriptor[k]).toBeCloseTo(value, 5)
    }
  })

  it('are the same from a map and from tokens', () => {
    const [byMap, byTokens] = [adapterFor(map), adapterFor(tokens)]
    const one = byMap.unpack(mapOutputs(even), 1, picture, {})
    expect(byTokens.unpack(tokenOutputs, 1, picture, {})).toEqual(one)
  })

  it('are at most 256, spread over the picture', () => {
    // 48 × 48 of them: every third, from the second on. All others differ.
    const [w, h] = [384, 384]
    const outputs = {
      tokens: tensor([1, 2 + 48 * 48, D], ([, t, k]) => (((t! - 2) % 48) % 3 === 1 ? k! + 1 : (t! * (k! + 1)) % 7)),
    }
    const { data } = adapterFor(tokens).unpack(outputs, 0, { width: w, height: h }, {})
    expect(data[2]).toBeLessThan(1e-6)
  })

  it('a file of one size gets larger pictures made smaller', () => {
    const fixed = { ...tokens, input: { ...tokens.input, fixedSidePx: 64 } }
    const large = { width: 128, height: 64, data: new Uint8Array(3 * 128 * 64).fill(9) }
    expect(adapterFor(fixed).pack([large]).dims).toEqual([1, 3, 64, 64])
    // 64 × 32 of it shows the picture: four rows of eight.
    const outputs = {
      tokens: tensor([1, 2 + 64, D], ([, t, k]) => (t! < 2 || t! >= 2 + 32 ? GARBAGE * k! : k! + 1)),
    }
    expect(adapterFor(fixed).unpack(outputs, 0, large, {}).data[2]).toBeLessThan(1e-6)
  })

  it.each([
    ['is not there', {}],
    ['has other dimensions', { tokens: { dims: [1, 34, D + 1], data: new Float32Array(34 * (D + 1)) } }],
    ['has another number of patches', { tokens: { dims: [1, 33, D], data: new Float32Array(33 * D) } }],
  ])('an output that %s is an error', (_, outputs) => {
    expect(() => adapterFor(tokens).unpack(outputs, 0, picture, {})).toThrow(/the output tokens is .*, not \[N,34,4\]/)
  })
})

describe('an entry', () => {
  const text = (change: object) => {
    const manifest = { version: 1, models: [{ ...structuredClone(xfeat), ...change }] }
    return JSON.stringify(manifest)
  }

  it.each([
    ['patches', { patches: null }],
    ['dimension', { dimension: null }],
    ['patches', { input: { ...xfeat.input, multipleOfPx: 12 } }],
    ['patches', { input: { ...xfeat.input, fixedSidePx: 100 } }],
  ])('is refused for its %s: %o', (key, change) => {
    expect(() => parseManifest(text(change))).toThrow(
      expect.objectContaining({ code: 'MDL_INVALID', message: expect.stringContaining(`models.0.${key}`) }),
    )
    expect(() => parseManifest(text({}))).not.toThrow()
  })

  const input = [{ name: 'in', isTensor: true, type: 'float32', shape: ['N', 3, 'H', 'W'] }]
  const output = (name: string, ...shape: (number | string)[]) => ({ name, isTensor: true, type: 'float32', shape })

  it.each([
    [map, [output('descriptors', 'N', D, 'h', 'w'), output('reliability', 'N', 1, 'h', 'w')], null],
    [
      map,
      [output('descriptors', 'N', 9, 'h', 'w'), output('reliability', 'N', 1, 'h', 'w')],
      /descriptors is \[N,9,h,w\]/,
    ],
    [map, [output('descriptors', 'N', D, 'h', 'w')], /reliability is no tensor/],
    [tokens, [output('tokens', 'N', 'T', D)], null],
    [tokens, [output('tokens', 'N', 'T', 5)], /tokens is \[N,T,5\]/],
    [tokens, [output('tokens', 'N', D, 'h', 'w')], /tokens is \[N,4,h,w\]/],
  ] as const)('is compared with the file’s outputs', (entry, outputs, problem) => {
    const check = () => checkSignature(entry, input, outputs)
    if (problem === null) expect(check).not.toThrow()
    else
      expect(check).toThrow(expect.objectContaining({ code: 'MDL_MISMATCH', message: expect.stringMatching(problem) }))
  })
})
