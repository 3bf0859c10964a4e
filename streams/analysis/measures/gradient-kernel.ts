/**
 * Sobel's derivatives of every pixel of a picture, and their squared magnitude, in WebAssembly. Pure; session host only.
 */
import { type Code, i32, kernel, type Local, repeatWhile, v128, when } from '../../../core/wasm-module.ts'
import { advance, dot, LANES, type RowPointers, type SobelVectors, sobel, VECTOR_BYTES } from './sobel-kernel.ts'

/**
 * Byte addresses but `rows`, at least one, and `full`, the whole vectors of a row. `at` is the pixel to the left of the first of the second
 * row; `gx`, `gy` (int16) and `squares` (int32) are that first one's, in rows of `rowLength` numbers.
 */
export type TakeGradient = (
  at: number,
  strideBytes: number,
  rows: number,
  full: number,
  mask: number,
  gx: number,
  gy: number,
  squares: number,
  rowLength: number,
) => void

const PARAMETERS = 9
const POINTERS = ['above', 'middle', 'below', 'left', 'outX', 'outY', 'outSquares'] as const
const VECTORS = ['gx', 'gy', 'p0', 'p1', 'p2', 'q0', 'q1', 'q2', 'r0', 'r1', 'r2'] as const

export const gradientOn = kernel({
  parameters: PARAMETERS,
  locals: [...POINTERS.map(() => 'i32' as const), ...VECTORS.map(() => 'v128' as const)],
  body: (locals) => takeRows(locals),
})

type Outputs = Record<'outX' | 'outY' | 'outSquares', Local>

function takeRows(locals: readonly Local[]): Code {
  const [at, stride, rows, full, mask, gx, gy, squares, rowLength] = locals as [
    ...[Local, Local, Local, Local, Local],
    ...[Local, Local, Local, Local],
  ]
  const named = (names: readonly string[], from: number) =>
    Object.fromEntries(names.map((name, index) => [name, locals[from + index]!]))
  const pointers = named(POINTERS, PARAMETERS) as unknown as RowPointers & Outputs & { left: Local }
  const v = named(VECTORS, PARAMETERS + POINTERS.length) as unknown as SobelVectors
  const { above, middle, below, left, outX, outY, outSquares } = pointers
  const next = [
    ...[above, middle, below].flatMap((pointer) => advance(pointer, i32.const(LANES))),
    ...[outX, outY].flatMap((pointer) => advance(pointer, i32.const(VECTOR_BYTES))),
    ...advance(outSquares, i32.const(2 * VECTOR_BYTES)),
  ]
  const copy = (from: Local, to: Local): Code => [...from.get, ...to.set]
  const twice: Code = [...rowLength.get, ...rowLength.get, ...i32.add]
  return repeatWhile([
    ...[...copy(at, middle), ...copy(gx, outX), ...copy(gy, outY), ...copy(squares, outSquares)],
    ...[...at.get, ...stride.get, ...i32.sub, ...above.set],
    ...[...at.get, ...stride.get, ...i32.add, ...below.set],
    ...when(full.get, [
      ...copy(full, left),
      ...repeatWhile([
        ...takeVector(pointers, v, []),
        ...next,
        ...[...left.get, ...i32.const(1), ...i32.sub, ...left.tee],
      ]),
    ]),
    ...when(mask.get, takeVector(pointers, v, [...mask.get, ...v128.load(0), ...v128.and])),
    ...[...advance(at, stride.get), ...advance(gx, twice), ...advance(gy, twice)],
    ...advance(squares, [...twice, ...twice, ...i32.add]),
    ...[...rows.get, ...i32.const(1), ...i32.sub, ...rows.tee],
  ])
}

/** What lies behind the last pixel of a row is written as 0: the border. */
function takeVector(pointers: RowPointers & Outputs, v: SobelVectors, masked: Code): Code {
  const { outX, outY, outSquares } = pointers
  const mask = (local: Local): Code => (masked.length === 0 ? [] : [...local.get, ...masked, ...local.set])
  // gx and gy of a pixel side by side, times themselves, pairs added: its squared magnitude.
  const square = (interleave: Code): Code => [
    ...[...v.gx.get, ...v.gy.get, ...interleave, ...v.p0.set],
    ...dot(v.p0.get, v.p0.get),
    ...v.p0.set,
  ]
  return [
    ...[...sobel(pointers, v), ...mask(v.gx), ...mask(v.gy)],
    ...[...outX.get, ...v.gx.get, ...v128.store(0)],
    ...[...outY.get, ...v.gy.get, ...v128.store(0)],
    ...[...square(v128.i16x8InterleaveLow), ...outSquares.get, ...v.p0.get, ...v128.store(0)],
    ...[...square(v128.i16x8InterleaveHigh), ...outSquares.get, ...v.p0.get, ...v128.store(VECTOR_BYTES)],
  ]
}
