/** The whole daemon with two engines on the CPU, as if they were two devices. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { CloudEvent, EventData } from '../../core/event.ts'
import { imbalance } from '../../core/ledger.ts'
import { askDaemon } from '../../src/http/control-client.ts'
import { type DaemonView, startDaemon } from '../e2e/support/daemon.ts'
import { assets, Grabber } from '../e2e/support/grabber.ts'
import { cleanUp, onCleanUp, until } from '../integration/support/nats.ts'

afterEach(cleanUp)

const clip = (name: string) => `file:${join(assets, 'videos/asl', name)}`
const ALL_MODELS = ['yunet', 'face-reid-0095', 'minifasnet-v2', 'minifasnet-v1se']
/** A busy machine would halve the largest batch, and that is told as well. */
const PATIENT = 'batch: { targetLatencyMs: 60000 }'
const CAMERAS = ['north', 'east', 'south', 'west']

async function running(config: string, models = true): Promise<{ daemon: DaemonView; grabber: Grabber }> {
  const grabber = new Grabber({ models })
  onCleanUp(() => grabber[Symbol.dispose]())
  const path = grabber.path('grabber.yaml')
  writeFileSync(path, `http: { port: 0 }\nnats: { url: none }\n${config}`)
  const daemon = await startDaemon(grabber, path)
  onCleanUp(() => daemon.running.child.kill('SIGKILL'))
  return { daemon, grabber }
}

interface EngineNode {
  id: string
  state: string
  breaker: string
  detail?: { sessions: number; figures?: { completed: number } }
}

async function engines(daemon: DaemonView): Promise<EngineNode[]> {
  interface Tree {
    children: { id: string; detail: { children: EngineNode[] } }[]
  }
  const tree = await daemon.get<Tree>('/api/v1/supervision')
  return tree.children.find(({ id }) => id === 'engines')!.detail.children
}

const sessionsAt = async (daemon: DaemonView) => (await engines(daemon)).map(({ detail }) => detail?.sessions ?? 0)

async function engineStates(daemon: DaemonView): Promise<EventData<'engine.state'>[]> {
  const events = await daemon.get<CloudEvent[]>('/api/v1/events?limit=1000&camera=_node')
  return events
    .flatMap(({ type, data }) => (type === 'engine.state' ? [data as EventData<'engine.state'>] : []))
    .reverse()
}

it('kill -9 of one engine: its cameras go on with the other, no frame is without a fate', async () => {
  const cameras = CAMERAS.map((id) => `  ${id}: { source: "${clip('again.mkv')}", loop: true }\n`).join('')
  const { daemon } = await running(
    `engine: { devices: [{ device: cpu, index: 0 }, { device: cpu, index: 1 }], threads: 1, ${PATIENT} }\ncameras:\n${cameras}`,
  )
  const all = () => Promise.all(CAMERAS.map(async (id) => (await daemon.camera(id))!))
  const analysed = async () => (await all()).map(({ ledger }) => ledger.analysed)
  await until('all cameras are analysed', async () => (await analysed()).every((count) => count > 5), 60_000)
  expect(await sessionsAt(daemon)).toEqual([2, 2])
  const hosts = CAMERAS.map((id) => daemon.pid(`camera:${id}`))

  const victim = daemon.pid('engine:cpu-0')!
  process.kill(victim, 'SIGKILL')
  await until('the others have its sessions', async () => (await sessionsAt(daemon))[1] === 4)
  const then = await analysed()
  await until('all go on', async () => (await analysed()).every((count, n) => count > then[n]! + 5), 60_000)
  await until('it is back', () => ![undefined, victim].includes(daemon.pid('engine:cpu-0')))

  for (const { state, ledger } of await all()) {
    expect(state).toBe('live')
    expect(imbalance({ ...ledger, skipped: ledger.skipped as Record<string, number> })).toBe(0)
    // A full queue may cost frames on a busy machine; an engine that died must not.
    expect(Object.keys(ledger.dropped).filter((key) => /^(engine|host|session)\./.test(key))).toEqual([])
  }
  expect(CAMERAS.map((id) => daemon.pid(`camera:${id}`))).toEqual(hosts)
  const told = await engineStates(daemon)
  expect(told.filter(({ engine }) => engine === 'cpu-1').map(({ state }) => state)).toEqual(['ready'])
  await until('its return is told', async () => (await engineStates(daemon)).at(-1)?.restarts === 1)
  const states = (await engineStates(daemon)).filter(({ engine }) => engine === 'cpu-0')
  expect(states.map(({ state, breaker }) => [state, breaker])).toEqual([
    ['ready', 'closed'],
    ['restarting', 'closed'],
    ['ready', 'closed'],
  ])
  expect(states[0]).toMatchObject({ device: 'cpu', models: ALL_MODELS, refused: [] })
  expect((await engines(daemon)).map(({ breaker }) => breaker)).toEqual(['closed', 'closed'])
  const metrics = await daemon.text('/metrics')
  expect(metrics).toContain('grabber_circuit_breaker_state{name="engine:cpu-0"} 0')
  expect(metrics).toContain('grabber_actor_restarts_total{actor="engine:cpu-0"} 1')
  expect(await daemon.stop()).toBe(0)
}, 200_000)

it('models that are installed while it runs are taken up: who lacked them starts anew, nobody else', async () => {
  const { daemon, grabber } = await running(
    `cameras:
  lobby: { source: "${clip('again.mkv')}", loop: true }
  yard: { source: "${clip('again.mkv')}", loop: true, faces: { enabled: false } }
`,
    false,
  )
  await until(
    'both are live',
    async () => {
      const states = await Promise.all(['lobby', 'yard'].map(async (id) => (await daemon.camera(id))?.state))
      return states.every((state) => state === 'live')
    },
    60_000,
  )
  expect(await engines(daemon)).toEqual([])
  const [lobby, yard] = [daemon.pid('camera:lobby'), daemon.pid('camera:yard')]

  grabber.linkModels()
  const refresh = () =>
    askDaemon(daemon.info.controlSocket!, { method: 'POST', path: '/control/models/refresh', body: {} })
  expect(await refresh()).toEqual({ models: ALL_MODELS, cameras: ['lobby'] })
  const faceTold = async () => (await daemon.mediaEvents()).some(({ type }) => type === 'face.track')
  await until('a face is told of', faceTold, 60_000)
  expect(daemon.pid('camera:lobby')).not.toBe(lobby)
  expect(daemon.pid('camera:yard')).toBe(yard)
  expect((await engines(daemon)).map(({ id, state }) => [id, state])).toEqual([['engine:auto', 'running']])
  expect(await daemon.stop()).toBe(0)
}, 200_000)
