import { expect, it } from 'vitest'
import type { CalibratedTrack } from '../../../src/calibration/calibration-data.ts'
import { compareAll, nearestPairs, type Scores } from '../../../src/calibration/comparisons.ts'
import { unit } from './people.ts'

const at = (...degrees: number[]) =>
  degrees.map((each) => unit([Math.cos((each * Math.PI) / 180), Math.sin((each * Math.PI) / 180)]))
const cos = (degrees: number) => expect.closeTo(Math.cos((degrees * Math.PI) / 180), 6)
const rows = ({ values, a, b }: Scores) => values.map((value, index) => [value, a[index], b[index]])

const ada = { subject: 'ada', embeddings: at(0, 10, 40) }
const bob = { subject: 'bob', embeddings: at(100) }

function track(trackId: string, degrees: number[], rest: Partial<CalibratedTrack> = {}): CalibratedTrack {
  return { trackId, camera: 'yard', startMs: 0, endMs: 5000, embeddings: at(...degrees), ...rest }
}

it('compares each embedding with the nearest of its person, and of every other person', () => {
  const { genuine, impostor, clusters } = compareAll({ people: [ada, bob], tracks: [] })
  expect(rows(genuine.pictures)).toEqual([
    [cos(10), 0, 0],
    [cos(10), 0, 0],
    [cos(30), 0, 0],
  ])
  expect(rows(impostor.pictures)).toEqual([
    [cos(100), 0, 1],
    [cos(90), 0, 1],
    [cos(60), 0, 1],
    [cos(60), 1, 0],
  ])
  expect(clusters).toBe(2)
})

it('does not compare embeddings of one source', () => {
  const { genuine } = compareAll({ people: [{ ...ada, sources: ['v', 'v', 'p'] }], tracks: [] })
  expect(genuine.pictures.values).toEqual([cos(40), cos(30), cos(30)])
  const one = compareAll({ people: [{ ...ada, sources: ['v', 'v', 'v'] }], tracks: [] })
  expect(one.genuine.pictures.values).toEqual([])
})

it('takes two tracks that one camera saw together for two people, both ways', () => {
  const tracks = [track('a', [0, 20]), track('b', [90]), track('c', [50], { camera: 'lobby' })]
  const { impostor, genuine } = compareAll({ people: [], tracks })
  expect(rows(impostor.tracksTogether)).toEqual([
    [cos(80), 0, 1],
    [cos(70), 1, 0],
  ])
  expect(genuine.withinTracks.values).toEqual([cos(20), cos(20)])
})

it('does not take tracks for two people that overlap for a moment, or touch', () => {
  const after = (startMs: number) =>
    compareAll({ people: [], tracks: [track('a', [0]), track('b', [90], { startMs })] })
  expect(after(4500).impostor.tracksTogether.values).toEqual([])
  expect(after(9000).impostor.tracksTogether.values).toEqual([])
  expect(after(4000).impostor.tracksTogether.values).toHaveLength(2)
})

it('compares a named track with that person and with all others, by its mean', () => {
  const { genuine, impostor } = compareAll({ people: [ada, bob], tracks: [track('a', [20, 40], { subject: 'ada' })] })
  expect(rows(genuine.namedTracks)).toEqual([[cos(10), 0, 0]])
  expect(rows(impostor.namedTracks)).toEqual([[cos(70), 0, 1]])
})

it('knows tracks of one anonymous person as one cluster', () => {
  const anonymous = 'v-1'
  const tracks = [track('a', [0], { anonymous }), track('b', [1], { anonymous, camera: 'lobby' }), track('c', [2])]
  expect(compareAll({ people: [], tracks }).clusters).toBe(2)
})

it('finds the pairs that are most alike, each once', () => {
  const eve = { subject: 'eve', embeddings: at(200, 95) }
  expect(nearestPairs({ people: [ada, bob, eve], tracks: [] }, 2)).toEqual([
    { a: 'bob', b: 'eve', similarity: cos(5) },
    { a: 'ada', b: 'eve', similarity: cos(55) },
  ])
})
