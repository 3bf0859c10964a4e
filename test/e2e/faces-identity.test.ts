/**
 * Names that can be trusted: each person of the clips is enrolled from one of them, and `grabber replay` confirms the name
 * in that person's clips and in no other, for every choice of the clip.
 */
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
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
beforeEach(() => {
  grabber = new Grabber({ models: true })
})
afterEach(() => grabber[Symbol.dispose]())

async function enroll(subject: string, name: string): Promise<void> {
  const { status, err } = await grabber.run('faces', 'enroll', subject, clip(name))
  expect([name, status, err]).toEqual([name, 0, ''])
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

describe.skipIf(!hasAssets)('a person enrolled from one clip', () => {
  const choices = Object.entries(people).flatMap(([subject, clips]) => clips.map((name) => [subject, name] as const))
  test.for(choices)('%s, from %s.mkv, is confirmed in their clips and in nobody else’s', async ([subject, name]) => {
    await enroll(subject, name)
    expect(await confirmed(...allClips.map(clip))).toEqual(expected(subject))
  })

  // Together they use each of the eight clips.
  const galleries = [
    ['again', 'book', 'eat'],
    ['help', 'walk', 'night'],
    ['yes', 'walk', 'sister'],
  ]
  test.for(galleries)('with everybody enrolled, from %s, %s and %s, each is confirmed as themselves', async (names) => {
    for (const [index, subject] of Object.keys(people).entries()) await enroll(subject, names[index]!)
    expect(await confirmed(...allClips.map(clip))).toEqual(expected('anna', 'bert', 'cleo'))
  })

  test('with everybody enrolled, a fixed camera sees nobody known', async () => {
    for (const [subject, [, second]] of Object.entries(people)) await enroll(subject, second!)
    const found = await confirmed(...fixedCameras.map((name) => asset(`videos/${name}.mp4`)))
    // One of them has a few faces; the others may have none, and then no track either.
    expect(found['one-by-one-person-detection']).toEqual([])
    expect(Object.values(found).flat()).toEqual([])
  })

  test('another person in the same place, after a cut within one framing, is another track with a name of its own', async () => {
    await enroll('anna', 'again')
    await enroll('bert', 'book')
    for (const other of ['walk', 'night']) {
      const inputs = ['-i', clip('help'), '-i', clip(other), '-i', clip(other)]
      ffmpeg(...inputs, '-filter_complex', '[0:v][1:v][2:v]concat=n=3:v=1', grabber.path(`cut-${other}.mkv`))
    }
    await confirmed(grabber.path('cut-walk.mkv'), grabber.path('cut-night.mkv'))
    /** What was said of each track, in the order in which they began. */
    const stories = (recording: string) => {
      const told = new Map<string, string[]>()
      for (const { subject, data } of tracks()) {
        if (subject !== recording) continue
        const words = told.get(data.trackId) ?? []
        told.set(data.trackId, words)
        words.push(`${data.phase} ${data.identity.status} ${data.identity.subject ?? ''}`.trim())
      }
      return [...told.values()]
    }
    const known = (who: string) => [
      'new unknown',
      `update candidate ${who}`,
      `update confirmed ${who}`,
      `end confirmed ${who}`,
    ]
    expect(stories('cut-walk')).toEqual([known('anna'), known('bert')])
    expect(stories('cut-night')).toEqual([known('anna'), ['new unknown', 'end unknown']])
  })
})
