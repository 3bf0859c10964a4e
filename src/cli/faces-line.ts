/**
 * A picture's faces as the object of one JSON line. Pure. Numbers are rounded: a line is read by people as well.
 */
import type { Liveness } from '../../core/observation.ts'
import type { FaceGallery } from '../../core/ports.ts'
import type { StillFace } from '../../core/wire/control.ts'
import { acceptedMatch, type MatchLimits } from '../../streams/analysis/identity.ts'

export interface LineOptions {
  /** With the embeddings. */
  embed: boolean
  /** With who it is; one embedding is judged, by the same limits as a track's template. */
  identify?: MatchLimits & { gallery: Pick<FaceGallery, 'search'> }
}

interface SeenStill {
  width: number
  height: number
  faces: readonly StillFace[]
}

const rounded = (digits: number) => (value: number) => Number(value.toFixed(digits))
const px = rounded(2)
const ratio = rounded(4)
/** An embedding keeps its length of 1 to better than 1e-5. */
const component = rounded(7)

/** Best face first. px of the upright original. */
export function stillLine(file: string, { width, height, faces }: SeenStill, options: LineOptions): object {
  return { file, width, height, faces: faces.map((face) => faceEntry(face, options)) }
}

function faceEntry(face: StillFace, { embed, identify }: LineOptions): object {
  const { box, score, landmarks, quality, liveness, embedding } = face
  return {
    box: box.map(px),
    score: ratio(score),
    landmarks: landmarks.map((point) => point.map(px)),
    quality: ratio(quality),
    ...(liveness ? { liveness: roundLiveness(liveness) } : {}),
    ...(identify ? { match: embedding ? match(embedding, identify) : null } : {}),
    ...(embed && embedding ? { embedding: Array.from(embedding, component) } : {}),
  }
}

function roundLiveness({ verdict, score }: Liveness): Liveness {
  return score === undefined ? { verdict } : { verdict, score: ratio(score) }
}

function match(embedding: Float32Array, { gallery, ...limits }: NonNullable<LineOptions['identify']>): object | null {
  const accepted = acceptedMatch(gallery.search(embedding, 2), limits)
  if (!accepted) return null
  const { subject, similarity, margin } = accepted
  return { subject, similarity: ratio(similarity), margin: ratio(margin) }
}
