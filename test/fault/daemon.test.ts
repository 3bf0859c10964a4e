import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { type DaemonView, startDaemon } from '../e2e/support/daemon.ts'
import { assets, Grabber } from '../e2e/support/grabber.ts'
import { descendants, isAlive, processesOf } from '../e2e/support/processes.ts'
import { cleanUp, onCleanUp, storedIds, until } from '../integration/support/nats.ts'

afterEach(cleanUp)

/** 26 passes of 2.6 s: a minute of playing. */
const PASSES = 26
const LIMIT_MS = 150_000

async function playing(): Promise<{ grabber: Grabber; path: string; daemon: DaemonView }> {
  const grabber = new Grabber({ models: true })
  onCleanUp(() => grabber[Symbol.dispose]())
  const path = grabber.path('grabber.yaml')
  const source = `file:${join(assets, 'videos/asl/again.mkv')}`
  writeFileSync(path, `http: { port: 0 }\ncameras:\n  lobby: { source: "${source}", loop: ${PASSES} }\n`)
  return { grabber, path, daemon: await startDaemon(grabber, path) }
}

const passesStarted = async (daemon: DaemonView) =>
  (await daemon.mediaEvents()).filter(({ data }) => 'trackId' in data && data.phase === 'new').length

const reached = (daemon: DaemonView, passes: number) =>
  until(`pass ${passes} began`, async () => (await passesStarted(daemon)) >= passes, LIMIT_MS)

const finished = (daemon: DaemonView) =>
  until('the playback ended', async () => (await daemon.camera('lobby'))?.state === 'stopped', LIMIT_MS)

const replaced = (daemon: DaemonView, name: string, before: number) =>
  until(`${name} is back`, () => ![undefined, before].includes(daemon.pid(name)))

const mediaIds = async (daemon: DaemonView) => (await daemon.mediaEvents()).map(({ id }) => id)

/** Media ids that subscribers of the stream got, in its order. */
async function publishedIds(daemon: DaemonView, ids: readonly string[]): Promise<string[]> {
  const wanted = new Set(ids)
  let stored: string[] = []
  await until('every event is on the stream', async () => {
    stored = (await storedIds(daemon.info.natsUrl!)).filter((id) => wanted.has(id))
    return new Set(stored).size === wanted.size
  })
  return stored
}

it(
  'kill -9 of a session host, of nats-server and of the daemon itself lose no event and make none twice',
  async () => {
    const [calm, rough] = await Promise.all([playing(), playing()])
    onCleanUp(() => calm.daemon.running.child.kill('SIGKILL'))

    await reached(rough.daemon, 2)
    const host = rough.daemon.pid('camera:lobby')!
    process.kill(host, 'SIGKILL')
    await replaced(rough.daemon, 'camera:lobby', host)

    await reached(rough.daemon, 5)
    const server = rough.daemon.pid('nats-server')!
    process.kill(server, 'SIGKILL')
    await replaced(rough.daemon, 'nats-server', server)
    const restarts = await rough.daemon.text('/metrics')
    expect(restarts).toContain('grabber_actor_restarts_total{actor="camera:lobby"} 1')
    expect(restarts).toContain('grabber_actor_restarts_total{actor="nats-server"} 1')

    await reached(rough.daemon, 9)
    const children = descendants(rough.daemon.running.child.pid!)
    rough.daemon.running.child.kill('SIGKILL')
    await rough.daemon.running.ended

    const again = await startDaemon(rough.grabber, rough.path)
    onCleanUp(() => again.running.child.kill('SIGKILL'))
    await until('no orphan is left', () => children.every((pid) => !isAlive(pid)))
    await Promise.all([finished(calm.daemon), finished(again)])

    const expected = await mediaIds(calm.daemon)
    const got = await mediaIds(again)
    // One track and one motion a pass at least, each with a beginning and an end.
    expect(expected.length).toBeGreaterThanOrEqual(3 * PASSES)
    expect(new Set(got)).toEqual(new Set(expected))
    expect(new Set(got).size).toBe(got.length)
    expect(await publishedIds(again, got)).toEqual(got)

    expect(await calm.daemon.stop()).toBe(0)
    expect(await again.stop()).toBe(0)
    expect(processesOf(rough.grabber.data)).toEqual([])
  },
  2 * LIMIT_MS,
)

it('an engine that is killed under a running camera is replaced, and the camera stays live', async () => {
  const { daemon } = await playing()
  onCleanUp(() => daemon.running.child.kill('SIGKILL'))
  await reached(daemon, 1)
  const engine = daemon.pid('engine:auto')!
  process.kill(engine, 'SIGKILL')
  await replaced(daemon, 'engine:auto', engine)
  await reached(daemon, 3)
  expect((await daemon.camera('lobby'))?.state).toBe('live')
  expect(await daemon.text('/metrics')).toContain('grabber_actor_restarts_total{actor="engine:auto"} 1')
  expect(await daemon.stop()).toBe(0)
})
