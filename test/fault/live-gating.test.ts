/**
 * A real camera at rest: it wakes for a visit and loses none of it, rests again, and is woken from outside to keep a picture; beside it
 * the same camera with faces and keyframes at once.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type NatsConnection } from 'nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CameraReport } from '../../actors/camera-report.ts'
import type { CloudEvent, EventData } from '../../core/event.ts'
import { imbalance, type LedgerCounts } from '../../core/ledger.ts'
import { type DaemonView, startDaemon } from '../e2e/support/daemon.ts'
import { Grabber } from '../e2e/support/grabber.ts'
import { cameraClip } from '../integration/support/camera-clips.ts'
import { hasClips } from '../integration/support/clips.ts'
import { until } from '../integration/support/nats.ts'
import { type Camera, RtspServer } from '../integration/support/rtsp-server.ts'

const FPS = 15
const REST_LIMIT_MS = 30_000

describe.skipIf(!hasClips)('a camera at rest', () => {
  const quiet = cameraClip('quiet', { fps: FPS, seconds: 8 })
  const visit = cameraClip('visit', { fps: FPS })
  let server: RtspServer
  let camera: Camera
  let grabber: Grabber
  let daemon: DaemonView
  let nats: NatsConnection
  /** Ids of the keyframes of `hall`. */
  const published = new Set<string>()

  beforeAll(async () => {
    server = await RtspServer.start()
    camera = await server.camera('/room', { clip: quiet })
    grabber = new Grabber({ models: true })
    const path = grabber.path('grabber.yaml')
    const lines = ['http: { port: 0 }', 'defaults: { motion: { quietSeconds: 1 } }', 'cameras:']
    writeFileSync(
      path,
      `${lines.join('\n')}\n  room: { source: "${camera.url}" }\n  hall: { source: "${camera.url}", keyframes: { enabled: true } }\n`,
    )
    daemon = await startDaemon(grabber, path)
    nats = await connect({ servers: daemon.info.natsUrl! })
    nats.subscribe('grabber.edge-1.events.hall.keyframe', {
      callback: (_, message) => published.add(message.headers!.get('ce-id')),
    })
  })
  afterAll(async () => {
    await nats?.close()
    await daemon?.stop()
    grabber?.[Symbol.dispose]()
    await server?.[Symbol.asyncDispose]()
  })

  const report = async (id = 'room') =>
    (await daemon.get<CameraReport[]>('/api/v1/cameras')).find((camera) => camera.id === id)!
  const gate = (wanted: string, id = 'room') =>
    until(`the gate is ${wanted}`, async () => (await report(id)).gate === wanted, REST_LIMIT_MS)
  const eventsOf = async (type: string, id = 'room') =>
    (await daemon.get<CloudEvent[]>(`/api/v1/events?camera=${id}&limit=500`)).filter((event) => event.type === type)
  const trigger = (message: object) =>
    nats.publish('grabber.edge-1.trigger.room', new TextEncoder().encode(JSON.stringify(message)))

  it('rests while nothing happens, and its pictures are counted', async () => {
    await gate('idle')
    const { ledger, state } = await report()
    expect(state).toBe('live')
    await until('pictures go by undecoded', async () => ((await report()).ledger.skipped.idle ?? 0) > FPS)
    expect(ledger.dropped).toEqual({})
  })

  it('a visit wakes it; the track begins when the person does, nothing is dropped, and it rests again', async () => {
    await camera.show(visit, { once: true })
    const tracked = async (phase: string) =>
      (await eventsOf('face.track')).filter(({ data }) => (data as EventData<'face.track'>).phase === phase)
    await until('somebody is followed', async () => (await tracked('new')).length > 0, REST_LIMIT_MS)
    await until('and gone', async () => (await tracked('end')).length > 0, REST_LIMIT_MS)
    const [motion] = (await eventsOf('motion')).reverse()
    const [track] = await tracked('new')
    // The person is in sight half a second after coming in; two detections make a track.
    expect(Date.parse(track!.time) - Date.parse(motion!.time)).toBeLessThan(1500)
    const { ledger } = await report()
    expect(ledger.dropped).toEqual({})
    expect(imbalance(ledger)).toBe(0)
    await gate('idle')
  })

  it('one that keeps keyframes beside it sees the same person, and keeps and publishes its pictures', async () => {
    await gate('idle', 'hall')
    const keyframes = (await eventsOf('keyframe', 'hall')) as (CloudEvent & { data: EventData<'keyframe'> })[]
    // The picture of a room that it has not seen before; a visit gives more of them or not, as its pictures happen to be sampled.
    expect(keyframes.length).toBeGreaterThan(0)
    for (const { data } of keyframes) {
      const picture = readFileSync(join(grabber.data, 'pictures', data.file!))
      const ends = [picture.subarray(0, 3).toString('hex'), picture.subarray(-2).toString('hex')]
      expect([data.reason.length > 0, ...ends]).toEqual([true, 'ffd8ff', 'ffd9'])
    }
    type Listed = { keyframes: { id: string; hasPicture: boolean }[]; next: string | null }
    const listed = await daemon.get<Listed>('/api/v1/keyframes?camera=hall')
    expect(listed).toMatchObject({ keyframes: keyframes.map(({ id }) => ({ id, hasPicture: true })), next: null })
    const served = await fetch(`${daemon.info.httpUrl}/api/v1/keyframes/${keyframes[0]!.id}/picture`)
    const kept = readFileSync(join(grabber.data, 'pictures', keyframes[0]!.data.file!))
    expect(Buffer.from(await served.arrayBuffer()).equals(kept)).toBe(true)
    await until('they are published', () => published.size >= keyframes.length)
    expect([...published].sort()).toEqual(keyframes.map(({ id }) => id).sort())

    const tracks = async (id: string) =>
      Object.groupBy(
        (await eventsOf('face.track', id)).map(({ data }) => data as EventData<'face.track'>),
        ({ trackId }) => trackId,
      )
    const [hall, room] = [await tracks('hall'), await tracks('room')]
    expect(Object.keys(hall)).toHaveLength(Object.keys(room).length)
    for (const track of Object.values(hall)) {
      const phases = track!.map(({ phase }) => phase).reverse()
      expect([phases[0], phases.at(-1), phases.filter((phase) => phase !== 'update').length]).toEqual(['new', 'end', 2])
      expect(existsSync(join(grabber.data, 'pictures', track![0]!.bestShot!))).toBe(true)
    }
    const { ledger, leases } = await report('hall')
    expect([ledger.dropped, imbalance(ledger), leases]).toEqual([{}, 0, 0])
  })

  it('a trigger wakes it and keeps the picture of that moment', async () => {
    await gate('idle')
    const before = Date.now()
    trigger({ reason: 'door', keyframe: true, seconds: 2 })
    await gate('active')
    await until('the keyframe is told of', async () => (await eventsOf('keyframe')).length > 0)
    const [keyframe] = await eventsOf('keyframe')
    const { reason, file } = keyframe!.data as EventData<'keyframe'>
    expect(reason).toBe('trigger: door')
    expect(Date.parse(keyframe!.time)).toBeGreaterThanOrEqual(before - 500)
    const path = join(grabber.data, 'pictures', file!)
    await until('it is kept', () => existsSync(path))
    expect(readFileSync(path).subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]))
    await gate('idle')
    expect((await report()).ledger.dropped).toEqual({})
  })

  it('ends with every picture accounted for, and none held', async () => {
    expect(await daemon.stop()).toBe(0)
    const ends = daemon.running
      .err()
      .split('\n')
      .filter((line) => line.includes('"the session has ended"'))
    const told = ends.map((line) => JSON.parse(line) as { camera: string; ledger: LedgerCounts; leases: number })
    const accounts = told.map(({ camera, ledger, leases }) => [camera, ledger.inFlight, imbalance(ledger), leases])
    expect(accounts.sort()).toEqual([
      ['hall', 0, 0, 0],
      ['room', 0, 0, 0],
    ])
  })
})
