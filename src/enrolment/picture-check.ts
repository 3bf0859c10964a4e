/**
 * Which faces of one picture or video can make a person known, or why none may. Pure.
 */
import { GrabberError } from '../../core/errors.ts'
import type { StillFace } from '../../core/wire/control.ts'
import { MIN_EMBED_QUALITY } from '../../streams/analysis/embed-policy.ts'
import { cosine, medoid } from '../../streams/analysis/likeness.ts'
import { captureProblems, type Embedded, isEmbedded } from './capture-checks.ts'

/** Of the faces of a video; one who passes through the picture is left out, two who share it are refused. */
const MIN_ALIKE_RATIO = 2 / 3

/** Either faces or problems; of a video those moments are left out that are no good. */
export interface CheckedPicture {
  file: string
  faces: Embedded[]
  problems: GrabberError[]
}

/**
 * `moments`: of a picture one, of a video several. GAL_NO_FACE when none shows a face. GAL_SEVERAL_FACES when a picture
 * shows more than one face, however small; when a moment of a video shows more than one that can be recognised; or when
 * too many of its faces are less alike the most typical one than `alikeThreshold`. Otherwise what captureProblems finds:
 * of a picture all of it, of a video without one good moment what is wrong with its best.
 */
export function checkPicture(
  file: string,
  moments: readonly { faces: readonly StillFace[] }[],
  alikeThreshold: number,
): CheckedPicture {
  const refused = (...problems: GrabberError[]): CheckedPicture => ({ file, faces: [], problems })
  const crowded = moments.length === 1 ? moments[0]!.faces.length > 1 : moments.some(hasSeveral)
  if (crowded) return refused(several(file, 'several faces were found'))
  // A moment with a second, unrecognisable face tells nothing that the others do not: it is left out.
  const single = moments.filter(({ faces }) => faces.length === 1).flatMap(({ faces }) => faces.filter(isEmbedded))
  if (single.length === 0) return refused(new GrabberError('GAL_NO_FACE', `${file}: no face was found`))
  const judged = single.map((face) => ({ face, problems: captureProblems(file, face) }))
  const good = judged.filter(({ problems }) => problems.length === 0).map(({ face }) => face)
  const typical = medoid(good)
  if (!typical) {
    const best = judged.toSorted((a, b) => a.problems.length - b.problems.length || b.face.quality - a.face.quality)
    return refused(...best[0]!.problems)
  }
  const alike = good.filter((face) => cosine(face.embedding, typical.embedding) >= alikeThreshold)
  if (alike.length < MIN_ALIKE_RATIO * good.length) return refused(several(file, 'it shows different people'))
  return { file, faces: alike, problems: [] }
}

function hasSeveral({ faces }: { faces: readonly StillFace[] }): boolean {
  return faces.filter((face) => isEmbedded(face) && face.quality >= MIN_EMBED_QUALITY).length > 1
}

function several(file: string, what: string): GrabberError {
  return new GrabberError('GAL_SEVERAL_FACES', `${file}: ${what}; it is not clear who is meant`)
}
