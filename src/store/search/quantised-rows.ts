/**
 * Vectors as rows in blocks: float32 as they came, and int8 for the scan. Pure computation, no I/O; runs wherever a search
 * does. Must never keep a removed row's numbers in memory.
 *
 * The bound. A row x is kept as s·q with integers |q| ≤ 127 and the rest e = x − s·q; a probe p as t·r with rest f. Then
 *   x·p = s·t·(q·r) + (s·q)·f + e·p,   so   |x·p − s·t·(q·r)| ≤ |s·q|·|f| + |e|·|p|   (Cauchy–Schwarz),
 * and |e|, |f| are known exactly. For unit vectors of 256 numbers it is about 0.007.
 */
import { PAGE_BYTES, type WasmMemory } from '../../../core/wasm-module.ts'
import { type Scan, STEP, scanMemory } from './scan-kernel.ts'

/** 1 MiB of int8 at 256 numbers: in a core's second cache. 4096 rows of a multiple of 16 bytes are whole pages. */
const BLOCK_ROWS = 4096
/** In the memory: the probe, the dots, then the blocks. */
const PROBE_ADDRESS = 0
const DOTS_BYTES = BLOCK_ROWS * Int32Array.BYTES_PER_ELEMENT
const ROW_MAX = 127
/** Sums of double-precision products over 4096 numbers of unit vectors are right to 1e-12; this stands above it. */
const ROUNDING = 1e-9

interface Block {
  vectors: Float32Array
  /** s of each row. */
  scales: Float64Array
  /** |e| of each row. */
  rests: Float64Array
  /** Byte address of the int8 rows. */
  address: number
}

/** A probe ready for a scan. */
export interface Probe {
  /** As given, for exact sums. */
  wide: Float64Array
  quantised: Int16Array
  /** t, |p| and |f|. */
  scale: number
  norm: number
  rest: number
}

/** What a scan says about the rows of one block: see `QuantisedRows.scan`. */
export interface BlockScores {
  firstRow: number
  rows: number
  /** q·r of each row. */
  dots: Int32Array
  scales: Float64Array
  rests: Float64Array
}

export class QuantisedRows {
  readonly #dimension: number
  readonly #strideBytes: number
  readonly #probeMax: number
  readonly #dotsAddress: number
  readonly #blocksAddress: number
  readonly #memory: WasmMemory
  readonly #scan: Scan
  readonly #blocks: Block[] = []
  #count = 0
  /** Largest |s·q| so far. */
  #norm = 0

  constructor(dimension: number) {
    this.#dimension = dimension
    this.#strideBytes = Math.ceil(dimension / STEP) * STEP
    // So that the sum of all products stays below 2^31.
    this.#probeMax = Math.min(32_767, Math.floor((2 ** 31 - 1) / (ROW_MAX * dimension)))
    this.#dotsAddress = this.#strideBytes * Int16Array.BYTES_PER_ELEMENT
    this.#blocksAddress = Math.ceil((this.#dotsAddress + DOTS_BYTES) / PAGE_BYTES) * PAGE_BYTES
    const { memory, scan } = scanMemory(this.#blocksAddress)
    this.#memory = memory
    this.#scan = scan
  }

  get count(): number {
    return this.#count
  }

  /** Copies the vector into a new last row. */
  push(vector: Float32Array): void {
    const row = this.#count++
    if (row === this.#blocks.length * BLOCK_ROWS) this.#grow()
    const block = this.#blocks[Math.floor(row / BLOCK_ROWS)]!
    const at = row % BLOCK_ROWS
    block.vectors.set(vector, at * this.#dimension)
    this.#quantise(vector, block, at)
  }

  /** The last row takes the place of `row`, and its old place is overwritten. */
  removeAt(row: number): void {
    const last = --this.#count
    const from = this.#blocks[Math.floor(last / BLOCK_ROWS)]!
    const to = this.#blocks[Math.floor(row / BLOCK_ROWS)]!
    const [fromAt, toAt] = [last % BLOCK_ROWS, row % BLOCK_ROWS]
    const vector = from.vectors.subarray(fromAt * this.#dimension, (fromAt + 1) * this.#dimension)
    const bytes = this.#int8(from, fromAt)
    to.vectors.set(vector, toAt * this.#dimension)
    this.#int8(to, toAt).set(bytes)
    to.scales[toAt] = from.scales[fromAt]!
    to.rests[toAt] = from.rests[fromAt]!
    vector.fill(0)
    bytes.fill(0)
    from.scales[fromAt] = 0
    from.rests[fromAt] = 0
  }

  /** x·p in double precision, summed in order of the index: no other order of rows or blocks gives another bit. */
  dot(row: number, { wide }: Probe): number {
    const { vectors } = this.#blocks[Math.floor(row / BLOCK_ROWS)]!
    const from = (row % BLOCK_ROWS) * this.#dimension
    let sum = 0
    for (let i = 0; i < wide.length; i++) sum += vectors[from + i]! * wide[i]!
    return sum
  }

  probe(vector: Float32Array): Probe {
    const wide = Float64Array.from(vector)
    const largest = wide.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
    const scale = largest / this.#probeMax
    const quantised = new Int16Array(this.#strideBytes)
    let rest = 0
    for (const [i, value] of wide.entries()) {
      quantised[i] = scale === 0 ? 0 : Math.round(value / scale)
      rest += (value - scale * quantised[i]!) ** 2
    }
    return { wide, quantised, scale, norm: Math.hypot(...wide), rest: Math.sqrt(rest) }
  }

  /** Visits each block's scores: `s·t·dot` is off x·p by at most `rest·|p| + slack(probe)`. Valid during the visit only. */
  scan(probe: Probe, visit: (scores: BlockScores) => void): void {
    const { buffer } = this.#memory
    const lanes = new Int16Array(buffer, PROBE_ADDRESS, this.#strideBytes)
    const dots = new Int32Array(buffer, this.#dotsAddress, BLOCK_ROWS)
    lanes.set(probe.quantised)
    for (const [index, { address, scales, rests }] of this.#blocks.entries()) {
      const firstRow = index * BLOCK_ROWS
      const rows = Math.min(BLOCK_ROWS, this.#count - firstRow)
      if (rows <= 0) break
      this.#scan(address, address + rows * this.#strideBytes, this.#strideBytes, PROBE_ADDRESS, this.#dotsAddress)
      visit({ firstRow, rows, dots, scales, rests })
    }
    lanes.fill(0)
  }

  /** The part of the bound that is the same for all rows. */
  slack({ rest }: Probe): number {
    return this.#norm * rest + ROUNDING
  }

  #quantise(vector: Float32Array, block: Block, at: number): void {
    const target = this.#int8(block, at)
    const scale = vector.reduce((max, value) => Math.max(max, Math.abs(value)), 0) / ROW_MAX
    let rest = 0
    let norm = 0
    for (const [i, value] of vector.entries()) {
      const whole = scale === 0 ? 0 : Math.round(value / scale)
      target[i] = whole
      rest += (value - scale * whole) ** 2
      norm += (scale * whole) ** 2
    }
    block.scales[at] = scale
    block.rests[at] = Math.sqrt(rest)
    this.#norm = Math.max(this.#norm, Math.sqrt(norm))
  }

  #int8({ address }: Block, at: number): Int8Array {
    return new Int8Array(this.#memory.buffer, address + at * this.#strideBytes, this.#strideBytes)
  }

  #grow(): void {
    const bytes = BLOCK_ROWS * this.#strideBytes
    const address = this.#blocksAddress + this.#blocks.length * bytes
    const missing = address + bytes - this.#memory.buffer.byteLength
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE_BYTES))
    this.#blocks.push({
      vectors: new Float32Array(BLOCK_ROWS * this.#dimension),
      scales: new Float64Array(BLOCK_ROWS),
      rests: new Float64Array(BLOCK_ROWS),
      address,
    })
  }
}
