import { describe, expect, it } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import type { GalleryHit } from '../../../core/observation.ts'
import type { CheckedPicture } from '../../../src/enrolment/picture-check.ts'
import { checkSet } from '../../../src/enrolment/set-checks.ts'
import { cosine } from '../../../streams/analysis/likeness.ts'
import { faceAt } from './faces.ts'

const picture = (file: string, ...degrees: number[]): CheckedPicture => ({
  file,
  faces: degrees.map((each) => faceAt(each)),
  problems: [],
})
const strict = { matchThreshold: 0.6, allowSimilar: false, allowDifferent: false }

/** People at these angles. */
function galleryOf(people: Record<string, number[]> = {}) {
  const list = Object.entries(people).map(([subject, angles]) => ({
    subject,
    name: 'Somebody',
    embeddings: angles.length,
    enrolledAtMs: 0,
  }))
  const search = (probe: Float32Array, k: number): GalleryHit[] =>
    Object.entries(people)
      .map(([subject, angles]) => ({
        subject,
        similarity: Math.max(...angles.map((each) => cosine(probe, faceAt(each).embedding))),
      }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, k)
  return { list: () => list, search }
}

async function verdict(pictures: CheckedPicture[], people?: Record<string, number[]>, limits = strict) {
  const checked = await checkSet('ada', pictures, galleryOf(people), limits)
  return checked.map(({ faces, problems }) => {
    expect(faces.length === 0).toBe(problems.length > 0)
    return problems.map(({ code }) => code).join(' ')
  })
}

describe('checkSet', () => {
  it('takes pictures that belong together, first ones and more of a known person', async () => {
    expect(await verdict([picture('a', 0), picture('b', 30), picture('c', 50)])).toEqual(['', '', ''])
    expect(await verdict([picture('a', 30)], { ada: [0], bob: [120] })).toEqual([''])
  })

  it('refuses the same picture twice, in the set or enrolled, and only the second', async () => {
    expect(await verdict([picture('a', 0), picture('b', 20), picture('c', 0)])).toEqual(['', '', 'GAL_DUPLICATE'])
    expect(await verdict([picture('a', 0)], { ada: [30, 0] })).toEqual(['GAL_DUPLICATE'])
  })

  it('takes a video that has one moment in common with what is known', async () => {
    expect(await verdict([picture('a', 0), picture('b', 0, 20)], { ada: [20] })).toEqual(['', ''])
  })

  it('refuses who is unlike the others, or unlike what is enrolled', async () => {
    expect(await verdict([picture('a', 0), picture('b', 20), picture('c', 90)])).toEqual(['', '', 'GAL_DISAGREE'])
    expect(await verdict([picture('a', 90)], { ada: [0] })).toEqual(['GAL_DISAGREE'])
    expect(await verdict([picture('a', 0), picture('b', 90)], {}, { ...strict, allowDifferent: true })).toEqual([
      '',
      '',
    ])
  })

  it('takes a look that misses the threshold, and is still the same person', async () => {
    expect(await verdict([picture('a', 0), picture('b', 60)])).toEqual(['', ''])
  })

  it('refuses who looks like somebody else, naming the id and no name', async () => {
    const [checked] = await checkSet('ada', [picture('a', 0)], galleryOf({ bob: [200, 30], eve: [45] }), strict)
    expect(checked!.problems).toHaveLength(1)
    expect(checked!.problems[0]!.line).toMatch(
      /^GAL_LOOKS_LIKE: a: it looks like bob, who is enrolled \(0\.866\): .*--allow/,
    )
    expect(checked!.problems[0]!.line).not.toContain('Somebody')
    expect(await verdict([picture('a', 0)], { bob: [30] }, { ...strict, allowSimilar: true })).toEqual([''])
  })

  it('sees somebody else behind the person’s own better match', async () => {
    expect(await verdict([picture('a', 0)], { ada: [10], bob: [30] })).toEqual(['GAL_LOOKS_LIKE'])
  })

  it('tells everything, and leaves pictures as they are that are refused already', async () => {
    const blurred: CheckedPicture = { file: 'z', faces: [], problems: [new GrabberError('GAL_BLURRED', 'z: blurred')] }
    const seen = await verdict([blurred, picture('a', 0), picture('b', 0), picture('c', 120)], { bob: [130] })
    expect(seen).toEqual(['GAL_BLURRED', '', 'GAL_DUPLICATE', 'GAL_DISAGREE GAL_LOOKS_LIKE'])
  })
})
