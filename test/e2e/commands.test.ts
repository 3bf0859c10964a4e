/** Every command by every door, against one running daemon. The tests follow each other: each starts where the last one ended. */

import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { connect, headers, type NatsConnection } from 'nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLetter } from '../../src/bus/dead-letter.ts'
import type { CameraDetails, CameraView } from '../../src/commands/camera-view.ts'
import type { Answer } from '../../src/commands/command.ts'
import { until } from '../integration/support/nats.ts'
import { type DaemonView, startDaemon } from './support/daemon.ts'
import { assets, type Ended, Grabber } from './support/grabber.ts'

const clip = (name: string) => `file:${join(assets, 'videos/asl', name)}`

const grabber = new Grabber({ env: { GATE_PASSWORD: 'hush' } })
const config = grabber.path('grabber.yaml')
let daemon: DaemonView
let nats: NatsConnection

beforeAll(async () => {
  writeFileSync(
    config,
    `http: { port: 0 }
log: { level: debug }
cameras:
  a: { source: "${clip('yes.mkv')}", loop: true }
  off: { source: "${clip('eat.mkv')}", loop: true, enabled: false }
`,
  )
  daemon = await startDaemon(grabber, config)
  nats = await connect({ servers: daemon.info.natsUrl! })
  await until('a is live', async () => (await camera('a')).state === 'live')
})

afterAll(async () => {
  await nats?.close()
  grabber[Symbol.dispose]()
})

const camera = (id: string) => daemon.get<CameraDetails>(`/api/v1/cameras/${id}`)

async function ask(name: string, input: object | string = {}, given: Record<string, string> = {}): Promise<Answer> {
  const sent = headers()
  for (const [key, value] of Object.entries(given)) sent.set(key, value)
  const payload = typeof input === 'string' ? input : JSON.stringify(input)
  const { data } = await nats.request(`grabber.edge-1.cmd.${name}`, payload, { timeout: 30_000, headers: sent })
  return JSON.parse(Buffer.from(data).toString()) as Answer
}

async function done<T>(answer: Promise<Answer>): Promise<T> {
  const given = await answer
  if (!given.ok) throw new Error(`${given.error.code}: ${given.error.message}`)
  return given.data as T
}

const cameras = (...args: string[]): Promise<Ended> => grabber.run('-c', config, 'cameras', ...args)

/** With the headers as given, which `fetch` would not send: `host` and `origin` are its own business. */
function post(
  path: string,
  given: Record<string, string> = {},
  body?: string,
): Promise<{ status: number; answer: Answer }> {
  const { hostname, port, host } = new URL(daemon.info.httpUrl!)
  return new Promise((resolve, reject) => {
    const call = request({ hostname, port, path, method: 'POST', headers: { host, ...given } }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode!, answer: JSON.parse(text) as Answer }))
    })
    call.on('error', reject)
    call.end(body)
  })
}

describe('the service on NATS', () => {
  it('is found as NATS tools find one, with an endpoint for each command', async () => {
    const one = async (verb: string) => JSON.parse((await nats.request(`$SRV.${verb}.grabber`)).string())
    expect(await one('PING')).toMatchObject({
      type: 'io.nats.micro.v1.ping_response',
      name: 'grabber',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      metadata: { node: 'edge-1' },
    })
    const info = (await one('INFO')) as { endpoints: { name: string; subject: string }[] }
    expect(info.endpoints.map(({ subject }) => subject)).toEqual([
      ...['list', 'get', 'add', 'update', 'remove', 'start', 'stop', 'restart', 'trigger', 'discover'].map(
        (verb) => `grabber.edge-1.cmd.cameras.${verb}`,
      ),
      'grabber.edge-1.cmd.node.info',
      'grabber.edge-1.cmd.node.supervision',
      'grabber.edge-1.cmd.node.reload',
    ])
    await ask('cameras.list')
    const stats = (await one('STATS')) as { endpoints: { name: string; num_requests: number }[] }
    expect(stats.endpoints.find(({ name }) => name === 'cameras-list')?.num_requests).toBe(1)
  })

  it('answers with the request id of the caller, and says failures in headers as well', async () => {
    expect(await ask('node.info', { requestId: 'r-1' })).toMatchObject({
      ok: true,
      requestId: 'r-1',
      data: { node: 'edge-1', pid: daemon.running.child.pid, cameras: 2, config: { file: config, trouble: null } },
    })
    expect(await ask('cameras.get', { id: 'nobody' }, { 'Nats-Request-Id': 'r-2' })).toEqual({
      ok: false,
      error: { code: 'API_NOT_FOUND', message: 'there is no camera nobody' },
      requestId: 'r-2',
    })
    const { headers: said } = await nats.request('grabber.edge-1.cmd.cameras.get', '{"id":"nobody"}')
    expect(said?.get('Nats-Service-Error-Code')).toBe('404')
    expect(await ask('cameras.get', '{"id":')).toMatchObject({ error: { code: 'API_BAD_REQUEST' } })
    expect(await ask('cameras.stop', { id: 'a', force: true })).toMatchObject({
      error: { code: 'API_BAD_REQUEST', message: expect.stringContaining('force: unknown key') },
    })
    expect(await done(ask('node.supervision'))).toMatchObject({ id: 'root', state: 'running' })
    expect(daemon.running.err()).toMatch(
      /"command":"cameras.get","door":"nats",.*"requestId":"r-2",.*"outcome":"API_NOT_FOUND"/,
    )
  })
})

describe('a camera that is added', () => {
  it('runs, is shown and changed by every door, and its password by none', async () => {
    const source = `rtsp://viewer:\${GATE_PASSWORD}@127.0.0.1:1/s`
    const added = await done<CameraDetails>(ask('cameras.add', { id: 'gate', camera: { source, priority: 2 } }))
    expect(added).toMatchObject({ id: 'gate', writtenBy: 'command', source, camera: { source, priority: 2 } })
    const first = camera('a')

    const updated = await cameras(
      'update',
      'gate',
      '--source',
      clip('help.mkv'),
      '--set',
      'loop=true',
      '--unset',
      'priority',
    )
    expect(updated).toMatchObject({ status: 0, out: 'gate: updated\n' })
    await until('it plays', async () => (await camera('gate')).state === 'live')
    expect((await camera('gate')).camera).toEqual({ source: clip('help.mkv'), loop: true })

    const rows = JSON.parse((await cameras('list', '--json')).out) as CameraView[]
    expect(rows.map(({ id, writtenBy }) => [id, writtenBy])).toEqual([
      ['a', 'file'],
      ['off', 'file'],
      ['gate', 'command'],
    ])
    expect(await daemon.get('/api/v1/cameras')).toMatchObject(
      rows.map(({ id, source: shown }) => ({ id, source: shown })),
    )
    expect((await cameras('list')).out).toMatch(
      /^CAMERA +STATE .*\na +live .*\noff +stopped .*\ngate +live +.*by command/,
    )
    expect((await cameras('get', 'gate')).out).toContain(`camera:\n  source: ${clip('help.mkv')}`)
    expect((await camera('a')).incarnation).toBe((await first).incarnation)
    expect(daemon.running.err()).not.toContain('hush')
  })

  it('is refused with every mistake, by its path', async () => {
    const address = ['--source', 'rtsp://u:geheim@h/s']
    const [wrong, literal, inFile, notOurs, nothing] = await Promise.all([
      cameras('add', 'new', ...address, '--set', 'prioritty=5', '--set', 'faces.minMargn=1'),
      cameras('add', 'new', ...address),
      cameras('update', 'a', '--set', 'priority=2'),
      cameras('remove', 'a'),
      cameras('update', 'gate'),
    ])
    expect(wrong.err).toContain('camera.prioritty: unknown key, did you mean priority?\n')
    expect(wrong.err).toContain('camera.faces.minMargn: unknown key, did you mean minMargin?\n')
    expect(wrong.err.trimEnd().split('\n').at(-1)).toMatch(/^API_BAD_REQUEST: /)
    expect(literal.err).toMatch(/^CFG_INVALID: cameras\.new\.source: a password/)
    expect(inFile.err).toMatch(/^CFG_IN_FILE: camera a is written in .*grabber\.yaml/)
    expect(notOurs.err).toMatch(/^CFG_IN_FILE: /)
    expect(nothing.err).toMatch(/^CFG_USAGE: /)
    for (const { status, out } of [wrong, literal, inFile, notOurs, nothing]) expect([status, out]).toEqual([2, ''])
    expect(wrong.err + literal.err + daemon.running.err()).not.toContain('geheim')
    expect(await ask('cameras.add', { id: 'a', camera: { source: 'file:/x' } })).toMatchObject({
      error: { code: 'API_CONFLICT' },
    })
    expect(await ask('cameras.get', { id: 'new' })).toMatchObject({ error: { code: 'API_NOT_FOUND' } })
  })
})

describe('starting and stopping', () => {
  it('by HTTP, from this machine', async () => {
    const before = await camera('a')
    const { status, answer } = await post('/api/v1/cameras/a/restart', { 'x-request-id': 'r-3' })
    expect([status, answer]).toMatchObject([200, { ok: true, requestId: 'r-3', data: { id: 'a' } }])
    await until('another session plays', async () => {
      const { state, incarnation, hostPid } = await camera('a')
      return state === 'live' && incarnation > before.incarnation && hostPid !== before.hostPid
    })
    expect((await post('/api/v1/cameras/a/stop')).answer).toMatchObject({
      data: { state: 'stopped', heldStopped: true },
    })
    expect((await post('/api/v1/cameras/a/start', { host: `localhost:1` })).answer).toMatchObject({
      data: { heldStopped: false },
    })
    expect(await post('/api/v1/cameras/nobody/start')).toMatchObject({
      status: 404,
      answer: { error: { code: 'API_NOT_FOUND' } },
    })
    expect(await post('/api/v1/cameras/NOBODY/start')).toMatchObject({
      status: 400,
      answer: { error: { code: 'API_BAD_REQUEST' } },
    })
    const json = { 'content-type': 'application/json' }
    expect(await post('/api/v1/cameras/a/stop', json, '{"id":"gate"}')).toMatchObject({ status: 400 })
    expect(await fetch(`${daemon.info.httpUrl}/api/v1/cameras/nobody`).then(({ status: code }) => code)).toBe(404)
  })

  it('not by HTTP from a web page, whatever the name by which it came here', async () => {
    for (const given of [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { host: 'evil.example' },
      { host: '127.0.0.1.evil.example' },
      { host: '192.0.2.1:8080' },
    ]) {
      const { status, answer } = await post('/api/v1/cameras/a/stop', { ...given, 'x-request-id': 'r-4' })
      expect([status, answer], JSON.stringify(given)).toMatchObject([
        403,
        { ok: false, error: { code: 'API_FORBIDDEN' }, requestId: 'r-4' },
      ])
    }
    expect((await camera('a')).heldStopped).toBe(false)
  })

  it('by NATS and on the command line', async () => {
    expect(await done(ask('cameras.stop', { id: 'gate' }))).toMatchObject({
      state: 'stopped',
      heldStopped: true,
      hostPid: null,
    })
    expect(await cameras('start', 'off')).toMatchObject({ status: 0, out: expect.stringMatching(/^off: \w+ \(/) })
    await until('off plays', async () => (await camera('off')).state === 'live')
    expect(await cameras('stop', 'off')).toMatchObject({ status: 0, out: 'off: stopped (told to)\n' })
    expect(await cameras('restart', 'nobody')).toMatchObject({
      status: 2,
      err: expect.stringMatching(/^API_NOT_FOUND: there is no camera nobody: /),
    })
    expect(await ask('cameras.start', { id: 'nobody' })).toMatchObject({ error: { code: 'API_NOT_FOUND' } })
  })
})

describe('triggers', () => {
  it('wake a camera by NATS and by command; what cannot be acted on is a dead letter with its reason', async () => {
    await until('a is live', async () => (await camera('a')).state === 'live')
    nats.publish('grabber.edge-1.trigger.a', '{"reason":"door","keyframe":true,"seconds":1}')
    await until('it has come', () => /"camera":"a","woken":true,"msg":"a trigger came"/.test(daemon.running.err()))
    expect(await cameras('trigger', 'a', '--reason', 'door', '--seconds', '1')).toMatchObject({
      status: 0,
      out: 'a: woken for 1 s\n',
    })
    expect(await cameras('trigger', 'a', '--reason', 'door', '--seconds', '9999')).toMatchObject({ status: 2 })
    // Stopped: there is nobody to wake.
    expect(await ask('cameras.trigger', { id: 'gate', reason: 'door' })).toMatchObject({
      error: { code: 'ACT_STOPPED' },
    })

    nats.publish('grabber.edge-1.trigger.nobody', '{"reason":"door"}')
    nats.publish('grabber.edge-1.trigger.a', 'wake up')
    nats.publish('grabber.edge-1.trigger.a', '{"reason":5}')
    const { streams } = await nats.jetstreamManager()
    await until('three letters are stored', async () => (await streams.info('GRABBER_DEAD')).state.messages === 3)
    const letters = await Promise.all(
      [1, 2, 3].map(async (seq) => readLetter((await streams.getMessage('GRABBER_DEAD', { seq })).data)),
    )
    expect(letters.map((letter) => letter?.reason.code).sort()).toEqual([
      'API_BAD_REQUEST',
      'API_BAD_REQUEST',
      'API_NOT_FOUND',
    ])
    expect(await daemon.text('/metrics')).toContain('grabber_dead_letters_total{reason="API_NOT_FOUND"} 1')
  })
})

describe('discovery', () => {
  it('is bounded in time, with a daemon and without one', async () => {
    expect(await done(ask('cameras.discover', { timeoutMs: 100 }))).toEqual(expect.any(Array))
    expect(await ask('cameras.discover', { timeoutMs: 60_000 })).toMatchObject({ error: { code: 'API_BAD_REQUEST' } })
    using alone = new Grabber()
    const found = await alone.run('cameras', 'discover', '--seconds', '0.1', '--json')
    expect([found.status, JSON.parse(found.out)]).toEqual([0, expect.any(Array)])
    expect(await alone.run('cameras', 'list')).toMatchObject({
      status: 5,
      out: '',
      err: expect.stringMatching(/^ACT_STOPPED: no grabber runs on .*: start/),
    })
  })
})

describe('a restart of the daemon', () => {
  it('finds added cameras again, and leaves stopped what was stopped by command', async () => {
    await nats.close()
    expect(await daemon.stop()).toBe(0)
    daemon = await startDaemon(grabber, config)
    const states = async () =>
      Object.fromEntries(
        (await daemon.get<CameraView[]>('/api/v1/cameras')).map(({ id, heldStopped }) => [id, heldStopped]),
      )
    expect(await states()).toEqual({ a: false, off: true, gate: true })
    expect((await camera('gate')).state).toBe('stopped')
    expect(await cameras('start', 'gate')).toMatchObject({ status: 0 })
    expect(await cameras('remove', 'gate')).toMatchObject({ status: 0, out: 'gate: removed\n' })
    expect(await states()).toEqual({ a: false, off: true })
    expect(await cameras('list', '--json', '-c', grabber.path('nowhere.yaml'))).toMatchObject({ status: 0 })
  })
})
