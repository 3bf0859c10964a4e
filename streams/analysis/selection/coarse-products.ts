/**
 * Sums over what two small pictures have in common, for any shift of one against the other: whole numbers, so that the order of adding
 * is nobody's business. Pure but for its memory, which is written by `compare` and read until the next one; session host only.
 *
 * Sums of one picture come from tables of all sums from its corner (Crow, SIGGRAPH 1984); sums of products from WebAssembly, eight pixels a turn.
 * The second picture lies between margins of zeros as wide as any shift, so that each row is whole vectors and what has no counterpart adds
 * nothing.
 */
import type { LumaView } from '../../../core/frame.ts'
import {
  type Code,
  i32,
  kernel,
  type Local,
  PAGE_BYTES,
  repeatWhile,
  v128,
  wasmMemory,
} from '../../../core/wasm-module.ts'

const LANES = 8
const SUM_LANES = 4
/** Of a picture that one call of the kernel adds up in 32 bits: a lane takes a quarter of the products, each below 2¹⁶. */
const MOST_PIXELS = 2 ** 16

/** Byte addresses but `turns` of a row and `rows`, each at least one. Adds to four int32 at `out`. */
type SumProducts = (a: number, b: number, bStride: number, turns: number, rows: number, out: number) => void

const productsOn = kernel({
  parameters: 6,
  locals: ['i32', 'i32', 'v128'],
  body: (locals) => sumProducts(locals),
})

function sumProducts(locals: readonly Local[]): Code {
  const [a, b, bStride, turns, rows, out, at, left, sum] = locals as [
    ...[Local, Local, Local, Local, Local],
    ...[Local, Local, Local, Local],
  ]
  const advance = (pointer: Local, by: Code): Code => [...pointer.get, ...by, ...i32.add, ...pointer.set]
  const less = (count: Local): Code => [...count.get, ...i32.const(1), ...i32.sub, ...count.tee]
  const product: Code = [
    ...[...a.get, ...v128.load8x8Unsigned(0), ...at.get, ...v128.load8x8Unsigned(0), ...v128.i32x4DotI16x8],
    ...[...sum.get, ...v128.i32x4Add, ...sum.set],
  ]
  const row: Code = [
    ...[...b.get, ...at.set, ...turns.get, ...left.set],
    ...repeatWhile([...[...product, ...advance(a, i32.const(LANES)), ...advance(at, i32.const(LANES))], ...less(left)]),
    ...advance(b, bStride.get),
  ]
  return [
    ...[...out.get, ...v128.load(0), ...sum.set],
    ...repeatWhile([...row, ...less(rows)]),
    ...[...out.get, ...sum.get, ...v128.store(0)],
  ]
}

const memory = wasmMemory(PAGE_BYTES)
const sumInto: SumProducts = productsOn(memory)
const A_ADDRESS = SUM_LANES * Int32Array.BYTES_PER_ELEMENT

/** The sum of all pixels, or of their squares, above and to the left of each corner; (width + 1) × (height + 1), by rows. */
class SumTables {
  #plain = new Float64Array(0)
  #squares = new Float64Array(0)
  #columns = 0

  fill({ data, width, height, stride }: LumaView): void {
    const columns = width + 1
    const length = columns * (height + 1)
    if (this.#plain.length < length) {
      this.#plain = new Float64Array(length)
      this.#squares = new Float64Array(length)
    }
    this.#columns = columns
    this.#plain.fill(0, 0, columns)
    this.#squares.fill(0, 0, columns)
    for (let y = 0; y < height; y++) {
      let sum = 0
      let squares = 0
      let at = (y + 1) * columns
      this.#plain[at] = 0
      this.#squares[at] = 0
      for (let x = 0; x < width; x++) {
        const value = data[y * stride + x]!
        sum += value
        squares += value * value
        at++
        this.#plain[at] = this.#plain[at - columns]! + sum
        this.#squares[at] = this.#squares[at - columns]! + squares
      }
    }
  }

  plain(left: number, top: number, right: number, bottom: number): number {
    return this.#of(this.#plain, left, top, right, bottom)
  }

  squares(left: number, top: number, right: number, bottom: number): number {
    return this.#of(this.#squares, left, top, right, bottom)
  }

  #of(sums: Float64Array, left: number, top: number, right: number, bottom: number): number {
    const upper = top * this.#columns
    const lower = bottom * this.#columns
    return sums[lower + right]! - sums[lower + left]! - sums[upper + right]! + sums[upper + left]!
  }
}

export class CoarseProducts {
  /** Of the first picture and of the second. */
  readonly a = new SumTables()
  readonly b = new SumTables()
  #bytes = new Uint8Array(memory.buffer)
  #sums = new Int32Array(memory.buffer, 0, SUM_LANES)
  #rowBytes = 0
  #marginPx = 0
  #bStride = 0
  #bAddress = 0

  /** Takes copies. Both pictures of one size; no shift to the side beyond `reachPx`. */
  compare(a: LumaView, b: LumaView, reachPx: number): void {
    this.a.fill(a)
    this.b.fill(b)
    this.#marginPx = reachPx
    this.#rowBytes = Math.ceil(a.width / LANES) * LANES
    this.#bStride = this.#rowBytes + 2 * reachPx
    this.#bAddress = A_ADDRESS + this.#rowBytes * a.height
    this.#grow(this.#bAddress + this.#bStride * b.height)
    this.#bytes.fill(0, A_ADDRESS, this.#bAddress + this.#bStride * b.height)
    for (let y = 0; y < a.height; y++) {
      const row = ({ data, width, stride }: LumaView) => data.subarray(y * stride, y * stride + width)
      this.#bytes.set(row(a), A_ADDRESS + y * this.#rowBytes)
      this.#bytes.set(row(b), this.#bAddress + y * this.#bStride + reachPx)
    }
  }

  /** Σ a(x, y) · b(x + dx, y + dy) over rows `top` to `bottom` of the first, where the second has all of them. */
  products(top: number, bottom: number, dx: number, dy: number): number {
    const sums = this.#sums
    const mostRows = Math.floor(MOST_PIXELS / this.#rowBytes)
    let total = 0
    for (let y = top; y < bottom; y += mostRows) {
      sums.fill(0)
      sumInto(
        A_ADDRESS + y * this.#rowBytes,
        this.#bAddress + (y + dy) * this.#bStride + this.#marginPx + dx,
        this.#bStride,
        this.#rowBytes / LANES,
        Math.min(mostRows, bottom - y),
        0,
      )
      total += sums[0]! + sums[1]! + sums[2]! + sums[3]!
    }
    return total
  }

  #grow(bytes: number): void {
    if (bytes > memory.buffer.byteLength) memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES))
    if (this.#bytes.buffer === memory.buffer) return
    this.#bytes = new Uint8Array(memory.buffer)
    this.#sums = new Int32Array(memory.buffer, 0, SUM_LANES)
  }
}
