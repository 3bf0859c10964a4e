/**
 * Whether pictures that are each good enough belong together, and to nobody else who is known. Pure.
 */
import { GrabberError } from '../../core/errors.ts'
import type { GalleryHit } from '../../core/observation.ts'
import { nearest } from '../../streams/analysis/likeness.ts'
import type { CheckedPicture } from './picture-check.ts'

/**
 * The same pixels give 1 to 1e-6; the most alike of 98 different photographs gave 0.994. A copy that was compressed or
 * scaled again gives 0.95 to 0.999, and cannot be told from another photograph of the same moment.
 */
const SAME_PICTURE = 0.9995
/**
 * Below this part of the match threshold a picture shows somebody else. Lower than the threshold itself: 3 of 100 pairs
 * of good pictures of one person miss that one, and enrolling both is what makes the person known in both looks.
 */
export const DISAGREE_RATIO = 0.75

/** The gallery, as far as it is asked; of one moment. */
export interface KnownPeople {
  search(embedding: Float32Array, k: number): GalleryHit[] | Promise<GalleryHit[]>
  list(): { subject: string }[] | Promise<{ subject: string }[]>
}

export interface SetLimits {
  matchThreshold: number
  /** The person may look like somebody who is known. */
  allowSimilar: boolean
  /** The pictures may differ from each other, and from what is enrolled of the person. */
  allowDifferent: boolean
}

/**
 * The pictures again, those refused that are GAL_DUPLICATE of each other or of what is enrolled, GAL_DISAGREE with all
 * others and what is enrolled of `subject`, or GAL_LOOKS_LIKE another subject. Pictures with problems are left as they are.
 */
export async function checkSet(
  subject: string,
  pictures: readonly CheckedPicture[],
  gallery: KnownPeople,
  limits: SetLimits,
): Promise<CheckedPicture[]> {
  const subjects = await gallery.list()
  // The nearest of all suffices to see someone else; how alike the person's own are may stand at the end of the list.
  const wanted = subjects.some((known) => known.subject === subject) ? subjects.length : 1
  const seen: CheckedPicture[] = []
  const checked: CheckedPicture[] = []
  for (const picture of pictures) {
    if (picture.problems.length > 0) {
      checked.push(picture)
      continue
    }
    const { file } = picture
    const vectors = picture.faces.map(({ embedding }) => embedding)
    const hits = await Promise.all(vectors.map((embedding) => gallery.search(embedding, wanted)))
    const own = hits.map((each) => each.find((hit) => hit.subject === subject)?.similarity ?? Number.NEGATIVE_INFINITY)
    const problems: GrabberError[] = []
    const twin = seen.find((other) => vectors.every((each) => nearest(each, vectorsOf([other])) >= SAME_PICTURE))
    if (twin) problems.push(new GrabberError('GAL_DUPLICATE', `${file}: it is the same picture as ${twin.file}`))
    else if (own.every((each) => each >= SAME_PICTURE)) {
      problems.push(new GrabberError('GAL_DUPLICATE', `${file}: it is enrolled already`))
    }
    const others = vectorsOf(pictures.filter((other) => other !== picture))
    const alike = Math.max(...own, ...vectors.map((each) => nearest(each, others)))
    if (!limits.allowDifferent && Number.isFinite(alike) && alike < DISAGREE_RATIO * limits.matchThreshold) {
      const what = `it is unlike the other pictures of the person (${alike.toFixed(3)})`
      problems.push(new GrabberError('GAL_DISAGREE', `${file}: ${what}`))
    }
    const like = hits
      .flat()
      .filter((hit) => hit.subject !== subject)
      .toSorted((a, b) => b.similarity - a.similarity)[0]
    if (!limits.allowSimilar && like && like.similarity >= limits.matchThreshold) {
      const what = `it looks like ${like.subject}, who is enrolled (${like.similarity.toFixed(3)})`
      problems.push(new GrabberError('GAL_LOOKS_LIKE', `${file}: ${what}`))
    }
    seen.push(picture)
    checked.push(problems.length > 0 ? { ...picture, faces: [], problems } : picture)
  }
  return checked
}

function vectorsOf(pictures: readonly CheckedPicture[]): Float32Array[] {
  return pictures.flatMap(({ faces }) => faces.map(({ embedding }) => embedding))
}
