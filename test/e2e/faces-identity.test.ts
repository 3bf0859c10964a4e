/**
 * Names that can be trusted: each person of the clips is enrolled from one of them, and `grabber replay` confirms the name
 * in that person's clips and in no other, for every choice of the clip.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CloudEvent } from '../../core/event.ts'
import { asset, ffmpeg } from './support/faces.ts'
import { Grabber, hasAssets, jsonLines } from './support/grabber.ts'

const people: Record<string, readonly string[]> = {
  anna: ['again', 'help', 'yes'],
  bert: ['book', 'walk'],
  cleo: ['eat', 'night', 'sister'],
}
const clip = (name: string) => asset(`videos/asl/${name}.mkv`)
const allClips = Object.values(people).flat()
const fixedCameras = ['bottle-detection', 'car-detection', 'one-by-one-person-detection']

let grabber: Grabber

/** For the tests beside it: a grabber of their own, in which these people are known from these clips. */
function knowing(known: Record<string, string>): void {
  beforeAll(async () => {
    if (!hasAssets) return
    grabber = new Grabber({ models: true })
    for (const [subject, name] of Object.entries(known)) await enroll(subject, name)
  })
  afterAll(() => grabber?.[Symbol.dispose]())
}

const enroll = (subject: string, name: string) => enrollFrom(subject, clip(name))

async function enrollFrom(subject: string, ...files: string[]): Promise<void> {
  const { status, err } = await grabber.run('faces', 'enroll', subject, ...files)
  expect([subject, status, err]).toEqual([subject, 0, ''])
}

/** The set holds this one twice, and an enrolment refuses that. */
const TWICE = '000378_03227610.jpg'

/** Ten people who are in none of the clips, with their photographs. */
function strangers(): [string, string[]][] {
  return ['faces/dlib_johns', 'faces/face_recognition/knn_examples/train'].flatMap((set) =>
    readdirSync(asset(set)).map((person): [string, string[]] => {
      const names = readdirSync(asset(`${set}/${person}`)).filter((name) => name !== TWICE)
      return [person.toLowerCase(), names.map((name) => asset(`${set}/${person}/${name}`))]
    }),
  )
}

/** Every subject that was ever confirmed, by recording. */
async function confirmed(...files: string[]): Promise<Record<string, string[]>> {
  const { status, err } = await grabber.run('replay', ...files, '--events', 'events.jsonl')
  expect([status, err]).toEqual([0, ''])
  const names = new Map<string, Set<string>>()
  for (const { subject, data } of tracks()) {
    const known = names.get(subject) ?? new Set()
    names.set(subject, known)
    const { status, subject: who } = data.identity
    if (who !== undefined && (status === 'confirmed' || status === 'corrected')) known.add(who)
  }
  return Object.fromEntries([...names].map(([recording, known]) => [recording, [...known]]))
}

function tracks(): CloudEvent<'face.track'>[] {
  return jsonLines<CloudEvent>(readFileSync(grabber.path('events.jsonl'), 'utf8')).filter(
    (event): event is CloudEvent<'face.track'> => event.type === 'face.track',
  )
}

/** What must be confirmed when these are known: the person in that person's clips, nobody elsewhere. */
function expected(...subjects: string[]): Record<string, string[]> {
  const rows = Object.entries(people).flatMap(([subject, clips]) =>
    clips.map((name): [string, string[]] => [name, subjects.includes(subject) ? [subject] : []]),
  )
  return Object.fromEntries(rows)
}

// One clip of each person, first alone and then with one of everybody: together they use each of the eight clips.
const galleries = [
  { anna: 'yes', bert: 'walk', cleo: 'sister' },
  { bert: 'walk', anna: 'help', cleo: 'night' },
  { cleo: 'eat', anna: 'again', bert: 'book' },
].map((gallery) => Object.entries(gallery) as [[string, string], ...[string, string][]])

describe.skipIf(!hasAssets).for(galleries)('a person enrolled from one clip', ([[subject, name], ...others]) => {
  knowing({ [subject]: name })

  test(`${subject}, from ${name}.mkv, is confirmed in their clips and in nobody else’s`, async () => {
    expect(await confirmed(...allClips.map(clip))).toEqual(expected(subject))
  })

  const names = others.map(([who, name]) => `${who} from ${name}.mkv`)
  test(`with ${names.join(' and ')} enrolled as well, each is confirmed as themselves`, async () => {
    for (const [who, name] of others) await enroll(who, name)
    expect(await confirmed(...allClips.map(clip))).toEqual(expected('anna', 'bert', 'cleo'))
  })
})

describe.skipIf(!hasAssets)('strangers', () => {
  knowing({})

  test('of ten other people nobody is confirmed in any clip, and on fixed cameras nobody at all', async () => {
    for (const [subject, pictures] of strangers()) await enrollFrom(subject, ...pictures)
    expect(await confirmed(...allClips.map(clip))).toEqual(expected())
    // Far from it, too: the nearest stranger stays well below the threshold of 0.6.
    const nearest = tracks().map(({ data }) => data.identity.evidence?.similarity ?? 0)
    expect(Math.max(...nearest)).toBeLessThan(0.4)
    for (const [subject, [, second]] of Object.entries(people)) await enroll(subject, second!)
    const found = await confirmed(...fixedCameras.map((name) => asset(`videos/${name}.mp4`)))
    // One of them has a few faces; the others may have none, and then no track either.
    expect(found['one-by-one-person-detection']).toEqual([])
    expect(Object.values(found).flat()).toEqual([])
  })
})

describe.skipIf(!hasAssets)('with anna and bert enrolled', () => {
  knowing({ anna: 'again', bert: 'book' })

  test('the same person twice in one picture: exactly one is named, with the evidence', async () => {
    const twice = grabber.path('twice.mkv')
    ffmpeg('-i', clip('help'), '-filter_complex', '[0:v]split[a][b];[a][b]hstack', twice)
    expect(await confirmed(twice)).toEqual({ twice: ['anna'] })
    const ends = tracks().filter(({ data }) => data.phase === 'end')
    expect(ends.map(({ data }) => data.identity.status).toSorted()).toEqual(['confirmed', 'unknown'])
    const named = tracks().filter(({ data }) => data.identity.status === 'confirmed')
    expect(new Set(named.map(({ data }) => data.trackId)).size).toBe(1)
    expect(named[0]!.data).toMatchObject({
      identity: { subject: 'anna', evidence: { embeddings: 3, agreeing: 3 } },
      liveness: { verdict: 'live' },
    })
    // What the gallery says of both is the same: the other one is not named because it is the second.
    expect(ends.map(({ data }) => data.identity.evidence!.similarity! > 0.6)).toEqual([true, true])
  })

  test('another person in the same place, after a cut within one framing, is another track with a name of its own', async () => {
    for (const other of ['walk', 'night']) {
      const inputs = ['-i', clip('help'), '-i', clip(other), '-i', clip(other)]
      ffmpeg(...inputs, '-filter_complex', '[0:v][1:v][2:v]concat=n=3:v=1', grabber.path(`cut-${other}.mkv`))
    }
    await confirmed(grabber.path('cut-walk.mkv'), grabber.path('cut-night.mkv'))
    /** Who each track was said to be, one after the other, in the order in which the tracks began. */
    const stories = (recording: string) => {
      const told = new Map<string, string[]>()
      for (const { subject, data } of tracks()) {
        if (subject !== recording) continue
        const words = told.get(data.trackId) ?? []
        told.set(data.trackId, words)
        const word = `${data.identity.status} ${data.identity.subject ?? ''}`.trim()
        if (words.at(-1) !== word) words.push(word)
      }
      return [...told.values()]
    }
    const known = (who: string) => ['unknown', `candidate ${who}`, `confirmed ${who}`]
    expect(stories('cut-walk')).toEqual([known('anna'), known('bert')])
    expect(stories('cut-night')).toEqual([known('anna'), ['unknown']])
  })
})
