/**
 * Messages between the engine host's I/O thread and its inference thread (worker_threads). Runs in engine hosts. Pixels and results change
 * hands by transfer: the sender must not touch them afterwards.
 */
import type { CodedError } from '../core/errors.ts'
import type { DeviceReport, EngineStart } from '../core/wire/engine-control.ts'
import type { BatchOutcome, BatchPicture } from './batch-run.ts'
import type { ModelEntry } from './manifest.ts'

export interface LoadModels {
  type: 'load'
  device: EngineStart['device']
  /** Of the GPU; the first when absent. */
  index?: number
  /** Intra-op threads. */
  threads: number
  /** Files whose hash was checked. */
  models: { entry: ModelEntry; bytes: Uint8Array }[]
}

export interface RunBatch {
  type: 'run'
  model: string
  items: BatchPicture[]
}

export type ToInference = LoadModels | RunBatch

/** Exactly one answer to each message, in order. */
export type FromInference =
  | { type: 'loaded'; device: DeviceReport }
  | { type: 'load.failed'; error: CodedError }
  | { type: 'ran'; outcome: BatchOutcome; runMs: number }
