/**
 * Which faces of a picture or video make a person known, or why none may. Pure.
 */
import { GrabberError } from '../../core/errors.ts'
import type { StillFace } from '../../core/wire/control.ts'
import { MIN_EMBED_QUALITY } from '../../streams/analysis/embed-policy.ts'

/** Embeddings of one enrolment; the control socket takes no more. */
export const MAX_EMBEDDINGS = 100

type Usable = StillFace & { embedding: Float32Array }

/**
 * The embeddings of the one person in `moments` (of a picture: one; of a video: several), each L2-normalised.
 * GAL_NO_FACE when no moment shows a face that can be recognised. GAL_SEVERAL_FACES when a picture shows more than one
 * face, however small, or a video more than one that can be recognised, or different ones one after the other (less alike
 * than `alikeThreshold` to the clearest of them).
 */
export function enrolmentOf(
  file: string,
  moments: readonly { faces: readonly StillFace[] }[],
  alikeThreshold: number,
): Float32Array[] {
  const crowded = moments.length === 1 ? moments[0]!.faces.length > 1 : moments.some(hasSeveral)
  if (crowded) throw several(file, 'several faces were found')
  // A moment with a second, unrecognisable face tells nothing that the others do not; its embeddings are left out.
  const usable = moments.filter(({ faces }) => faces.length === 1).flatMap(({ faces }) => faces.filter(isUsable))
  const clearest = usable.toSorted((a, b) => b.quality - a.quality)[0]
  if (!clearest) throw new GrabberError('GAL_NO_FACE', `${file}: no face was found that can be recognised`)
  const alike = usable.filter(({ embedding }) => cosine(embedding, clearest.embedding) >= alikeThreshold)
  if (alike.length * 2 <= usable.length) throw several(file, 'it shows different people')
  return alike.map(({ embedding }) => embedding)
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

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0)
}
