/** A daemon that starts with no camera, nobody at their addresses and no broker, and becomes whole as they come. */
import { writeFileSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import type { CloudEvent } from '../../core/event.ts'
import { cameraClip } from '../integration/support/camera-clips.ts'
import { hasClips } from '../integration/support/clips.ts'
import { cleanUp, configuredServer, freePort, onCleanUp, storedIds, until } from '../integration/support/nats.ts'
import { RtspServer } from '../integration/support/rtsp-server.ts'
import { startDaemon } from './support/daemon.ts'
import { Grabber } from './support/grabber.ts'

afterEach(cleanUp)

it.skipIf(!hasClips)('starts with nothing, says what is missing, and becomes whole', async () => {
  const port = await freePort()
  const server = await RtspServer.start()
  onCleanUp(() => server[Symbol.asyncDispose]())
  const camera = await server.camera('/yard', { clip: cameraClip('person') })
  await server.kill()

  const grabber = new Grabber({ models: true })
  onCleanUp(() => grabber[Symbol.dispose]())
  const path = grabber.path('grabber.yaml')
  writeFileSync(
    path,
    `http: { port: 0 }\nnats: { url: "nats://127.0.0.1:${port}" }\nreconnect: { minMs: 200, maxMs: 1000 }\n`,
  )
  const daemon = await startDaemon(grabber, path)
  onCleanUp(() => daemon.running.child.kill('SIGKILL'))
  const ready = () => daemon.text('/health/ready')
  const outbox = async () => Number(/^grabber_bus_outbox_depth (\d+)$/m.exec(await daemon.text('/metrics'))![1])
  expect(await daemon.text('/health/live')).toContain('"ok"')
  expect(await ready()).toContain('bus is degraded: offline')
  expect(await daemon.get('/api/v1/cameras')).toEqual([])

  expect((await grabber.run('-c', path, 'cameras', 'add', 'yard', '--source', camera.url)).status).toBe(0)
  await until('nobody is there', async () =>
    (await daemon.text('/metrics')).includes('{camera_id="yard",code="SRC_UNREACHABLE"}'),
  )
  expect(await ready()).toContain('yard')

  await server.restart()
  await until('it is analysed', async () => {
    const { state, ledger } = (await daemon.camera('yard'))!
    return state === 'live' && ledger.analysed >= 5
  })
  expect(await outbox()).toBeGreaterThan(0)

  const broker = await configuredServer('', undefined, port)
  await until('all is told', async () => (await outbox()) === 0)
  const history = await daemon.get<CloudEvent[]>('/api/v1/events?limit=1000')
  expect(history.map(({ type }) => type)).toEqual(expect.arrayContaining(['camera.state', 'motion']))
  await until('every event is on the stream', async () => {
    const stored = new Set(await storedIds(broker.url()))
    return history.every(({ id }) => stored.has(id))
  })
  await until('all is well', async () => (await ready()).includes('"status":"ok"'))
  expect(await daemon.stop()).toBe(0)
})
