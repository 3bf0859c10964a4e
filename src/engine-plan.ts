/**
 * From the configuration and the GPUs that are there to the engines that are to be started, and what is refused before any
 * is. Pure. Runs in the daemon and in commands.
 */
import type { EngineSlot } from '../actors/engine-unit.ts'
import type { Config } from '../config/schema.ts'
import type { DeviceKind } from '../core/wire/engine-control.ts'
import type { GpuFigures } from '../models/gpu-figures.ts'

/** Pascal: what the CUDA 12 libraries and FP32 throughput are worth having from (REQUIREMENTS G3). */
const MIN_COMPUTE_CAPABILITY = 6.0
/** Loading and warming up; a software GPU takes 6 s to create a session (FACTS). */
const READY_MS = 60_000
/** TensorRT builds its engines when a model is loaded, and onnxruntime-node has no option to keep them. */
const TENSORRT_READY_MS = 600_000

export interface RefusedGpu {
  /** Such as `cuda-1`. */
  device: string
  reason: string
}

export interface EnginePlan {
  slots: EngineSlot[]
  refused: RefusedGpu[]
}

/** What is known of the machine's NVIDIA GPUs: `undefined` without nvidia-smi, a text when it failed. */
export type GpuFindings = readonly GpuFigures[] | string | undefined

export function planEngines({ device, devices }: Config['engine'], findings: GpuFindings): EnginePlan {
  const gpus = typeof findings === 'object' ? findings : []
  const refused: RefusedGpu[] = typeof findings === 'string' ? [{ device: 'cuda', reason: findings }] : []
  if (devices !== 'auto') {
    return withoutWeak(
      devices.map(({ device: kind, index }) => slot(kind, index, gpus)),
      gpus,
      refused,
    )
  }
  // Only NVIDIA's GPUs can be told apart; any other is found by the one engine that looks for itself.
  if (device === 'cpu' || device === 'webgpu' || gpus.length === 0) return { slots: [alone(device)], refused }
  const kind = device === 'tensorrt' ? 'tensorrt' : 'cuda'
  const each = gpus.map(({ index }) => slot(kind, index, gpus))
  const plan = withoutWeak(each, gpus, refused)
  if (device !== 'auto') return plan
  const [first, ...others] = plan.slots
  if (first === undefined) return { ...plan, slots: [slot('cpu', 0, [])] }
  // When CUDA does not run after all, one engine takes WebGPU or the CPU; the others are refused and probed.
  return { ...plan, slots: [{ ...first, id: 'auto', device: 'auto' }, ...others] }
}

function alone(device: Config['engine']['device']): EngineSlot {
  return { id: device, device, index: 0, name: null, readyMs: device === 'tensorrt' ? TENSORRT_READY_MS : READY_MS }
}

function slot(device: DeviceKind, index: number, gpus: readonly GpuFigures[]): EngineSlot {
  const name = isCuda(device) ? (gpus.find((gpu) => gpu.index === index)?.name ?? null) : null
  return { ...alone(device), id: `${device}-${index}`, index, name }
}

function isCuda(device: EngineSlot['device']): boolean {
  return device === 'cuda' || device === 'tensorrt'
}

function withoutWeak(slots: EngineSlot[], gpus: readonly GpuFigures[], refused: RefusedGpu[]): EnginePlan {
  const weak = slots.flatMap(({ id, device, index }) => {
    const capability = gpus.find((gpu) => gpu.index === index)?.computeCapability ?? null
    if (!isCuda(device) || capability === null || capability >= MIN_COMPUTE_CAPABILITY) return []
    const reason = `its compute capability ${capability.toFixed(1)} is below ${MIN_COMPUTE_CAPABILITY.toFixed(1)}`
    return [{ device: id, reason }]
  })
  const isWeak = ({ id }: EngineSlot) => weak.some(({ device }) => device === id)
  return { slots: slots.filter((each) => !isWeak(each)), refused: [...refused, ...weak] }
}
