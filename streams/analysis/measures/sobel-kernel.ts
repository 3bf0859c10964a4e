/**
 * Neighbourhoods of 3×3 pixels, eight at a time, in WebAssembly: what the kernels of this folder share. Pure; session host only.
 * In JavaScript each of nine loads has its bounds check and each product its own instruction: 4 ns a pixel against 0.8 here, copying included
 * (decisions: "Measures: WebAssembly where every pixel is touched").
 */
import { type Code, i32, type Local, v128 } from '../../../core/wasm-module.ts'

/** Pixels of one turn. */
export const LANES = 8
export const VECTOR_BYTES = 16

/** For n = 0…7: a vector whose first n lanes of 16 bits are all ones. */
export function laneMasks(): Int16Array {
  return Int16Array.from({ length: LANES * LANES }, (_, i) => (i % LANES < Math.floor(i / LANES) ? -1 : 0))
}
export const MASKS_BYTES = LANES * VECTOR_BYTES

/** Byte addresses of the left upper pixel of the neighbourhoods, in the rows above, of, and below their middles. */
export interface RowPointers {
  above: Local
  middle: Local
  below: Local
}

/** Vectors that `sobel` needs and gives; `q0`, `q1`, `q2` are what it leaves of the middle row's three columns. */
export interface SobelVectors {
  gx: Local
  gy: Local
  p0: Local
  p1: Local
  p2: Local
  q0: Local
  q1: Local
  q2: Local
  r0: Local
  r1: Local
  r2: Local
}

export const add16 = (a: Code, b: Code): Code => [...a, ...b, ...v128.i16x8Add]
export const sub16 = (a: Code, b: Code): Code => [...a, ...b, ...v128.i16x8Sub]
export const twice16 = (a: Code): Code => [...a, ...i32.const(1), ...v128.i16x8ShiftLeft]
export const advance = (pointer: Local, by: Code): Code => [...pointer.get, ...by, ...i32.add, ...pointer.set]
export const dot = (a: Code, b: Code): Code => [...a, ...b, ...v128.i32x4DotI16x8]

/** Sobel's derivatives of eight pixels into `gx` and `gy`, i16x8. */
export function sobel({ above, middle, below }: RowPointers, v: SobelVectors): Code {
  const load = (pointer: Local, column: number, into: Local): Code => [
    ...pointer.get,
    ...v128.load8x8Unsigned(column),
    ...into.set,
  ]
  const smooth = (p: Local, q: Local, r: Local) => add16(add16(p.get, r.get), twice16(q.get))
  return [
    ...[...load(above, 0, v.p0), ...load(above, 1, v.p1), ...load(above, 2, v.p2)],
    ...[...load(middle, 0, v.q0), ...load(middle, 1, v.q1), ...load(middle, 2, v.q2)],
    ...[...load(below, 0, v.r0), ...load(below, 1, v.r1), ...load(below, 2, v.r2)],
    ...[...sub16(smooth(v.p2, v.q2, v.r2), smooth(v.p0, v.q0, v.r0)), ...v.gx.set],
    ...[...sub16(smooth(v.r0, v.r1, v.r2), smooth(v.p0, v.p1, v.p2)), ...v.gy.set],
  ]
}
