/**
 * Sobel's derivatives of a whole picture, which corners and edges share. Pure but for its memory; session host only.
 */
import type { LumaView } from '../../../core/frame.ts'
import type { Size } from '../../../core/geometry.ts'
import { type WasmMemory, wasmMemory } from '../../../core/wasm-module.ts'
import { gradientOn, type TakeGradient } from './gradient-kernel.ts'
import { LANES, laneMasks, MASKS_BYTES, VECTOR_BYTES } from './sobel-kernel.ts'

/** Numbers behind a row's last pixel that vectors may read or write. */
const MARGIN = 2 * LANES

/** Not divided: a step of one grey level a pixel is 8. The border is 0. */
export class GradientPlane implements Size {
  readonly width: number
  readonly height: number
  /** From a row to the next, numbers. */
  readonly rowLength: number
  readonly gx: Int16Array
  readonly gy: Int16Array
  /** gx² + gy². */
  readonly squares: Int32Array
  /** Where all of it lies; `free` is the address of `extraBytes` that nothing here uses. */
  readonly memory: WasmMemory
  readonly free: number
  readonly #luma: Uint8Array
  readonly #take: TakeGradient

  constructor({ width, height }: Size, extraBytes = 0) {
    this.width = width
    this.height = height
    this.rowLength = LANES * Math.ceil(width / LANES) + MARGIN
    const numbers = this.rowLength * height + MARGIN
    const lumaBytes = VECTOR_BYTES * Math.ceil((width * height + VECTOR_BYTES) / VECTOR_BYTES)
    const gx = MASKS_BYTES + lumaBytes
    const gy = gx + numbers * Int16Array.BYTES_PER_ELEMENT
    const squares = gy + numbers * Int16Array.BYTES_PER_ELEMENT
    this.free = squares + numbers * Int32Array.BYTES_PER_ELEMENT
    this.memory = wasmMemory(this.free + extraBytes)
    const { buffer } = this.memory
    new Int16Array(buffer).set(laneMasks())
    this.#luma = new Uint8Array(buffer, MASKS_BYTES, width * height)
    this.gx = new Int16Array(buffer, gx, numbers)
    this.gy = new Int16Array(buffer, gy, numbers)
    this.squares = new Int32Array(buffer, squares, numbers)
    this.#take = gradientOn(this.memory)
  }

  /** Of a picture of its size. */
  take({ data, stride }: LumaView): void {
    const { width, height, rowLength } = this
    if (width < 3 || height < 3) return
    if (stride === width) this.#luma.set(data.subarray(0, width * height))
    else for (let y = 0; y < height; y++) this.#luma.set(data.subarray(y * stride, y * stride + width), y * width)
    const first = rowLength + 1
    const inner = width - 2
    this.#take(
      this.#luma.byteOffset + width,
      width,
      height - 2,
      Math.floor(inner / LANES),
      (inner % LANES) * VECTOR_BYTES,
      this.gx.byteOffset + first * Int16Array.BYTES_PER_ELEMENT,
      this.gy.byteOffset + first * Int16Array.BYTES_PER_ELEMENT,
      this.squares.byteOffset + first * Int32Array.BYTES_PER_ELEMENT,
      rowLength,
    )
  }
}
