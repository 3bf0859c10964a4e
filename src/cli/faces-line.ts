/**
 * A picture's faces as the object of one JSON line. Numbers are rounded: a line is read by people as well.
 */
import type { Liveness } from '../../core/observation.ts'
import type { FaceGallery } from '../../core/ports.ts'
import type { StillFace } from '../../core/wire/control.ts'
import { acceptedMatch, type MatchLimits } from '../../streams/analysis/identity.ts'

export interface LineOptions {
  /** With the embeddings. */
  embed: boolean
  /** With who it is; one embedding is judged, by the same limits as a track's template. */
  identify?: MatchLimits & {
    gallery: Searched
    /** People without a name: then a face of nobody known is looked for among them. */
    visitors?: Searched
  }
}

type Searched = Pick<FaceGallery, 'search'>

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
export async function stillLine(file: string, still: SeenStill, options: LineOptions): Promise<object> {
  const { width, height, faces } = still
  return { file, width, height, faces: await Promise.all(faces.map((face) => faceEntry(face, options))) }
}

async function faceEntry(face: StillFace, { embed, identify }: LineOptions): Promise<object> {
  const { box, score, landmarks, quality, liveness, embedding } = face
  return {
    box: box.map(px),
    score: ratio(score),
    landmarks: landmarks.map((point) => point.map(px)),
    quality: ratio(quality),
    ...(liveness ? { liveness: roundLiveness(liveness) } : {}),
    ...(identify ? await who(embedding, identify) : {}),
    ...(embed && embedding ? { embedding: Array.from(embedding, component) } : {}),
  }
}

/** `match`, and `unknown` when people without a name are given; `null` for nobody. */
async function who(
  embedding: Float32Array | undefined,
  { gallery, visitors, ...limits }: NonNullable<LineOptions['identify']>,
): Promise<object> {
  const nearest = async (among: Searched) =>
    embedding ? acceptedMatch(await among.search(embedding, 2), limits) : undefined
  const known = await nearest(gallery)
  const match = known
    ? { subject: known.subject, similarity: ratio(known.similarity), margin: ratio(known.margin) }
    : null
  if (!visitors) return { match }
  const visitor = known ? undefined : await nearest(visitors)
  return { match, unknown: visitor ? { id: visitor.subject, similarity: ratio(visitor.similarity) } : null }
}

function roundLiveness({ verdict, score }: Liveness): Liveness {
  return score === undefined ? { verdict } : { verdict, score: ratio(score) }
}
