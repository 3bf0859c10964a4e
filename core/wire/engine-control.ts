/**
 * The control channel between the daemon and an engine host (Node's IPC), beside the tensor socket of core/wire/engine.
 */
import type { CodedError } from '../errors.ts'

export interface EngineModelSpec {
  id: string
  /** Absolute path of a file whose hash has to be checked again by the host before it makes a session. */
  path: string
  /** Its manifest entry, checked by the host's schema; absent for models of the program's own manifest. */
  entry?: object
}

export type DeviceKind = 'tensorrt' | 'cuda' | 'webgpu' | 'cpu'

export interface BatchSettings {
  /** Most pictures in one run. */
  max: number
  /** How long a request may be passed over for a fuller batch. Nothing waits for a batch to fill. */
  maxWaitMs: number
  /** Queue and run of a request together, to which the batch sizes are adapted. */
  targetLatencyMs: number
  queueLimit: number
}

export interface EngineStart {
  /** 'auto' tries CUDA, then WebGPU, then CPU; 'tensorrt' tries TensorRT, then CUDA; others are tried alone. */
  device: 'auto' | DeviceKind
  /** Which of the machine's GPUs (CUDA, TensorRT), in the order of nvidia-smi; the first when absent. */
  index?: number
  socketPath: string
  models: EngineModelSpec[]
  batch: BatchSettings
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
  /** Largest batch that the device bears now, of its picture size that has the smallest one. */
  batchCap: number
  /** Queue and run of the requests of the last ten seconds, of 256 at most, ms; 0 when there were none. */
  latencyP50Ms: number
  latencyP95Ms: number
}

/** Counts go on while the engine lives; each request is in exactly one of them, unless its session left. */
export interface EngineFigures {
  queueDepth: number
  /** Age of the batch that is running, ms; `null` when idle. */
  runningForMs: number | null
  /** Age of the loading of a model, at the start or for a swap, ms; `null` when none is loaded. */
  loadingForMs: number | null
  completed: number
  /** Refused as unknown or unfit, or poison. */
  failed: number
  expired: number
  /** ENG_QUEUE_FULL. */
  refused: number
  /** By model id. */
  models: Record<string, ModelFigures>
  /** Batches since the last heartbeat, at most 64 a model. */
  samples: Record<string, { batchSizes: number[]; runMs: number[] }>
  rssBytes: number
}

export type ToEngine =
  | { type: 'start'; incarnation: number; start: EngineStart }
  /** The models to serve from now on: new ones are loaded beside the old, then all change between two batches. */
  | { type: 'models'; incarnation: number; requestId: number; models: EngineModelSpec[] }
  | { type: 'stop'; incarnation: number }

export type FromEngine =
  | { type: 'hello'; incarnation: 0; pid: number }
  | { type: 'ready'; incarnation: number; device: DeviceReport; models: string[] }
  /** Answer to `models`: these are served, and no other. */
  | { type: 'models.ready'; incarnation: number; requestId: number; models: string[] }
  /** Answer to `models`: everything is as it was. */
  | { type: 'models.failed'; incarnation: number; requestId: number; error: CodedError }
  | { type: 'heartbeat'; incarnation: number; figures: EngineFigures }
  | { type: 'failed'; incarnation: number; error: CodedError }
