/**
 * The control channel between the daemon and an engine host (Node's IPC), beside the tensor socket of core/wire/engine.
 */
import type { CodedError } from '../errors.ts'

export interface EngineModelSpec {
  id: string
  /** Absolute path of a file whose hash has to be checked again by the host before it makes a session. */
  path: string
  /** Absolute path of the manifest that has its entry; absent for models of the program's own. */
  manifest?: string
}

export type DeviceKind = 'cuda' | 'webgpu' | 'cpu'

export interface EngineStart {
  /** 'auto' tries CUDA, then WebGPU, then CPU. */
  device: 'auto' | DeviceKind
  socketPath: string
  models: EngineModelSpec[]
  batch: { max: number; maxWaitMs: number; queueLimit: number }
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

export interface EngineFigures {
  queueDepth: number
  /** Age of the batch that is running, ms; `null` when idle. */
  runningForMs: number | null
  completed: number
  failed: number
  expired: number
  /** Since the last heartbeat, at most 64 a model. */
  samples: Record<string, { batchSizes: number[]; runMs: number[] }>
  rssBytes: number
}

export type ToEngine =
  | { type: 'start'; incarnation: number; start: EngineStart }
  | { type: 'stop'; incarnation: number }

export type FromEngine =
  | { type: 'hello'; incarnation: 0; pid: number }
  | { type: 'ready'; incarnation: number; device: DeviceReport; models: string[] }
  | { type: 'heartbeat'; incarnation: number; figures: EngineFigures }
  | { type: 'failed'; incarnation: number; error: CodedError }
