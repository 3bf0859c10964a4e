/** Changes of the configuration of a running daemon. The tests follow each other: each starts where the last one ended. */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CameraView } from '../../src/commands/camera-view.ts'
import type { ConfigReport } from '../../src/live-config.ts'
import { until } from '../integration/support/nats.ts'
import { type DaemonView, startDaemon } from './support/daemon.ts'
import { assets, Grabber } from './support/grabber.ts'

const clip = (name: string) => `file:${join(assets, 'videos/asl', name)}`
const a = `a: { source: "${clip('yes.mkv')}", loop: true, analysis: { fps: 4 } }`
const b = (fps: number) => `b: { source: "${clip('eat.mkv')}", loop: true, analysis: { fps: ${fps} } }`
const atFirst = 'nats: { url: none }\nhttp: { port: 0 }'
const base = 'nats: { url: none }\nhttp: { host: localhost, port: 0 }'

const grabber = new Grabber()
const config = grabber.path('grabber.yaml')
let daemon: DaemonView

beforeAll(async () => {
  writeFileSync(config, `${atFirst}\ncameras:\n  ${a}\n  ${b(4)}\n`)
  daemon = await startDaemon(grabber, config)
  await until('both are live', async () => (await cameras()).every(({ state }) => state === 'live'))
})
afterAll(() => grabber[Symbol.dispose]())

const cameras = () => daemon.get<CameraView[]>('/api/v1/cameras')

/** Session and process of each camera. */
const lives = async () =>
  Object.fromEntries((await cameras()).map(({ id, incarnation, hostPid }) => [id, `${incarnation} ${hostPid}`]))

type Applied = ConfigReport & { by: string }

/** What the daemon has said of changes that it took. */
const applied = (): Applied[] =>
  daemon.running
    .err()
    .split('\n')
    .filter((line) => line.includes('"msg":"configuration applied"'))
    .map((line) => JSON.parse(line) as Applied)

/** The report of the next change. */
async function next(what: () => unknown): Promise<Applied> {
  const before = applied().length
  await what()
  await until('the change is applied', () => applied().length > before)
  return applied().at(-1)!
}

it('a file that is renamed over the old one: the camera that is named gets a new session, the other goes on', async () => {
  const before = await lives()
  const report = await next(() => {
    writeFileSync(`${config}.new`, `${atFirst}\ncameras:\n  ${a}\n  ${b(6)}\n`)
    renameSync(`${config}.new`, config)
  })
  expect(report).toMatchObject({
    by: 'file',
    changed: ['cameras.b.analysis.fps'],
    cameras: { added: [], removed: [], restarted: ['b'], unchanged: ['a'] },
  })
  await until('b plays again', async () => (await cameras()).every(({ state }) => state === 'live'))
  const after = await lives()
  expect(after.a).toBe(before.a)
  expect(after.b).not.toBe(before.b)
})

it('http, log, history and load: no camera is touched, only HTTP is opened anew', async () => {
  const [before, url] = [await lives(), daemon.info.httpUrl!]
  const sections = 'log: { level: debug }\nevents: { historyRows: 2000 }\nload: { shed: false }'
  const text = `${base}\n${sections}\ncameras:\n  ${a}\n  ${b(6)}\n`
  const report = await next(() => writeFileSync(config, text))
  expect(report).toMatchObject({
    changed: ['events.historyRows', 'http.host', 'load.shed', 'log.level'],
    cameras: { restarted: [], unchanged: ['a', 'b'] },
    restartNeeded: [],
  })
  expect(daemon.info.httpUrl).not.toBe(url)
  await expect(fetch(`${url}/health/live`)).rejects.toThrow()
  expect(await lives()).toEqual(before)
  // Written at debug level only.
  await cameras()
  await grabber.run('-c', config, 'cameras', 'list')
  expect(daemon.running.err()).toMatch(/"level":"debug",.*"command":"cameras.list"/)
})

it('a file that is not valid changes nothing, is said once with every mistake, and the node is degraded until it is valid', async () => {
  const before = await lives()
  const health = () => daemon.text('/health/ready')
  const text = `nod: x\n${base}\nlog: { level: debug }\ncameras:\n  ${a.replace('loop', 'lop')}\n`
  writeFileSync(config, text)
  await until('the node says so', async () => (await health()).includes('config is degraded'))
  expect(JSON.parse(await health()).reasons.join()).toMatch(/CFG_INVALID: .*line 1: nod: .*line 6: cameras\.a\.lop/)

  const { status, err } = await grabber.run('-c', config, 'config', 'reload')
  expect([status, err.split('\n').slice(0, 2)]).toEqual([
    2,
    ['line 1: nod: unknown key, did you mean node?', 'line 6: cameras.a.lop: unknown key, did you mean loop?'],
  ])
  expect(err.split('\n')[2]).toMatch(/^CFG_INVALID: .*grabber\.yaml has 2 problems: /)
  const said = daemon.running
    .err()
    .split('\n')
    .filter((line) => line.includes('the configuration was not taken'))
  expect(said).toHaveLength(1)
  expect(said[0]).toContain('cameras.a.lop')
  expect(await lives()).toEqual(before)
  const told = async () =>
    (await daemon.get<{ type: string; data: { state: string; reasons: string[] } }[]>('/api/v1/events?camera=_node'))
      .filter(({ type }) => type === 'node.health')
      .some(({ data }) => data.reasons.some((reason) => reason.startsWith('config is degraded')))
  await until('subscribers are told', told)

  writeFileSync(config, text.replace('nod: x\n', '').replace('lop', 'loop'))
  await until('the node is well', async () => !(await health()).includes('config is degraded'))
  // b is gone, with the next valid file; a goes on.
  expect((await lives()).a).toBe(before.a)
  expect(Object.keys(await lives())).toEqual(['a'])
})

it('the command says what has changed, and what waits for a restart; SIGHUP does the same', async () => {
  const before = await lives()
  const text = `node: other\ndata: elsewhere\n${base}\ncameras:\n  ${a}\n  c: { source: "${clip('eat.mkv')}", enabled: false }\n`
  await next(() => writeFileSync(config, text))
  const { status, out } = await grabber.run('-c', config, 'config', 'reload')
  expect([status, out]).toEqual([0, 'changed: node\nwaits for a restart of grabber: node\n'])
  const report = await next(() => daemon.running.child.kill('SIGHUP'))
  expect(report).toMatchObject({ by: 'SIGHUP', changed: ['node'], restartNeeded: ['node'] })
  expect(await lives()).toEqual({ a: before.a, c: '0 null' })
  const info = JSON.parse((await grabber.run('-c', config, 'cameras', 'get', 'a', '--json')).out)
  expect(info).toMatchObject({ id: 'a', writtenBy: 'file' })
})

it('a default touches the cameras that inherit it; those that are gone from the file are gone', async () => {
  const text = `${base}\ndefaults: { analysis: { width: 320 } }\ncameras:\n  ${a.replace('fps: 4', 'width: 640, fps: 4')}\n  d: { source: "${clip('eat.mkv')}", enabled: false }\n`
  const before = await lives()
  const report = await next(() => writeFileSync(config, text))
  expect(report.cameras).toEqual({ added: ['d'], removed: ['c'], restarted: [], unchanged: ['a'] })
  expect(await lives()).toEqual({ a: before.a, d: '0 null' })
  const again = await next(() => writeFileSync(config, text.replace('width: 640, ', '')))
  expect(again.cameras).toMatchObject({ restarted: ['a'], unchanged: ['d'] })
  expect(await daemon.stop()).toBe(0)
})
