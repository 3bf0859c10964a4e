/**
 * The smaller eigenvalue of the structure tensor of 3×3 windows, on every second pixel of a row, in WebAssembly. Pure; session host only.
 * Windows two pixels apart are pairs of columns: the product that adds neighbours (i32x4.dot_i16x8) gives the left two columns of four
 * windows at once, and with every second lane masked the right one.
 */
import { type Code, i32, kernel, type Local, repeatWhile, v128 } from '../../../core/wasm-module.ts'
import { advance, dot, VECTOR_BYTES } from './sobel-kernel.ts'

/** Windows of one turn. */
export const WINDOWS = 4

/**
 * Byte addresses but `turns`, at least one: each gives `WINDOWS` float32 to `out`. `gx` and `gy` are those of the left column of the first window,
 * in its middle row; `rowBytes` leads to the row below.
 */
export type TakeEigenvalues = (gx: number, gy: number, rowBytes: number, turns: number, out: number) => void

/** 0.5 in each lane, by its bits. */
const half: Code = [...i32.const(0x3f000000), ...v128.i32x4Splat]
const PARAMETERS = 5
const VECTORS = ['xx', 'xy', 'yy', 'gx', 'gy', 'sum', 'difference'] as const

export const eigenvaluesOn = kernel({
  parameters: PARAMETERS,
  locals: ['i32', 'i32', ...VECTORS.map(() => 'v128' as const)],
  body: (locals) => takeRow(locals),
})

function takeRow(locals: readonly Local[]): Code {
  const [gx, gy, rowBytes, turns, out, x, y] = locals as [Local, Local, Local, Local, Local, Local, Local]
  const [xx, xy, yy, dx, dy, sum, difference] = locals.slice(PARAMETERS + 2) as [
    ...[Local, Local, Local],
    ...[Local, Local, Local, Local],
  ]
  const accumulate = (to: Local, term: Code): Code => [...to.get, ...term, ...v128.i32x4Add, ...to.set]
  const even: Code = [...i32.const(0xffff), ...v128.i32x4Splat, ...v128.and]
  const products: Code = [
    ...accumulate(xx, dot(dx.get, dx.get)),
    ...accumulate(xy, dot(dx.get, dy.get)),
    ...accumulate(yy, dot(dy.get, dy.get)),
  ]
  /** Two columns to the right of the left one: 4 bytes. */
  const row: Code = [
    ...[...x.get, ...v128.load(0), ...dx.set, ...y.get, ...v128.load(0), ...dy.set, ...products],
    ...[...x.get, ...v128.load(4), ...even, ...dx.set, ...y.get, ...v128.load(4), ...even, ...dy.set, ...products],
  ]
  const down: Code = [...advance(x, rowBytes.get), ...advance(y, rowBytes.get)]
  const float = (a: Local, b: Local, op: Code): Code => [...a.get, ...b.get, ...op, ...v128.f32x4FromI32x4]
  return repeatWhile([
    ...[xx, xy, yy].flatMap((local) => [...v128.zero, ...local.set]),
    ...[...gx.get, ...rowBytes.get, ...i32.sub, ...x.set],
    ...[...gy.get, ...rowBytes.get, ...i32.sub, ...y.set],
    ...[...row, ...down, ...row, ...down, ...row],
    // ½ (a + c − √((a − c)² + (2b)²)).
    ...[...float(xx, yy, v128.i32x4Add), ...sum.set],
    ...[...float(xx, yy, v128.i32x4Sub), ...difference.set],
    ...[...float(xy, xy, v128.i32x4Add), ...xy.set],
    ...out.get,
    ...sum.get,
    ...[...difference.get, ...difference.get, ...v128.f32x4Mul],
    ...[...xy.get, ...xy.get, ...v128.f32x4Mul, ...v128.f32x4Add, ...v128.f32x4Sqrt, ...v128.f32x4Sub],
    ...[...half, ...v128.f32x4Mul, ...v128.store(0)],
    ...[...advance(gx, i32.const(VECTOR_BYTES)), ...advance(gy, i32.const(VECTOR_BYTES))],
    ...advance(out, i32.const(VECTOR_BYTES)),
    ...[...turns.get, ...i32.const(1), ...i32.sub, ...turns.tee],
  ])
}
