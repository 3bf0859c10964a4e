/** `grabber faces enroll`, `list` and `remove`: all or nothing, beside a daemon and alone. */
import { existsSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { Logger, NewName, Subject } from '../../core/ports.ts'
import type { EnrollInput } from '../../src/http/control-routes.ts'
import { controlServer } from '../../src/http/server.ts'
import { DataDir } from '../../src/store/data-dir.ts'
import { asset, ffmpeg } from './support/faces.ts'
import { Grabber, hasAssets } from './support/grabber.ts'

const onAssets = describe.skipIf(!hasAssets)
const people = 'faces/face_recognition'
const ada = asset(`${people}/examples/obama-480p.jpg`)
const bob = asset(`${people}/knn_examples/train/biden/biden.jpg`)
const crowd = asset(`${people}/examples/two_people.jpg`)
const nobody = asset('negatives/dlib_dog.jpg')
const clip = (name: string) => asset(`videos/asl/${name}.mkv`)

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
}

let grabber: Grabber
beforeEach(() => {
  grabber = new Grabber({ models: true })
})
afterEach(() => grabber[Symbol.dispose]())

const faces = (...args: string[]) => grabber.run('faces', ...args)
const known = async () => JSON.parse((await faces('list', '--json')).out) as Subject[]

onAssets('the gallery', () => {
  test('enrols, lists and removes', async () => {
    expect(await known()).toEqual([])
    expect(existsSync(`${grabber.data}/grabber.db`)).toBe(false)
    const enrolled = await faces('enroll', 'ada', ada, '--name', 'Ada Lovelace', '--log-level', 'debug')
    expect([enrolled.status, enrolled.err]).toEqual([0, expect.not.stringMatching(/Lovelace|0\.\d{4}/)])
    await faces('enroll', 'ada', asset(`${people}/test_images/obama2.jpg`))
    await faces('enroll', 'bob', bob)
    expect(await known()).toEqual([
      { subject: 'ada', name: 'Ada Lovelace', embeddings: 2, enrolledAtMs: expect.any(Number) },
      { subject: 'bob', name: null, embeddings: 1, enrolledAtMs: expect.any(Number) },
    ])
    expect((await faces('list')).out).toMatch(/^SUBJECT .*\nada +Ada Lovelace +2 .*\nbob .* 1 .*\n$/)
    expect(await faces('remove', 'ada')).toMatchObject({ status: 0, out: 'ada: removed\n' })
    expect((await known()).map(({ subject }) => subject)).toEqual(['bob'])
    expect(await faces('remove', 'ada')).toMatchObject({
      status: 3,
      err: expect.stringMatching(/^GAL_UNKNOWN_SUBJECT: /),
    })
  })

  test.for([
    ['GAL_NO_FACE', 'dlib_dog.jpg', nobody],
    ['GAL_SEVERAL_FACES', 'two_people.jpg', crowd],
    ['SRC_NOT_FOUND', 'missing.jpg', 'missing.jpg'],
  ])('refuses with %s, names the file and enrols nothing of the others', async ([code, name, file]) => {
    const { status, out, err } = await faces('enroll', 'ada', ada, file!, asset(`${people}/test_images/obama2.jpg`))
    expect([status, out]).toEqual([3, ''])
    expect(err).toMatch(new RegExp(`^${code}: \\S*${name}: .+: .+\\n$`))
    expect(await known()).toEqual([])
  })

  test('takes several moments of a video, and refuses one that shows two people', async () => {
    expect(await faces('enroll', 'ada', clip('eat'))).toMatchObject({ status: 0, out: 'ada: 8 enrolled, 8 known\n' })
    const after = ['-i', clip('again'), '-i', clip('walk'), '-filter_complex', '[0:v][1:v]concat=n=2:v=1']
    const beside = ['-i', clip('again'), '-i', clip('walk'), '-filter_complex', '[0:v][1:v]hstack']
    for (const [name, inputs] of Object.entries({ after, beside })) {
      ffmpeg(...inputs, grabber.path(`${name}.mkv`))
      const { status, err } = await faces('enroll', 'bob', `${name}.mkv`)
      expect([name, status, err]).toEqual([name, 3, expect.stringContaining(`GAL_SEVERAL_FACES: ${name}.mkv: `)])
    }
    expect((await known()).map(({ subject }) => subject)).toEqual(['ada'])
  })

  test.for([['Ada'], ['a b'], ['x'.repeat(65)]])(
    'refuses the subject id %s before it looks at a picture',
    async ([id]) => {
      expect(await faces('enroll', id!, 'missing.jpg')).toMatchObject({ status: 2, out: '' })
    },
  )

  test('goes through the daemon that owns the data folder', async () => {
    using folder = await DataDir.acquire(grabber.data, { logger: silent, clock: systemClock })
    const enrolled: EnrollInput[] = []
    const ports = {
      enroll(input: EnrollInput): Subject {
        enrolled.push(input)
        return { subject: input.subject, name: input.name, embeddings: 5, enrolledAtMs: 0 }
      },
      remove(subject: string) {
        throw new GrabberError('GAL_UNKNOWN_SUBJECT', `no ${subject}`)
      },
      list: () => [{ subject: 'from-the-daemon', name: null, embeddings: 5, enrolledAtMs: 0 }],
      submit: () => undefined,
      refreshModels: async () => ({}),
      command: async () => ({ ok: true as const, data: null, requestId: 'r' }),
      visitors: async () => [],
      nameVisitor: async (_: string, { subject, name }: NewName) => ({
        subject,
        name,
        embeddings: 1,
        enrolledAtMs: 1,
      }),
      forgetVisitor: async () => undefined,
    }
    const server = await controlServer(folder.socketPath('control'), ports, silent)
    try {
      folder.announce({ controlSocket: server.url })
      expect(await faces('enroll', 'ada', ada, '--name', 'Ada')).toMatchObject({ out: 'ada: 1 enrolled, 5 known\n' })
      expect(enrolled).toMatchObject([{ subject: 'ada', name: 'Ada', model: 'face-reid-0095' }])
      expect(Math.hypot(...enrolled[0]!.embeddings[0]!)).toBeCloseTo(1, 5)
      expect((await known()).map(({ subject }) => subject)).toEqual(['from-the-daemon'])
      expect(await faces('remove', 'bob')).toMatchObject({ status: 3 })
      expect(existsSync(folder.database)).toBe(false)
    } finally {
      await server.close()
    }
  })

  test('does not write beside an owner that cannot be reached', async () => {
    using _folder = await DataDir.acquire(grabber.data, { logger: silent, clock: systemClock })
    const { status, err } = await faces('enroll', 'ada', ada)
    expect([status, err]).toEqual([5, expect.stringMatching(/^STO_LOCKED: /)])
  })

  test('keeps no byte of a removed name', async () => {
    await faces('enroll', 'ada', ada, '--name', 'Unmistakable Name')
    const database = `${grabber.data}/grabber.db`
    expect(readFileSync(database).includes('Unmistakable')).toBe(true)
    await faces('remove', 'ada')
    expect(readFileSync(database).includes('Unmistakable')).toBe(false)
  })
})
