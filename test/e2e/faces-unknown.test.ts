/** People without a name: told again over tracks, clips, cameras and programs, and named in the end. On real clips. */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import type { CloudEvent } from '../../core/event.ts'
import type { Subject, Visitor } from '../../core/ports.ts'
import { cleanUp, onCleanUp, until } from '../integration/support/nats.ts'
import { type DaemonView, startDaemon } from './support/daemon.ts'
import { asset, ffmpeg, type PictureLine } from './support/faces.ts'
import { Grabber, hasAssets, jsonLines } from './support/grabber.ts'

afterEach(cleanUp)

const people: Record<string, readonly string[]> = {
  anna: ['again', 'help', 'yes'],
  bert: ['book', 'walk'],
  cleo: ['eat', 'night', 'sister'],
}
const allClips = Object.values(people).flat()
const clip = (name: string) => asset(`videos/asl/${name}.mkv`)
const ANONYMOUS = /^anon-[a-z2-7]{10}$/

function grabberWith(config = ''): { grabber: Grabber; config: string } {
  const grabber = new Grabber({ models: true })
  onCleanUp(() => grabber[Symbol.dispose]())
  const path = grabber.path('grabber.yaml')
  writeFileSync(path, config)
  return { grabber, config: path }
}

/** Ids of the people in each recording: of its tracks, in order of their ends. */
async function replayed(grabber: Grabber, ...args: string[]): Promise<{ log: string; ids: Map<string, string[]> }> {
  const { status, err } = await grabber.run('replay', ...args, '--events', 'events.jsonl')
  expect([status, err]).toEqual([0, ''])
  const log = readFileSync(grabber.path('events.jsonl'), 'utf8')
  const ids = new Map<string, string[]>()
  for (const event of jsonLines<CloudEvent>(log)) {
    if (event.type !== 'face.track') continue
    const { phase, identity } = (event as CloudEvent<'face.track'>).data
    if (phase === 'end') ids.set(event.subject, [...(ids.get(event.subject) ?? []), identity.anonymous ?? 'nobody'])
  }
  return { log, ids }
}

const still = (grabber: Grabber, name: string) => {
  ffmpeg('-ss', '1', '-i', clip(name), '-frames:v', '1', grabber.path(`${name}.png`))
  return `${name}.png`
}

describe.skipIf(!hasAssets)('a replay', () => {
  const orders = [allClips, ['eat', 'again', 'walk', 'night', 'help', 'book', 'yes', 'sister']]

  test.for(orders)(
    'gives each of three people one id over all their clips, and no two the same: %s first',
    async (...[order]) => {
      const { grabber } = grabberWith()
      const { log, ids } = await replayed(grabber, ...order.map(clip))
      const of = Object.values(people).map((clips) => new Set(clips.flatMap((name) => ids.get(name))))
      expect(of.map((one) => [...one])).toEqual(of.map(() => [expect.stringMatching(ANONYMOUS)]))
      expect(new Set(of.flatMap((one) => [...one])).size).toBe(3)
      expect((await replayed(grabber, ...order.map(clip))).log).toBe(log)
    },
  )

  test('knows somebody again after the face was covered for two seconds', async () => {
    const { grabber } = grabberWith()
    const covered = "drawbox=enable='between(t,1.5,3.6)':x=0:y=0:w=iw:h=ih:color=gray:t=fill"
    ffmpeg('-stream_loop', '3', '-i', clip('help'), '-vf', covered, '-t', '6', grabber.path('covered.mkv'))
    const { ids } = await replayed(grabber, 'covered.mkv')
    const tracks = ids.get('covered')!
    expect(tracks.length).toBeGreaterThan(1)
    expect(new Set(tracks)).toEqual(new Set([expect.stringMatching(ANONYMOUS)]))
  })

  test('remembers nobody when told to forget', async () => {
    const { grabber, config } = grabberWith('defaults: { faces: { unknown: forget } }\n')
    const { log } = await replayed(grabber, clip('help'), '-c', config)
    expect(log).not.toContain('anon')
  })
})

describe.skipIf(!hasAssets)('a daemon', () => {
  const settings = 'http: { port: 0 }\nnats: { url: none }\n'
  const cameras = (...names: string[]) => {
    const lines = names.map((name) => `  ${name}: { source: "file:${clip(name)}" }\n`)
    return `${settings}cameras:\n${lines.join('')}`
  }

  async function played(grabber: Grabber, config: string, names: readonly string[]): Promise<DaemonView> {
    const daemon = await startDaemon(grabber, config)
    onCleanUp(() => daemon.running.child.kill('SIGKILL'))
    for (const name of names) {
      await until(`${name} ended`, async () => (await daemon.camera(name))?.state === 'stopped', 60_000)
    }
    return daemon
  }

  const unknown = async (grabber: Grabber) =>
    JSON.parse((await grabber.run('faces', 'list', '--unknown', '--json')).out) as Visitor[]
  const lastWords = async (daemon: DaemonView) => {
    const words = new Map<string, CloudEvent<'face.track'>['data']>()
    for (const { type, subject, data } of await daemon.mediaEvents()) {
      if (type === 'face.track') words.set(subject, data as CloudEvent<'face.track'>['data'])
    }
    return words
  }

  test('knows people again after a restart, in photographs, and gives them a name', async () => {
    const first = ['help', 'walk']
    const { grabber, config } = grabberWith(cameras(...first))
    const before = await played(grabber, config, first)
    const seen = await unknown(grabber)
    expect(seen).toMatchObject(seen.map(() => ({ id: expect.stringMatching(ANONYMOUS), tracks: 1 })))
    const words = await lastWords(before)
    const anna = words.get('help')!.identity.anonymous!
    const bert = words.get('walk')!.identity.anonymous!
    expect(seen.map(({ id }) => id).toSorted()).toEqual([anna, bert].toSorted())
    expect(await before.stop()).toBe(0)

    const next = ['again', 'night']
    writeFileSync(config, cameras(...next))
    const after = await played(grabber, config, next)
    const again = await lastWords(after)
    expect(again.get('again')!.identity).toMatchObject({ status: 'unknown', anonymous: anna })
    const cleo = again.get('night')!.identity.anonymous!
    expect([anna, bert]).not.toContain(cleo)
    expect(await unknown(grabber)).toHaveLength(3)
    expect((await unknown(grabber)).find(({ id }) => id === anna)).toMatchObject({ tracks: 2 })
    const metrics = await after.text('/metrics')
    expect(metrics).toMatch(/grabber_gallery_people\{kind="unknown"\} 3\n/)
    expect(metrics).toMatch(/grabber_gallery_people\{kind="known"\} 0\n/)

    const identify = async (name: string) => {
      const { out } = await grabber.run('faces', 'identify', '--unknown', still(grabber, name))
      return jsonLines<PictureLine & { faces: { unknown: object | null }[] }>(out)[0]!.faces[0]
    }
    expect(await identify('yes')).toMatchObject({ match: null, unknown: { id: anna } })

    const named = await grabber.run('faces', 'name', anna, 'anna', '--name', 'Anna A.', '--log-level', 'debug')
    expect(named).toMatchObject({ status: 0, out: expect.stringMatching(`^${anna}: is anna now, \\d known\n$`) })
    expect(named.err).not.toContain('Anna')
    expect(JSON.parse((await grabber.run('faces', 'list', '--json')).out) as Subject[]).toMatchObject([
      { subject: 'anna', name: 'Anna A.' },
    ])
    const renamed = await lastWords(after)
    for (const name of ['help', 'again']) {
      const { phase, revision, identity } = renamed.get(name)!
      expect([name, phase, identity]).toEqual([
        name,
        'update',
        { status: 'confirmed', subject: 'anna', name: 'Anna A.', anonymous: anna },
      ])
      expect(revision).toBeGreaterThan((name === 'help' ? words : again).get(name)!.revision)
    }
    expect(renamed.get('walk')!.identity).toMatchObject({ status: 'unknown', anonymous: bert })
    expect(await identify('yes')).toMatchObject({ match: { subject: 'anna' }, unknown: null })
    expect(await grabber.run('faces', 'name', anna, 'anna')).toMatchObject({ status: 3 })
    expect(await grabber.run('faces', 'remove', cleo)).toMatchObject({ status: 0, out: `${cleo}: removed\n` })
    expect((await unknown(grabber)).map(({ id }) => id)).toEqual([bert])
    expect(await after.stop()).toBe(0)

    // Alone, without a daemon.
    expect(await grabber.run('faces', 'name', bert, 'anna')).toMatchObject({
      status: 3,
      err: expect.stringMatching(/^GAL_DISAGREE: /),
    })
    expect(await grabber.run('faces', 'name', bert, 'bert')).toMatchObject({ status: 0 })
    expect(await unknown(grabber)).toEqual([])
    const { ids } = await replayed(grabber, clip('book'))
    expect(ids.get('book')).toEqual(['nobody'])
  }, 240_000)
})
