/**
 * The sums of `measureDetail` over one rectangle of a picture, in WebAssembly. Pure; session host only.
 */
import { type Code, i32, kernel, type Local, repeatWhile, v128, when } from '../../../core/wasm-module.ts'
import {
  add16,
  advance,
  dot,
  LANES,
  type RowPointers,
  type SobelVectors,
  sobel,
  sub16,
  VECTOR_BYTES,
} from './sobel-kernel.ts'

/** Vectors that it writes: four partial sums each of gx², gxgy, gy², the Laplacian and its square. */
export const DETAIL_SUMS = 5
/** Vectors of a rectangle whose sums are sure to stay below 2³¹: each adds two squares of at most 1020 to a partial sum. */
export const MAX_DETAIL_VECTORS = 1000

/**
 * All are byte addresses in the memory but `rows`, at least one, and `full`, the whole vectors of a row. `at` is the pixel to the left
 * of the first; `rowBytes` leads from a row to the next, `strideBytes` to the neighbour below. `mask` is that of the last vector, 0 for none.
 */
export type SumDetail = (
  at: number,
  strideBytes: number,
  rowBytes: number,
  rows: number,
  full: number,
  mask: number,
  sums: number,
) => void

const PARAMETERS = 7
const POINTERS = ['above', 'middle', 'below', 'left'] as const
const VECTORS = [
  ...(['gx', 'gy', 'p0', 'p1', 'p2', 'q0', 'q1', 'q2', 'r0', 'r1', 'r2'] as const),
  ...(['laplacian', 'xx', 'xy', 'yy', 'sum', 'squares'] as const),
]

export const detailOn = kernel({
  parameters: PARAMETERS,
  locals: [...POINTERS.map(() => 'i32' as const), ...VECTORS.map(() => 'v128' as const)],
  body: (locals) => sumRows(locals),
})

function sumRows(locals: readonly Local[]): Code {
  const [at, stride, rowBytes, rows, full, mask, sums] = locals as [Local, Local, Local, Local, Local, Local, Local]
  const named = (names: readonly string[], from: number) =>
    Object.fromEntries(names.map((name, index) => [name, locals[from + index]!]))
  const pointers = named(POINTERS, PARAMETERS) as unknown as RowPointers & { left: Local }
  const v = named(VECTORS, PARAMETERS + POINTERS.length) as unknown as SobelVectors &
    Record<'laplacian' | 'xx' | 'xy' | 'yy' | 'sum' | 'squares', Local>
  const { above, middle, below, left } = pointers
  const next = [above, middle, below].flatMap((pointer) => advance(pointer, i32.const(LANES)))
  return [
    ...repeatWhile([
      ...[...at.get, ...middle.set],
      ...[...at.get, ...stride.get, ...i32.sub, ...above.set],
      ...[...at.get, ...stride.get, ...i32.add, ...below.set],
      ...when(full.get, [
        ...[...full.get, ...left.set],
        ...repeatWhile([
          ...sumVector(pointers, v, []),
          ...next,
          ...[...left.get, ...i32.const(1), ...i32.sub, ...left.tee],
        ]),
      ]),
      ...when(mask.get, sumVector(pointers, v, [...mask.get, ...v128.load(0), ...v128.and])),
      ...advance(at, rowBytes.get),
      ...[...rows.get, ...i32.const(1), ...i32.sub, ...rows.tee],
    ]),
    ...[v.xx, v.xy, v.yy, v.sum, v.squares].flatMap((local, index) => [
      ...[...sums.get, ...local.get, ...v128.store(index * VECTOR_BYTES)],
    ]),
  ]
}

/** `masked` follows each vector of which lanes may lie outside. */
function sumVector(
  pointers: RowPointers,
  v: SobelVectors & Record<'laplacian' | 'xx' | 'xy' | 'yy' | 'sum' | 'squares', Local>,
  masked: Code,
): Code {
  const mask = (local: Local): Code => (masked.length === 0 ? [] : [...local.get, ...masked, ...local.set])
  const accumulate = (sum: Local, term: Code): Code => [...sum.get, ...term, ...v128.i32x4Add, ...sum.set]
  const cross = add16(add16(v.p1.get, v.r1.get), add16(v.q0.get, v.q2.get))
  const fourfold = [...v.q1.get, ...i32.const(2), ...v128.i16x8ShiftLeft]
  const one = [...i32.const(1), ...v128.i16x8Splat]
  return [
    ...sobel(pointers, v),
    ...[...sub16(cross, fourfold), ...v.laplacian.set],
    ...[...mask(v.gx), ...mask(v.gy), ...mask(v.laplacian)],
    ...accumulate(v.xx, dot(v.gx.get, v.gx.get)),
    ...accumulate(v.xy, dot(v.gx.get, v.gy.get)),
    ...accumulate(v.yy, dot(v.gy.get, v.gy.get)),
    ...accumulate(v.sum, dot(v.laplacian.get, one)),
    ...accumulate(v.squares, dot(v.laplacian.get, v.laplacian.get)),
  ]
}
