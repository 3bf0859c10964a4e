/**
 * Messages between the engine host's I/O thread and its inference thread (worker_threads). Runs in engine hosts. Pictures
 * lie in shared memory (models/picture-pool): the inference thread reads them only between a batch's start and its answer.
 * Results change hands by transfer.
 *
 * A batch is either told to run (`sure`), or offered while another runs. An offer counts only as long as its number stands in
 * the one word of shared memory that both threads have: whoever exchanges it for 0 has decided, the inference thread by
 * taking the batch, the I/O thread by taking it back. So the next batch is there the moment the device is free, and until
 * that moment it can still lose a request that expires, or gain one that arrives.
 */
import type { CodedError } from '../core/errors.ts'
import type { DeviceReport, EngineStart } from '../core/wire/engine-control.ts'
import type { BatchOutcome, BatchPicture } from './batch-run.ts'
import type { ModelEntry } from './manifest.ts'

/** A model's file and row, under a name that two versions of one model do not share. */
export interface ModelFile {
  key: string
  entry: ModelEntry
  /** Their hash was checked. */
  bytes: Uint8Array
}

export interface LoadModels {
  type: 'load'
  device: EngineStart['device']
  /** Of the GPU; the first when absent. */
  index?: number
  /** Intra-op threads. */
  threads: number
  models: ModelFile[]
}

/** Loads one more model on the device that was chosen. */
export interface AddModel {
  type: 'add'
  model: ModelFile
}

/** Not answered. The models are not used by any batch that is still to come. */
export interface DropModels {
  type: 'drop'
  keys: string[]
}

export interface RunBatch {
  type: 'run'
  /** Distinct and not 0 while the thread lives. */
  seq: number
  /** False: an offer, see above. */
  sure: boolean
  /** The key of a model. */
  model: string
  items: readonly BatchPicture[]
}

export type ToInference = LoadModels | AddModel | DropModels | RunBatch

/** One answer to each `load`, each `add` and each batch that was run, in order. */
export type FromInference =
  | { type: 'loaded'; device: DeviceReport }
  | { type: 'added' }
  | { type: 'load.failed'; error: CodedError }
  | Ran

export interface Ran {
  type: 'ran'
  seq: number
  outcome: BatchOutcome
  runMs: number
  /** The offer that was taken right after, and runs; 0 when none. */
  next: number
}
