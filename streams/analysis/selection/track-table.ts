/**
 * The points that are followed and what is remembered of each, one column per property. Pure state of fixed size.
 * Places are px of the analysis picture; a place that a point does not have (it was not there) is NaN.
 */

/** As many earlier keyframes as a point's bits tell of: the links of a keyframe record. */
export const REMEMBERED_KEYFRAMES = 16

/** Saved as JSON: numbers round-trip exactly, NaN becomes null. */
export interface TrackRows {
  x: number[]
  y: number[]
  keyX: (number | null)[]
  keyY: (number | null)[]
  seen: number[]
  sightings: number[]
  contrast: number[]
  light: number[]
  misses: number[]
}

export class TrackTable {
  readonly capacity: number
  count = 0
  /** Where it is now. */
  readonly x: Float64Array
  readonly y: Float64Array
  /** Where it was in the last keyframe. */
  readonly keyX: Float64Array
  readonly keyY: Float64Array
  /** Where it was in the candidate that is held. Not saved: states are taken when none is. */
  readonly heldX: Float64Array
  readonly heldY: Float64Array
  /** Bit k: it was seen in the k-th newest keyframe. */
  readonly seen: Int32Array
  /** Keyframes it was seen in. */
  readonly sightings: Int32Array
  /** Upper envelope of the gradient energy around it, relative to its light: how sharp it has been. */
  readonly contrast: Float64Array
  /** Mean of its patch when last seen, grey levels. */
  readonly light: Float64Array
  /** Times in a row that it was not found while the camera stood still. */
  readonly misses: Int32Array

  constructor(capacity: number) {
    this.capacity = capacity
    const places = () => new Float64Array(capacity)
    this.x = places()
    this.y = places()
    this.keyX = places()
    this.keyY = places()
    this.heldX = places()
    this.heldY = places()
    this.contrast = places()
    this.light = places()
    this.seen = new Int32Array(capacity)
    this.sightings = new Int32Array(capacity)
    this.misses = new Int32Array(capacity)
  }

  /** A point that nobody has seen before; not taken when the table is full. */
  add(x: number, y: number): void {
    if (this.count === this.capacity) return
    const i = this.count++
    this.x[i] = x
    this.y[i] = y
    this.keyX[i] = this.keyY[i] = this.heldX[i] = this.heldY[i] = Number.NaN
    this.contrast[i] = this.light[i] = 0
    this.seen[i] = this.sightings[i] = this.misses[i] = 0
  }

  /** Keeps the points for which `stays` is true, in their order. */
  retain(stays: (index: number) => boolean): void {
    let to = 0
    for (let i = 0; i < this.count; i++) {
      if (!stays(i)) continue
      if (to !== i) this.#move(i, to)
      to++
    }
    this.count = to
  }

  /** What is seen now is what the held candidate shows. */
  hold(): void {
    this.heldX.set(this.x)
    this.heldY.set(this.y)
  }

  /** The held candidate has become a keyframe. */
  commitHeld(): void {
    for (let i = 0; i < this.count; i++) {
      const wasThere = !Number.isNaN(this.heldX[i]!)
      this.keyX[i] = this.heldX[i]!
      this.keyY[i] = this.heldY[i]!
      this.seen[i] = ((this.seen[i]! << 1) | (wasThere ? 1 : 0)) & ((1 << REMEMBERED_KEYFRAMES) - 1)
      if (wasThere) this.sightings[i] = this.sightings[i]! + 1
      this.heldX[i] = this.heldY[i] = Number.NaN
    }
  }

  /** Nobody is held any more. */
  dropHeld(): void {
    this.heldX.fill(Number.NaN)
    this.heldY.fill(Number.NaN)
  }

  clear(): void {
    this.count = 0
  }

  save(): TrackRows {
    const rows = (column: Float64Array | Int32Array) => Array.from(column.subarray(0, this.count))
    return {
      x: rows(this.x),
      y: rows(this.y),
      keyX: rows(this.keyX),
      keyY: rows(this.keyY),
      seen: rows(this.seen),
      sightings: rows(this.sightings),
      contrast: rows(this.contrast),
      light: rows(this.light),
      misses: rows(this.misses),
    }
  }

  load(rows: TrackRows): void {
    this.count = Math.min(rows.x.length, this.capacity)
    const fill = (column: Float64Array | Int32Array, values: readonly (number | null)[]) => {
      for (let i = 0; i < this.count; i++) column[i] = values[i] ?? Number.NaN
    }
    fill(this.x, rows.x)
    fill(this.y, rows.y)
    fill(this.keyX, rows.keyX)
    fill(this.keyY, rows.keyY)
    fill(this.seen, rows.seen)
    fill(this.sightings, rows.sightings)
    fill(this.contrast, rows.contrast)
    fill(this.light, rows.light)
    fill(this.misses, rows.misses)
    this.dropHeld()
  }

  #move(from: number, to: number): void {
    const columns = [this.x, this.y, this.keyX, this.keyY, this.heldX, this.heldY, this.contrast, this.light]
    for (const column of columns) column[to] = column[from]!
    for (const column of [this.seen, this.sightings, this.misses]) column[to] = column[from]!
  }
}
