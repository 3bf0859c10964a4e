/**
 * Whether a file that was loaded is the network that its entry describes: what it takes, what it gives, whether it answers
 * numbers. Pure; runs in the engine's inference thread, once for each model that is loaded.
 */
import { GrabberError } from '../core/errors.ts'
import type { DeviceKind } from '../core/wire/engine-control.ts'
import type { ModelTensor } from './adapter.ts'
import type { ModelEntry } from './model-entry.ts'

/** As ONNX Runtime describes an input or output; a dimension that is a name takes any size. */
export interface TensorSignature {
  readonly name: string
  readonly isTensor: boolean
  readonly type?: string
  readonly shape?: readonly (number | string)[]
}

const CHANNELS = 3
/** Numbers that YuNet gives for each cell, by output. */
const YUNET_CHANNELS: Record<string, number> = { cls: 1, obj: 1, bbox: 4, kps: 10 }
/** Live, and two kinds of spoof. */
const LIVENESS_CLASSES = 3
const YUNET_STRIDES = [8, 16, 32]

/** MDL_MISMATCH when the file's inputs and outputs are not those of `entry`. */
export function checkSignature(
  entry: ModelEntry,
  inputs: readonly TensorSignature[],
  outputs: readonly TensorSignature[],
): void {
  const problems = [...inputProblems(entry, inputs), ...outputProblems(entry, outputs)]
  if (problems.length === 0) return
  throw new GrabberError('MDL_MISMATCH', `${entry.file} is not what ${entry.id} states: ${problems.join('; ')}`, {
    context: { model: entry.id, problems },
  })
}

/**
 * MDL_OUTPUT when a model answers NaN or infinity to a grey picture. On a GPU the driver may be at fault: then it is an
 * ordinary error, and the next device is tried.
 */
export function checkAnswer(entry: ModelEntry, device: DeviceKind, outputs: Record<string, ModelTensor>): void {
  for (const [name, { data }] of Object.entries(outputs)) {
    if (data.every((value) => Number.isFinite(value))) continue
    const what = `${entry.id} answers what is no number (output ${name})`
    throw device === 'cpu' ? new GrabberError('MDL_OUTPUT', what, { context: { model: entry.id } }) : new Error(what)
  }
}

/** What ONNX Runtime says of a file that is no model becomes MDL_NOT_ONNX; everything else stays what it is. */
export function loadFault(entry: ModelEntry, error: unknown): unknown {
  const text = error instanceof Error ? error.message : String(error)
  if (!/protobuf|Model data pointer is null|No graph was found|ModelProto/i.test(text)) return error
  return new GrabberError('MDL_NOT_ONNX', `${entry.file} is not an ONNX model`, {
    cause: error,
    context: { model: entry.id },
  })
}

function inputProblems({ input }: ModelEntry, inputs: readonly TensorSignature[]): string[] {
  const [first, ...more] = inputs
  if (first === undefined || more.length > 0) return [`it takes ${inputs.length} inputs, not one picture`]
  const { shape, type } = first
  if (type !== input.dtype) return [`it takes ${type}, not ${input.dtype}`]
  if (shape?.length !== 4) return [`it takes ${show(shape)}, not [N,3,H,W]`]
  const [batch, channels, height, width] = shape
  const problems: string[] = []
  const fits = (dimension: number | string | undefined, wanted: number | null) =>
    typeof dimension !== 'number' || dimension < 0 || dimension === wanted
  if (!fits(channels, CHANNELS)) problems.push(`it takes ${channels} channels, not ${CHANNELS}`)
  if (!fits(height, input.fixedSidePx) || !fits(width, input.fixedSidePx)) {
    problems.push(`it takes ${width}×${height}, not ${input.fixedSidePx ?? 'any size'}`)
  }
  if (typeof batch === 'number' && batch > 0 && batch !== input.maxBatch) {
    problems.push(`its batch is fixed at ${batch} (maxBatch: ${input.maxBatch ?? 'any'})`)
  }
  return problems
}

function outputProblems(entry: ModelEntry, outputs: readonly TensorSignature[]): string[] {
  if (entry.kind === 'face-detector') {
    return YUNET_STRIDES.flatMap((stride) =>
      Object.entries(YUNET_CHANNELS).flatMap(([name, channels]) => {
        const output = outputs.find((one) => one.name === `${name}_${stride}`)
        if (!output) return [`it has no output ${name}_${stride}`]
        const last = output.shape?.at(-1)
        return typeof last === 'number' && last !== channels
          ? [`its output ${output.name} is ${show(output.shape)}`]
          : []
      }),
    ).slice(0, 3)
  }
  if (entry.kind === 'dense-features') return featureProblems(entry, outputs)
  const wanted = entry.kind === 'face-embedder' ? entry.dimension : LIVENESS_CLASSES
  const shape = outputs[0]?.shape
  const last = shape?.at(-1)
  if (shape?.length !== 2) return [`it gives ${show(shape)}, not [N,${wanted}]`]
  return typeof last === 'number' && last !== wanted ? [`its answers have ${last} numbers, not ${wanted}`] : []
}

function featureProblems({ patches, dimension }: ModelEntry, outputs: readonly TensorSignature[]): string[] {
  if (!patches) return []
  const problems: string[] = []
  const check = (name: string, dims: number, at: number, wanted: number | null) => {
    const shape = outputs.find((one) => one.name === name)?.shape
    const size = shape?.[at]
    if (shape?.length !== dims || (typeof size === 'number' && size > 0 && size !== wanted)) {
      problems.push(`its output ${name} is ${show(shape)}; of ${dims} dimensions, number ${at + 1} is to be ${wanted}`)
    }
  }
  if (patches.layout === 'map') check(patches.output, 4, 1, dimension)
  else check(patches.output, 3, 2, dimension)
  if (patches.weight !== null) check(patches.weight, 4, 1, 1)
  return problems
}

function show(shape: readonly (number | string)[] | undefined): string {
  return shape ? `[${shape.join(',')}]` : 'no tensor'
}
