import { expect, it } from 'vitest'
import type { GalleryHit } from '../../../core/observation.ts'
import type { StillFace } from '../../../core/wire/control.ts'
import { stillLine } from '../../../src/cli/faces-line.ts'

const seen: StillFace = {
  box: [1.23456, 2, 30.999, 40],
  score: 0.912345,
  landmarks: [[5.5555, 6]],
  quality: 0.5,
  embedding: Float32Array.of(0.6, 0.8),
}
const still = (face: StillFace) => ({ width: 100, height: 80, faces: [face] })
const gallery = (...hits: GalleryHit[]) => ({
  gallery: { search: async () => hits },
  matchThreshold: 0.6,
  minMargin: 0.05,
})
const plain = { box: [1.23, 2, 31, 40], score: 0.9123, landmarks: [[5.56, 6]], quality: 0.5 }

it('rounds, and holds no embedding unless asked', async () => {
  expect(await stillLine('a.jpg', still(seen), { embed: false })).toEqual({
    file: 'a.jpg',
    width: 100,
    height: 80,
    faces: [plain],
  })
  expect(await stillLine('a.jpg', still(seen), { embed: true })).toMatchObject({ faces: [{ embedding: [0.6, 0.8] }] })
})

it('says what one look says of liveness, where there are models for it', async () => {
  const line = (liveness: StillFace['liveness']) =>
    stillLine('a.jpg', still({ ...seen, ...(liveness ? { liveness } : {}) }), { embed: false })
  expect(await line({ verdict: 'spoof', score: 0.00512 })).toMatchObject({
    faces: [{ ...plain, liveness: { verdict: 'spoof', score: 0.0051 } }],
  })
  expect(await line({ verdict: 'unchecked' })).toMatchObject({ faces: [{ liveness: { verdict: 'unchecked' } }] })
})

it('says who it is, without the name, or null', async () => {
  const known = gallery({ subject: 'ada', name: 'Ada', similarity: 0.71239 }, { subject: 'bob', similarity: 0.2 })
  expect(await stillLine('a.jpg', still(seen), { embed: false, identify: known })).toMatchObject({
    faces: [{ ...plain, match: { subject: 'ada', similarity: 0.7124, margin: 0.5124 } }],
  })
  const unknown = gallery({ subject: 'ada', similarity: 0.5 })
  expect(await stillLine('a.jpg', still(seen), { embed: false, identify: unknown })).toMatchObject({
    faces: [{ match: null }],
  })
})

it('is null for a face that has no embedding', async () => {
  const { embedding: _, ...cutOff } = seen
  const identify = gallery({ subject: 'ada', similarity: 0.9 })
  expect(await stillLine('a.jpg', still(cutOff), { embed: true, identify })).toMatchObject({ faces: [{ match: null }] })
})

it('looks among the people without a name for a face of nobody known, when told to', async () => {
  const visitors = gallery({ subject: 'anon-a', similarity: 0.8 }, { subject: 'anon-b', similarity: 0.7 })
  const who = async (known: GalleryHit[], unknown: GalleryHit[]) => {
    const identify = { ...gallery(...known), visitors: gallery(...unknown).gallery }
    const { faces } = (await stillLine('a.jpg', still(seen), { embed: false, identify })) as { faces: object[] }
    return faces[0]
  }
  const near = await visitors.gallery.search()
  expect(await who([], near)).toMatchObject({ match: null, unknown: { id: 'anon-a', similarity: 0.8 } })
  expect(await who([{ subject: 'ada', similarity: 0.9 }], near)).toMatchObject({ match: {}, unknown: null })
  expect(await who([], [{ subject: 'anon-a', similarity: 0.59 }])).toMatchObject({ match: null, unknown: null })
  // Two who are nearly as alike: it cannot be told.
  expect(await who([], [near[0]!, { subject: 'anon-b', similarity: 0.76 }])).toMatchObject({ unknown: null })
})
