/**
 * Writes small ONNX graphs of one node after the other: for measuring what a step costs inside ONNX Runtime, and for tests of
 * models that misbehave. Field numbers are those of onnx.proto (ModelProto, GraphProto, NodeProto, TensorProto, ValueInfoProto). Pure.
 */

export const ElementType = { float: 1, uint8: 2, int64: 7 } as const
export type ElementType = (typeof ElementType)[keyof typeof ElementType]

export interface GraphNode {
  op:
    | 'Add'
    | 'Cast'
    | 'Conv'
    | 'Flatten'
    | 'Gather'
    | 'GlobalAveragePool'
    | 'Identity'
    | 'LayerNormalization'
    | 'MatMul'
    | 'Neg'
    | 'Pad'
    | 'Reshape'
    | 'Softmax'
    | 'Sqrt'
    | 'Sub'
    | 'Transpose'
  inputs: string[]
  output: string
  /** Integers and lists of integers are all that these operators need. */
  attributes?: Record<string, number | readonly number[]>
}

export interface GraphValue {
  name: string
  type: ElementType
  /** A name stands for any number. */
  dims: readonly (number | string)[]
}

/** A float32 constant of any shape; `values` by rows. */
export interface GraphConstant {
  dims: readonly number[]
  values: Float32Array
}

type Constant = readonly number[] | Float32Array | GraphConstant

/** `constants` by name: vectors of int64, of float32 when they are a Float32Array, or a shape and its numbers. Opset 18. */
export function onnxGraph(
  input: GraphValue,
  nodes: readonly GraphNode[],
  output: GraphValue,
  constants: Readonly<Record<string, Constant>> = {},
): Uint8Array {
  const graph = [
    ...nodes.map((node) => bytes(1, nodeProto(node))),
    text(2, 'graph'),
    ...Object.entries(constants).map(([name, values]) => bytes(5, constantProto(name, values))),
    bytes(11, valueProto(input)),
    bytes(12, valueProto(output)),
  ]
  return Buffer.concat([integer(1, 8), bytes(7, Buffer.concat(graph)), bytes(8, integer(2, 18))])
}

function nodeProto({ op, inputs, output, attributes = {} }: GraphNode): Buffer {
  const named = Object.entries(attributes).map(([name, value]) => bytes(5, attributeProto(name, value)))
  return Buffer.concat([...inputs.map((name) => text(1, name)), text(2, output), text(4, op), ...named])
}

function attributeProto(name: string, value: number | readonly number[]): Buffer {
  const [INT, INTS] = [2, 7]
  if (typeof value === 'number') return Buffer.concat([text(1, name), integer(3, value), integer(20, INT)])
  return Buffer.concat([text(1, name), ...value.map((item) => integer(8, item)), integer(20, INTS)])
}

function constantProto(name: string, constant: Constant): Buffer {
  if (constant instanceof Float32Array) return constantProto(name, { dims: [constant.length], values: constant })
  if ('dims' in constant) {
    const { dims, values } = constant
    const raw = bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    return Buffer.concat([...dims.map((dim) => integer(1, dim)), integer(2, ElementType.float), text(8, name), raw])
  }
  const values = constant
  return Buffer.concat([
    integer(1, values.length),
    integer(2, ElementType.int64),
    ...values.map((value) => integer(7, value)),
    text(8, name),
  ])
}

function valueProto({ name, type, dims }: GraphValue): Buffer {
  const shape = Buffer.concat(dims.map((dim) => bytes(1, typeof dim === 'number' ? integer(1, dim) : text(2, dim))))
  return Buffer.concat([text(1, name), bytes(2, bytes(1, Buffer.concat([integer(1, type), bytes(2, shape)])))])
}

const [VARINT, LENGTH] = [0, 2]
const integer = (field: number, value: number) => Buffer.concat([varint((field << 3) | VARINT), varint(value)])
const text = (field: number, value: string) => bytes(field, Buffer.from(value))
const bytes = (field: number, value: Uint8Array) =>
  Buffer.concat([varint((field << 3) | LENGTH), varint(value.length), value])

/** Negative numbers take ten bytes, as 64-bit two's complement. */
function varint(value: number): Buffer {
  const out: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128)
  return Buffer.from([...out, Number(rest)])
}
