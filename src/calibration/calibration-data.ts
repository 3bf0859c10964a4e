/**
 * What a calibration is made of: the people who are known and the tracks that were seen. Types, and the choice of a part
 * when there is too much. Pure.
 */

export interface CalibratedPerson {
  subject: string
  /** L2-normalised, of one model. */
  embeddings: readonly Float32Array[]
  /** The picture or video that each embedding came from; not known of a gallery. */
  sources?: readonly string[]
}

export interface CalibratedTrack {
  trackId: string
  camera: string
  startMs: number
  endMs: number
  /** Who it was named as. */
  subject?: string
  /** The anonymous id of someone unknown. */
  anonymous?: string
  embeddings: readonly Float32Array[]
}

export interface CalibrationData {
  people: readonly CalibratedPerson[]
  tracks: readonly CalibratedTrack[]
}

/** All against all grows with the square: this many take some four seconds on one core. */
const MAX_PEOPLE = 200
const MAX_TRACKS = 500

/** At most MAX_PEOPLE and MAX_TRACKS, spread evenly over their order; the same data gives the same choice. */
export function boundedData({ people, tracks }: CalibrationData): CalibrationData {
  return { people: spread(people, MAX_PEOPLE), tracks: spread(tracks, MAX_TRACKS) }
}

function spread<T>(items: readonly T[], limit: number): readonly T[] {
  if (items.length <= limit) return items
  return Array.from({ length: limit }, (_, index) => items[Math.floor((index * items.length) / limit)]!)
}
