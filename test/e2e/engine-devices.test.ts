/** What a person sees of engines: GPUs that nvidia-smi tells of, devices that are refused, a breaker that opens. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { CloudEvent, EventData } from '../../core/event.ts'
import { cleanUp, onCleanUp, until } from '../integration/support/nats.ts'
import { type DaemonView, startDaemon } from './support/daemon.ts'
import { assets, Grabber } from './support/grabber.ts'

afterEach(cleanUp)

const lobby = `cameras:\n  lobby: { source: "file:${join(assets, 'videos/asl/again.mkv')}", loop: true }\n`

async function running(config: string, env: Record<string, string> = {}): Promise<DaemonView> {
  const grabber = new Grabber({ models: true, env })
  onCleanUp(() => grabber[Symbol.dispose]())
  const path = grabber.path('grabber.yaml')
  writeFileSync(path, `http: { port: 0 }\nnats: { url: none }\n${config}${lobby}`)
  const daemon = await startDaemon(grabber, path)
  onCleanUp(() => daemon.running.child.kill('SIGKILL'))
  return daemon
}

async function engineStates(daemon: DaemonView): Promise<EventData<'engine.state'>[]> {
  const events = await daemon.get<CloudEvent[]>('/api/v1/events?limit=1000&camera=_node')
  return events.flatMap(({ type, data }) => (type === 'engine.state' ? [data as EventData<'engine.state'>] : []))
}

it('shows the figures of each GPU, and names the one that is too old', async () => {
  const tools = new Grabber()
  onCleanUp(() => tools[Symbol.dispose]())
  mkdirSync(tools.data)
  const recorded = join(import.meta.dirname, '../fixtures/nvidia-smi/not-available.csv')
  const tool = join(tools.data, 'nvidia-smi')
  writeFileSync(tool, `#!/bin/sh\ncat '${recorded}'\n`)
  chmodSync(tool, 0o755)

  const daemon = await running('', { PATH: `${tools.data}:/usr/bin:/bin` })
  await until('the engine is ready', async () => (await engineStates(daemon)).some(({ state }) => state === 'ready'))
  const [ready] = await engineStates(daemon)
  expect(ready?.engine).toBe('auto')
  expect(ready?.refused).toContainEqual({ device: 'cuda-1', reason: 'its compute capability 5.0 is below 6.0' })
  const metrics = await daemon.text('/metrics')
  expect(metrics).toMatch(/^grabber_gpu_memory_utilization_percent\{gpu_id="0"\} 15\.18/m)
  expect(metrics).toMatch(/^grabber_gpu_temperature_celsius\{gpu_id="1"\} 41$/m)
  expect(metrics).toMatch(/^grabber_gpu_utilization_percent\{gpu_id="1"\} 0$/m)
  // It does not say how busy the first one is, nor what it draws.
  expect(metrics).not.toMatch(/^grabber_gpu_(utilization_percent|power_watts)\{gpu_id="0"\}/m)
  expect(await daemon.stop()).toBe(0)
})

it('an engine that never starts opens its breaker: frames are refused at once, the camera stays live, and all can see it', async () => {
  const daemon = await running('engine: { devices: [{ device: cuda, index: 63 }] }\n')
  const open = 'grabber_circuit_breaker_state{name="engine:cuda-63"} 2'
  await until('the breaker opens', async () => (await daemon.text('/metrics')).includes(open), 90_000)
  const drops = async () => (await daemon.camera('lobby'))?.ledger.dropped ?? {}
  const before = await drops()
  const since = async (key: string) => ((await drops())[key] ?? 0) - (before[key] ?? 0)
  await until('frames are refused', async () => (await since('engine.timeout')) >= 10, 60_000)
  // Had each waited for its deadline, those behind it would have been pushed out instead.
  expect(await since('detect.overflow')).toBeLessThan(await since('engine.timeout'))
  expect((await daemon.camera('lobby'))?.state).toBe('live')

  const last = (await engineStates(daemon)).at(0)
  expect(last).toMatchObject({ engine: 'cuda-63', state: 'degraded', breaker: 'open', device: 'cuda' })
  expect(last?.reason).toMatch(/^ENG_START: no device could run the models: cuda \(.*; again in 60\.0 s$/)
  expect(JSON.stringify(await daemon.get('/api/v1/supervision'))).toContain('"breaker":"open"')
  expect(await daemon.text('/health/ready')).toMatch(/engine is degraded: cuda-63 degraded: ENG_START/)
  expect(await daemon.stop()).toBe(0)
}, 200_000)
