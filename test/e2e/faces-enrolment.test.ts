/** What `grabber faces enroll` takes and refuses, on real pictures and on copies that were made worse. */
import { copyFileSync, readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Subject } from '../../core/ports.ts'
import { asset, ffmpeg } from './support/faces.ts'
import { Grabber, hasAssets } from './support/grabber.ts'

interface EnrolmentResult {
  subject: string
  enrolled: number
  known: number | null
  pictures: { file: string; faces: number; problems: { code: string; message: string; remedy: string }[] }[]
}

const johns = 'faces/dlib_johns'
const people = 'faces/face_recognition'
const portrait = asset(`${people}/examples/obama-480p.jpg`)
const again = asset(`${people}/test_images/obama2.jpg`)
const picturesOf = (name: string) =>
  readdirSync(asset(`${johns}/${name}`)).map((file) => asset(`${johns}/${name}/${file}`))

let grabber: Grabber
beforeEach(() => {
  grabber = new Grabber({ models: true })
})
afterEach(() => grabber[Symbol.dispose]())

const faces = (...args: string[]) => grabber.run('faces', ...args)
const known = async () => JSON.parse((await faces('list', '--json')).out) as Subject[]

/** The codes of each file's problems. */
async function verdicts(...args: string[]): Promise<Record<string, string>> {
  const { out } = await faces('enroll', ...args, '--json')
  const { pictures } = JSON.parse(out) as EnrolmentResult
  return Object.fromEntries(pictures.map(({ file, problems }) => [file, problems.map(({ code }) => code).join(' ')]))
}

function worse(name: string, filter: string, source = portrait): string {
  ffmpeg('-i', source, '-vf', filter, grabber.path(name))
  return name
}

describe.skipIf(!hasAssets)('enrolment', () => {
  test('takes every one of 55 good pictures but one, which is there twice, and keeps eight of each person', async () => {
    const refused: string[] = []
    const names = readdirSync(asset(johns))
    for (const name of names) {
      const files = picturesOf(name)
      const { status, out } = await faces('enroll', name.toLowerCase(), ...files, '--json')
      const { enrolled, known, pictures } = JSON.parse(out) as EnrolmentResult
      expect(pictures.map(({ file }) => file)).toEqual(files)
      const problems = pictures.flatMap((each) => each.problems)
      refused.push(...problems.map(({ code, message }) => `${code} ${message.split('/').at(-1)}`))
      expect([name, status, enrolled, known]).toEqual(problems.length > 0 ? [name, 3, 0, null] : [name, 0, 8, 8])
    }
    expect(refused).toEqual(['GAL_DUPLICATE 000378_02340151.jpg'])
    expect(names).toHaveLength(5)
  })

  test('tells each fault of each picture at once, and then knows nobody', async () => {
    const turned = 'crop=80:80:16:172,scale=iw*3:-1:flags=lanczos'
    const files = [
      worse('small.png', 'scale=iw/4:-1:flags=area'),
      worse('blurred.png', 'gblur=sigma=9:steps=3'),
      worse('dark.png', 'format=gbrp,colorlevels=romax=0.1:gomax=0.1:bomax=0.1'),
      worse('bright.png', 'format=gbrp,colorlevels=rimax=0.3:gimax=0.3:bimax=0.3'),
      worse('turned.png', turned, asset('detection_truth/dlib_faces/2008_002079.jpg')),
      worse('both.png', 'scale=iw/4:-1:flags=area,format=gbrp,colorlevels=romax=0.12:gomax=0.12:bomax=0.12'),
      'missing.jpg',
    ]
    const { status, err, out } = await faces('enroll', 'ada', portrait, again, ...files)
    expect([status, out]).toEqual([3, ''])
    const lines = err.trimEnd().split('\n')
    expect(lines.map((line) => line.split(': ').slice(0, 2).join(' ')).toSorted()).toEqual([
      'GAL_BLURRED blurred.png',
      'GAL_TOO_BRIGHT bright.png',
      'GAL_TOO_DARK both.png',
      'GAL_TOO_DARK dark.png',
      'GAL_TOO_SMALL both.png',
      'GAL_TOO_SMALL small.png',
      'GAL_TURNED turned.png',
      'SRC_NOT_FOUND missing.jpg',
    ])
    // What happened and what to do.
    for (const line of lines) expect(line.split(': ').length).toBeGreaterThanOrEqual(4)
    expect(await known()).toEqual([])
  })

  test('takes pictures that were made a little worse', async () => {
    const files = [
      worse('small.png', 'scale=iw/2:-1:flags=area'),
      worse('soft.png', 'gblur=sigma=1.5:steps=3'),
      worse('dim.png', 'format=gbrp,colorlevels=romax=0.4:gomax=0.4:bomax=0.4'),
      worse('light.png', 'format=gbrp,colorlevels=rimax=0.8:gimax=0.8:bimax=0.8'),
    ]
    const { status, out, err } = await faces('enroll', 'ada', ...files)
    expect([status, err]).toEqual([0, ''])
    expect(out).toBe(`${files.map((file) => `${file}: taken, 1 face\n`).join('')}ada: 4 enrolled, 4 known\n`)
  })

  test('refuses who looks like somebody else, who is unlike the others, and the same picture', async () => {
    await faces('enroll', 'ada', portrait)
    expect(await verdicts('bob', again)).toEqual({ [again]: 'GAL_LOOKS_LIKE' })
    expect((await faces('enroll', 'bob', again)).err).toMatch(/looks like ada, who is enrolled .*--allow-similar/)
    expect((await faces('enroll', 'bob', again, '--allow-similar')).status).toBe(0)

    const other = asset(`${people}/knn_examples/train/biden/biden.jpg`)
    expect(await verdicts('ada', other)).toEqual({ [other]: 'GAL_DISAGREE' })
    expect((await faces('enroll', 'ada', other, '--allow-different')).status).toBe(0)

    copyFileSync(other, grabber.path('copy.jpg'))
    expect(await verdicts('ada', 'copy.jpg')).toEqual({ 'copy.jpg': 'GAL_DUPLICATE' })
    const biden2 = asset(`${people}/knn_examples/train/biden/biden2.jpg`)
    expect(await verdicts('eve', biden2, biden2, '--allow-similar')).toEqual({ [biden2]: 'GAL_DUPLICATE' })
    expect((await known()).map(({ subject, embeddings }) => [subject, embeddings])).toEqual([
      ['ada', 2],
      ['bob', 1],
    ])
  })

  test('adds to who is known, and keeps the eight that differ most', async () => {
    const files = picturesOf('John_Simm')
    await faces('enroll', 'john', ...files.slice(0, 6))
    const { out } = await faces('enroll', 'john', ...files.slice(6))
    expect(out).toMatch(/^(.*: taken, 1 face\n){5}john: 5 enrolled, 8 known\n$/)
  })
})
