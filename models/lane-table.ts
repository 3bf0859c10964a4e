/**
 * What the engine has learnt about its lanes (one model, one picture size): how large a batch may be, and what a picture
 * costs. Bounded; pure; runs in the engine host's I/O thread.
 */
import type { Size } from '../core/geometry.ts'
import type { BatchSettings } from '../core/wire/engine-control.ts'
import { BatchLimit } from './batch-limit.ts'
import type { BatchOutcome } from './batch-run.ts'
import { BatchWorth } from './batch-worth.ts'
import type { ModelEntry } from './model-entry.ts'

/** Pixels of one batch: float32 planes and activations of eight large pictures together would not fit in memory. */
const MAX_BATCH_PX = 4096 * 4096
/** Lanes that are remembered; the one asked for longest ago is forgotten first, and starts anew. */
const MAX_LANES = 128
/** Of a model that never ran; what it is worth against other models is known after its first batch. */
const FIRST_MS_PER_PX = 2e-5
/** Share of the newest batch in the smoothed cost. */
const NEWEST = 0.2

interface LaneSizes {
  /** What the device can bear. */
  limit: BatchLimit
  /** What pays. */
  worth: BatchWorth
}

export class LaneTable {
  readonly #batch: BatchSettings
  /** By lane; the lane asked for last comes last. Names begin with the model's key and a slash. */
  readonly #lanes = new Map<string, LaneSizes>()
  /** By model key. */
  readonly #msPerPx = new Map<string, number>()

  constructor(batch: BatchSettings) {
    this.#batch = batch
  }

  /** Largest batch of the lane now, ≥ 1. */
  limit(lane: string, entry: ModelEntry, picture: Size): number {
    const sizes = this.#lanes.get(lane) ?? this.#newLane(entry)
    this.#lanes.delete(lane)
    this.#lanes.set(lane, sizes)
    if (this.#lanes.size > MAX_LANES) this.#lanes.delete(this.#lanes.keys().next().value!)
    const fitting = Math.floor(MAX_BATCH_PX / (picture.width * picture.height))
    return Math.max(1, Math.min(sizes.limit.value, sizes.worth.value, fitting))
  }

  /** What the device can bear, of the model's lane that can bear least. */
  smallestLimit(key: string, entry: ModelEntry): number {
    let smallest = this.#max(entry)
    for (const [lane, { limit }] of this.#lanes) {
      if (lane.startsWith(`${key}/`)) smallest = Math.min(smallest, limit.value)
    }
    return smallest
  }

  /** Measured device time of one picture in a batch, ms. */
  costMs(key: string, picture: Size): number {
    return picture.width * picture.height * (this.#msPerPx.get(key) ?? FIRST_MS_PER_PX)
  }

  ran(lane: string, key: string, picture: Size, size: number, runMs: number, outcome: BatchOutcome): void {
    const sizes = this.#lanes.get(lane)
    if (outcome.outOfMemory) sizes?.limit.outOfMemory(size)
    else if (!outcome.split) {
      sizes?.limit.ran(size, runMs)
      sizes?.worth.ran(size, runMs)
    }
    if (outcome.split) return
    const msPerPx = runMs / (size * picture.width * picture.height)
    const before = this.#msPerPx.get(key)
    this.#msPerPx.set(key, before === undefined ? msPerPx : before + NEWEST * (msPerPx - before))
  }

  forget(key: string): void {
    this.#msPerPx.delete(key)
    for (const lane of [...this.#lanes.keys()]) if (lane.startsWith(`${key}/`)) this.#lanes.delete(lane)
  }

  #newLane(entry: ModelEntry): LaneSizes {
    const max = this.#max(entry)
    return { limit: new BatchLimit(max, this.#batch.targetLatencyMs), worth: new BatchWorth(max) }
  }

  #max(entry: ModelEntry): number {
    return Math.min(this.#batch.max, entry.input.maxBatch ?? this.#batch.max)
  }
}
