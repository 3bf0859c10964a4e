/**
 * A WebAssembly module of one function, assembled from TypeScript: no binary in the repository and no tool to build one.
 * Pure; runs anywhere. Encodings are those of the WebAssembly core specification 2.0, chapters 5.2 (values), 5.4
 * (instructions) and 5.5 (modules); only what the kernels of this program need is here.
 */

/** Encoded instructions, or any other part of a module. */
export type Code = readonly number[]

type ValueType = 'i32' | 'v128'
const valueTypes: Record<ValueType, number> = { i32: 0x7f, v128: 0x7b }
const EMPTY_BLOCK = 0x40

/** LEB128, unsigned. */
function unsigned(value: number): Code {
  const low = value & 0x7f
  const rest = value >>> 7
  return rest === 0 ? [low] : [low | 0x80, ...unsigned(rest)]
}

/** LEB128, signed, of a 32-bit integer. */
function signed(value: number): Code {
  const low = value & 0x7f
  const rest = value >> 7
  const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)
  return done ? [low] : [low | 0x80, ...signed(rest)]
}

/** 0xfd is the prefix of vector instructions. */
const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)]
/** Alignment is a hint only: 0 says "any". */
const memory = (offsetBytes: number): Code => [0, ...unsigned(offsetBytes)]

/** A variable of the function: parameters come first, then locals, in order of declaration. */
export interface Local {
  readonly get: Code
  readonly set: Code
  /** Sets it and leaves the value on the stack. */
  readonly tee: Code
}

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: [0x6a] as Code,
  sub: [0x6b] as Code,
  lessUnsigned: [0x49] as Code,
  /** Stack: address, value. */
  store: [0x36, ...memory(0)] as Code,
}

export const v128 = {
  load: (offsetBytes: number): Code => [...simd(0x00), ...memory(offsetBytes)],
  /** Eight bytes, sign-extended to i16x8. */
  load8x8Signed: (offsetBytes: number): Code => [...simd(0x01), ...memory(offsetBytes)],
  /** Eight bytes, as i16x8. */
  load8x8Unsigned: (offsetBytes: number): Code => [...simd(0x02), ...memory(offsetBytes)],
  /** Stack: address, value. */
  store: (offsetBytes: number): Code => [...simd(0x0b), ...memory(offsetBytes)],
  zero: [...simd(0x0c), ...new Array<number>(16).fill(0)] as Code,
  and: simd(0x4e),
  i16x8Splat: simd(0x10),
  i16x8ShiftLeft: simd(0x8b),
  i16x8Add: simd(0x8e),
  i16x8Sub: simd(0x91),
  /** Lanes of i16x8, two vectors in turn: the lower four of each, or the upper four. */
  i16x8InterleaveLow: [...simd(0x0d), 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23] as Code,
  i16x8InterleaveHigh: [...simd(0x0d), 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31] as Code,
  i32x4Splat: simd(0x11),
  i32x4Add: simd(0xae),
  i32x4Sub: simd(0xb1),
  /** Products of i16 pairs, two neighbours added: i16x8, i16x8 → i32x4. */
  i32x4DotI16x8: simd(0xba),
  i32x4ExtractLane: (lane: number): Code => [...simd(0x1b), lane],
  f32x4FromI32x4: simd(0xfa),
  f32x4Add: simd(0xe4),
  f32x4Sub: simd(0xe5),
  f32x4Mul: simd(0xe6),
  f32x4Sqrt: simd(0xe3),
}

/** `body` if the i32 is not zero. */
export function when(condition: Code, body: Code): Code {
  return [...condition, 0x04, EMPTY_BLOCK, ...body, 0x0b]
}

/** `body` again while it leaves a non-zero i32: a loop whose test stands at its end. */
export function repeatWhile(body: Code): Code {
  return [0x03, EMPTY_BLOCK, ...body, 0x0d, 0, 0x0b]
}

export interface FunctionShape {
  parameters: number
  /** After the parameters, which are i32. */
  locals: readonly ValueType[]
  body(locals: readonly Local[]): Code
}

/** What is used of the WebAssembly JavaScript API, which neither Node's types nor ES2024's declare. */
declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum: number }) => WasmMemory
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  Instance: new (module: object, imports: { env: { memory: WasmMemory } }) => { exports: { run: Kernel } }
}

export interface WasmMemory {
  /** Another one after each `grow`. */
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** Byte addresses in the memory and whole numbers, as many as the shape has parameters. */
export type Kernel = (...parameters: number[]) => void

/** A memory of at least `bytes`, all zero, that can grow. */
export function wasmMemory(bytes: number): WasmMemory {
  return new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE_BYTES), maximum: MAX_PAGES })
}

/** The function of `shape`, compiled once, for each memory that it is to work on. */
export function kernel(shape: FunctionShape): (memory: WasmMemory) => Kernel {
  const module = new WebAssembly.Module(assemble(shape))
  return (memory) => new WebAssembly.Instance(module, { env: { memory } }).exports.run
}

const MAGIC: Code = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

/**
 * The module's bytes. It imports the memory `env.memory` and exports the function as `run`: all parameters i32, no result.
 */
function assemble({ parameters, locals, body }: FunctionShape): Uint8Array<ArrayBuffer> {
  const variables = Array.from({ length: parameters + locals.length }, (_, index) => ({
    get: [0x20, ...unsigned(index)],
    set: [0x21, ...unsigned(index)],
    tee: [0x22, ...unsigned(index)],
  }))
  const declared = vector(locals.map((type) => [1, valueTypes[type]]))
  const code = [...declared, ...body(variables), 0x0b]
  const type: Code = [0x60, ...vector(new Array<Code>(parameters).fill([valueTypes.i32])), ...vector([])]
  const memoryImport: Code = [...text('env'), ...text('memory'), 0x02, 0x01, 0, ...unsigned(MAX_PAGES)]
  return Uint8Array.from([
    ...MAGIC,
    ...section(1, vector([type])),
    ...section(2, vector([memoryImport])),
    ...section(3, vector([unsigned(0)])),
    ...section(7, vector([[...text('run'), 0x00, 0]])),
    ...section(10, vector([[...unsigned(code.length), ...code]])),
  ])
}

/** Of 64 KiB: 4 GiB, all that 32-bit addresses reach. */
const MAX_PAGES = 65_536
export const PAGE_BYTES = 65_536

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content]
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()]
}

function text(value: string): Code {
  return vector([...Buffer.from(value)].map((byte) => [byte]))
}
