/**
 * Which faces of a picture or video make a person known, or why none may. Pure.
 */
import { GrabberError } from '../../core/errors.ts'
import type { StillFace } from '../../core/wire/control.ts'
import { MIN_EMBED_QUALITY } from '../../streams/analysis/embed-policy.ts'

/** Embeddings of one enrolment; the control socket takes no more. */
export const MAX_EMBEDDINGS = 100

/** Of the faces of a video; one who passes through the picture is left out, two who share it are refused. */
const MIN_ALIKE_RATIO = 2 / 3

type Usable = StillFace & { embedding: Float32Array }

/**
 * The embeddings of the one person in `moments` (of a picture: one; of a video: several), each L2-normalised.
 * GAL_NO_FACE when no moment shows a face that can be recognised. GAL_SEVERAL_FACES when a picture shows more than one
 * face, however small; when a moment of a video shows more than one that can be recognised; or when too many of its faces
 * are less alike the most typical one than `alikeThreshold`.
 */
export function enrolmentOf(
  file: string,
  moments: readonly { faces: readonly StillFace[] }[],
  alikeThreshold: number,
): Float32Array[] {
  const crowded = moments.length === 1 ? moments[0]!.faces.length > 1 : moments.some(hasSeveral)
  if (crowded) throw several(file, 'several faces were found')
  // A moment with a second, unrecognisable face tells nothing that the others do not: it is left out.
  const usable = moments.filter(({ faces }) => faces.length === 1).flatMap(({ faces }) => faces.filter(isUsable))
  const typical = medoid(usable)
  if (!typical) throw new GrabberError('GAL_NO_FACE', `${file}: no face was found that can be recognised`)
  const alike = usable.filter((face) => cosine(face, typical) >= alikeThreshold)
  if (alike.length < MIN_ALIKE_RATIO * usable.length) throw several(file, 'it shows different people')
  return alike.map(({ embedding }) => embedding)
}

/** The face that is most alike to all the others: unlike their mean it is a face, also when they are two people's. */
function medoid(faces: readonly Usable[]): Usable | undefined {
  let best: { face: Usable; sum: number } | undefined
  for (const face of faces) {
    const sum = faces.reduce((total, other) => total + cosine(face, other), 0)
    if (!best || sum > best.sum) best = { face, sum }
  }
  return best?.face
}

function isUsable(face: StillFace): face is Usable {
  return face.embedding !== undefined && face.quality >= MIN_EMBED_QUALITY
}

function hasSeveral({ faces }: { faces: readonly StillFace[] }): boolean {
  return faces.filter(isUsable).length > 1
}

function several(file: string, what: string): GrabberError {
  return new GrabberError('GAL_SEVERAL_FACES', `${file}: ${what}; it is not clear who is meant`)
}

function cosine(a: Usable, b: Usable): number {
  return a.embedding.reduce((sum, value, index) => sum + value * b.embedding[index]!, 0)
}
