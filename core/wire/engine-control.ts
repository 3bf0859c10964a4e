/**
 * The control channel between the daemon and an engine host (Node's IPC), beside the tensor socket of core/wire/engine.
 */
import type { CodedError } from '../errors.ts'

export interface EngineModelSpec {
  id: string
  /** Absolute path of a file whose hash has to be checked again by the host before it makes a session. */
  path: string
}

export type DeviceKind = 'tensorrt' | 'cuda' | 'webgpu' | 'cpu'

export interface EngineStart {
  /** 'auto' tries CUDA, then WebGPU, then CPU; 'tensorrt' tries TensorRT, then CUDA; others are tried alone. */
  device: 'auto' | DeviceKind
  /** Which of the machine's GPUs (CUDA, TensorRT), in the order of nvidia-smi; the first when absent. */
  index?: number
  socketPath: string
  models: EngineModelSpec[]
  batch: { max: number; maxWaitMs: number; targetLatencyMs?: number; queueLimit: number }
  /** Requests that one session may have open. */
  credits: number
  /** Intra-op threads of ONNX Runtime. */
  threads: number
}

export interface DeviceReport {
  chosen: DeviceKind
  /** In the order tried. */
  refused: { device: DeviceKind; reason: string }[]
}

export interface ModelFigures {
  /** Largest batch now. */
  batchCap: number
  /** Queue and run of recent requests, ms; 0 when there were none. */
  latencyP50Ms: number
  latencyP95Ms: number
}

export interface EngineFigures {
  queueDepth: number
  /** Age of the batch that is running, ms; `null` when idle. */
  runningForMs: number | null
  completed: number
  failed: number
  expired: number
  /** By model id. */
  models?: Record<string, ModelFigures>
  /** Since the last heartbeat, at most 64 a model. */
  samples: Record<string, { batchSizes: number[]; runMs: number[] }>
  rssBytes: number
}

export type ToEngine =
  | { type: 'start'; incarnation: number; start: EngineStart }
  /** Serve these models from now on, without a restart; what is queued for the others is answered first. */
  | { type: 'models'; incarnation: number; requestId: number; models: EngineModelSpec[] }
  | { type: 'stop'; incarnation: number }

export type FromEngine =
  | { type: 'hello'; incarnation: 0; pid: number }
  | { type: 'ready'; incarnation: number; device: DeviceReport; models: string[] }
  | { type: 'heartbeat'; incarnation: number; figures: EngineFigures }
  | { type: 'models.ready'; incarnation: number; requestId: number; models: string[] }
  /** The models of before are served on. */
  | { type: 'models.failed'; incarnation: number; requestId: number; error: CodedError }
  | { type: 'failed'; incarnation: number; error: CodedError }
