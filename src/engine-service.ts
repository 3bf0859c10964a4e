/**
 * The engines as the application runs them: which devices, with which models and limits. Runs in the daemon and in commands
 * that need inference.
 */
import { availableParallelism } from 'node:os'
import { EngineFleet, type EngineFleetOptions } from '../actors/engine-fleet.ts'
import type { Config } from '../config/schema.ts'
import { toGrabberError } from '../core/errors.ts'
import { type EnginePlan, type GpuFindings, planEngines } from './engine-plan.ts'
import { readGpus } from './ops/gpu-watch.ts'

/** Requests one session may have open: two frames' detections and a frame's faces. */
const CREDITS = 8

/** Intra-op threads of ONNX Runtime. One core is left for decoding; more than four bring little to models this small. */
export function engineThreads({ threads }: Config['engine']): number {
  return threads === 'auto' ? Math.max(1, Math.min(4, availableParallelism() - 1)) : threads
}

export interface EngineServiceOptions extends Omit<EngineFleetOptions, 'slots' | 'start' | 'refused'> {
  config: Config['engine']
  gpus: GpuFindings
}

export class EngineService extends EngineFleet {
  readonly plan: EnginePlan

  constructor({ config, gpus, ...options }: EngineServiceOptions) {
    const { queueLimit, batch } = config
    const plan = planEngines(config, gpus)
    const { max, maxWaitMs, targetLatencyMs } = batch
    const start = {
      credits: CREDITS,
      batch: { max, maxWaitMs, targetLatencyMs, queueLimit },
      threads: engineThreads(config),
    }
    super({ ...options, slots: plan.slots, start, refused: plan.refused })
    this.plan = plan
  }
}

/** The NVIDIA GPUs, or why nothing is known of them. Nobody is asked when none is wanted. */
export async function findGpus({ device, devices }: Config['engine']): Promise<GpuFindings> {
  const kinds = devices === 'auto' ? [device] : devices.map((each) => each.device)
  if (kinds.every((kind) => kind === 'cpu' || kind === 'webgpu')) return undefined
  // Its first start after a boot may load the driver, which takes longer than its limit.
  const again = () => readGpus()
  return readGpus()
    .catch(again)
    .catch((error: unknown) => toGrabberError(error).message)
}
