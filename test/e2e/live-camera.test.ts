/** A daemon with a real camera that goes and comes, and with many that were never there. */
import { writeFileSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { cameraClip } from '../integration/support/camera-clips.ts'
import { cleanUp, onCleanUp, until } from '../integration/support/nats.ts'
import { RtspServer } from '../integration/support/rtsp-server.ts'
import { startDaemon } from './support/daemon.ts'
import { Grabber } from './support/grabber.ts'

afterEach(cleanUp)

interface Report {
  state: string
  breaker: string
  hostPid: number | null
  incarnation: number
  ledger: { inFlight: number }
}

it('survives outages in one host, says what is wrong, and is ready without its cameras', async () => {
  const server = await RtspServer.start()
  onCleanUp(() => server[Symbol.asyncDispose]())
  const camera = await server.camera('/yard', { clip: cameraClip('person') })
  const grabber = new Grabber()
  onCleanUp(() => grabber[Symbol.dispose]())
  const path = grabber.path('grabber.yaml')
  const absent = Array.from({ length: 3 }, (_, n) => `  absent${n}: { source: "rtsp://127.0.0.1:1/${n}" }\n`)
  writeFileSync(
    path,
    `http: { port: 0 }
nats: { url: none }
timeouts: { stallMs: 1500, openMs: 1500 }
reconnect: { minMs: 50, maxMs: 200, goodMs: 700 }
cameras:
  yard: { source: "${camera.url}" }
${absent.join('')}`,
  )
  const daemon = await startDaemon(grabber, path)
  onCleanUp(() => daemon.running.child.kill('SIGKILL'))
  const yard = async () => (await daemon.camera('yard')) as unknown as Report
  const is = (state: string) => until(`it is ${state}`, async () => (await yard()).state === state)

  await is('live')
  const { hostPid } = await yard()
  await server.kill()
  await until('its breaker is open', async () => (await yard()).breaker === 'open')
  expect((await yard()).ledger.inFlight).toBe(0)
  await server.restart()
  await until('it is trusted again', async () => (await yard()).breaker === 'closed')
  await camera.stall()
  await is('stalled')
  await until('the connection is given up', async () => (await yard()).state !== 'stalled')
  await camera.resume()
  await is('live')
  expect(await yard()).toMatchObject({ hostPid, incarnation: 1 })

  const events = await daemon.get<{ type: string; data: { state: string; reason: string } }[]>(
    '/api/v1/events?limit=1000&camera=yard',
  )
  const told = events.filter(({ type }) => type === 'camera.state').reverse()
  const story = told.map(({ data: { state, reason } }) => `${state} ${reason}`)
  expect(story.slice(0, 2)).toEqual(['connecting started', 'live frames arrive'])
  expect(story[story.indexOf('stalled no picture') + 1]).toBe('backing_off SRC_TIMEOUT')

  const others = (await daemon.get<Report[]>('/api/v1/cameras')).slice(1)
  expect(others.map(({ incarnation }) => incarnation)).toEqual([1, 1, 1])
  expect(await daemon.text('/health/ready')).toMatch(/"degraded".*absent0 (backing_off|connecting)/)
  expect(await daemon.stop()).toBe(0)
})
