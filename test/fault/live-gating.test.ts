/** A real camera at rest: it wakes for a visit and loses none of it, rests again, and is woken from outside to keep a picture. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type NatsConnection } from 'nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CameraReport } from '../../actors/camera-report.ts'
import type { CloudEvent, EventData } from '../../core/event.ts'
import { imbalance } from '../../core/ledger.ts'
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

  beforeAll(async () => {
    server = await RtspServer.start()
    camera = await server.camera('/room', { clip: quiet })
    grabber = new Grabber({ models: true })
    const path = grabber.path('grabber.yaml')
    const lines = ['http: { port: 0 }', 'defaults: { motion: { quietSeconds: 1 } }', 'cameras:']
    writeFileSync(path, `${lines.join('\n')}\n  room: { source: "${camera.url}" }\n`)
    daemon = await startDaemon(grabber, path)
    nats = await connect({ servers: daemon.info.natsUrl! })
  })
  afterAll(async () => {
    await nats?.close()
    await daemon?.stop()
    grabber?.[Symbol.dispose]()
    await server?.[Symbol.asyncDispose]()
  })

  const report = async () => (await daemon.get<CameraReport[]>('/api/v1/cameras')).find(({ id }) => id === 'room')!
  const gate = (wanted: string) =>
    until(`the gate is ${wanted}`, async () => (await report()).gate === wanted, REST_LIMIT_MS)
  const eventsOf = async (type: string) =>
    (await daemon.get<CloudEvent[]>('/api/v1/events?camera=room&limit=500')).filter((event) => event.type === type)
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
})
