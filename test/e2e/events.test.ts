import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { connect } from 'nats'
import { afterEach, describe, expect, it } from 'vitest'
import type { CloudEvent } from '../../core/event.ts'
import { schemaFiles } from '../../script/event-schemas.ts'
import { cleanUp, configuredServer, onCleanUp, until } from '../integration/support/nats.ts'
import { type DaemonView, startDaemon } from './support/daemon.ts'
import { assets, Grabber, hasAssets, jsonLines } from './support/grabber.ts'

afterEach(cleanUp)

const root = fileURLToPath(new URL('../..', import.meta.url))
const clip = (name: string) => join(assets, 'videos', name)

function grabberWith(config: string) {
  const grabber = new Grabber({ models: true })
  onCleanUp(() => grabber[Symbol.dispose]())
  const path = grabber.path('grabber.yaml')
  writeFileSync(path, `http: { port: 0 }\n${config}`)
  return { grabber, path }
}

/** The published schemas, and with each object closed: what we publish has no field that they do not name. */
function publishedSchema(): ValidateFunction {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    formats: { 'date-time': (text) => !Number.isNaN(Date.parse(text)) },
  })
  const files = [...schemaFiles().keys()].map((name) => readFileSync(join(root, 'docs/events', name), 'utf8'))
  for (const text of files) {
    ajv.addSchema(
      JSON.parse(text, (key, value: unknown) => {
        const isSchema = typeof value === 'object' && value !== null && 'properties' in value && 'required' in value
        return isSchema && key !== 'properties' ? { ...value, additionalProperties: false } : value
      }),
    )
  }
  return ajv.getSchema('urn:grabber:schema:cloudevent:1')!
}

function expectValid(events: readonly CloudEvent[]): void {
  const validate = publishedSchema()
  for (const event of events) expect([validate(event), validate.errors, event.type]).toEqual([true, null, event.type])
}

/** tsc's words about `source`, which may import the published types; empty when it has none. */
function compile(grabber: Grabber, source: string): string {
  const file = grabber.path('check.ts')
  const types = join(root, 'docs/events/grabber-events.d.ts')
  writeFileSync(file, `import type { GrabberEvent } from '${types}'\n${source}\n`)
  const flags = ['--noEmit', '--strict', '--ignoreConfig', '--allowImportingTsExtensions', '--target', 'es2024']
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), [...flags, '--types', '', file], {
    encoding: 'utf8',
  })
  return stdout
}

const ids = (events: readonly CloudEvent[]) => events.map(({ id }) => id)
const wholeLines = (text: string) => jsonLines<CloudEvent>(text.slice(0, text.lastIndexOf('\n') + 1))

describe.skipIf(!hasAssets)('published schemas and types', () => {
  it('are true of every event of a real replay, and refuse what is none', async () => {
    const { grabber, path } = grabberWith('')
    const { out, status } = await grabber.run(
      '-c',
      path,
      'replay',
      clip('asl/yes.mkv'),
      '--all-events',
      '--events',
      '-',
    )
    expect(status).toBe(0)
    const events = jsonLines<CloudEvent>(out)
    expect(new Set(events.map(({ type }) => type))).toContain('face.track')
    expectValid(events)
    const validate = publishedSchema()
    const [motion] = events.filter(({ type }) => type === 'motion')
    for (const wrong of [
      { ...motion, id: 'x' },
      { ...motion, type: 'face.track' },
      { ...motion, dataschema: 'urn:grabber:schema:motion:2' },
      { ...motion, data: { ...motion!.data, areaRatio: 2 } },
      { ...motion, data: { ...motion!.data, frame: undefined } },
    ]) {
      expect(validate(JSON.parse(JSON.stringify(wrong)))).toBe(false)
    }

    expect(compile(grabber, `export const events: GrabberEvent[] = ${JSON.stringify(events)}`)).toBe('')
    const use = (field: string) => `export const f = (e: GrabberEvent) => e.type === 'motion' && e.data.${field}`
    expect(compile(grabber, use('areaRatio'))).toBe('')
    expect(compile(grabber, use('trackId'))).toContain("Property 'trackId' does not exist")
  })
})

describe.skipIf(!hasAssets)('grabber events tail', () => {
  const config = `cameras:\n  lobby: { source: "file:${clip('asl/yes.mkv')}", loop: 2 }\n`

  async function untilPlayed(daemon: DaemonView): Promise<string[]> {
    await until('the clip ended', async () => (await daemon.camera('lobby'))?.state === 'stopped', 40_000)
    const history = await daemon.get<CloudEvent[]>('/api/v1/events?limit=1000')
    return ids(history).reverse()
  }

  it('shows every event of a daemon, across its restart, as JSON lines that the schemas know', async () => {
    const { grabber, path } = grabberWith(config)
    const first = await startDaemon(grabber, path)
    const tail = grabber.start('-c', path, 'events', 'tail', '--last', '1000')
    const seen = () => wholeLines(tail.out())
    const played = await untilPlayed(first)
    await until('the tail has them all', () => played.every((id) => ids(seen()).includes(id)))
    expect(await first.stop()).toBe(0)

    const second = await startDaemon(grabber, path)
    const again = await untilPlayed(second)
    expect(again.length).toBeGreaterThan(played.length)
    await until('the tail has what came after the restart', () => again.every((id) => ids(seen()).includes(id)), 30_000)
    expect(new Set(ids(seen())).size).toBe(seen().length)
    expectValid(seen())
    const types = new Set<string>(seen().map(({ type }) => type))
    for (const type of ['motion', 'face.track', 'camera.state', 'engine.state']) expect(types).toContain(type)

    tail.child.kill('SIGINT')
    expect(await tail.ended).toMatchObject({ status: 130, err: expect.stringMatching(/interrupted by SIGINT\n$/) })

    const one = grabber.start('-c', path, 'events', 'tail', '--last', '3', '--subject', 'grabber.*.events.lobby.motion')
    const motions = seen().filter(({ type }) => type === 'motion')
    await until('the last three came', () => wholeLines(one.out()).length === 3)
    expect(ids(wholeLines(one.out()))).toEqual(ids(motions).slice(-3))
    one.child.kill('SIGINT')
    await one.ended

    const since = grabber.start('-c', path, 'events', 'tail', '--since', '1d')
    await until('all of them came', () => wholeLines(since.out()).length === seen().length)
    since.child.kill('SIGINT')
    await since.ended
    expect(await second.stop()).toBe(0)
  })

  it('reads the history of a daemon whose bus is inside it, and says what it cannot show', async () => {
    const { grabber, path } = grabberWith(`nats: { url: none }\n${config}`)
    const daemon = await startDaemon(grabber, path)
    const tail = grabber.start('-c', path, 'events', 'tail', '--last', '1000')
    const played = await untilPlayed(daemon)
    await until('the tail has them all', () => wholeLines(tail.out()).length >= played.length)
    expect(ids(wholeLines(tail.out()))).toEqual(played)
    tail.child.kill('SIGINT')
    expect((await tail.ended).status).toBe(130)
    const live = await grabber.run('-c', path, 'events', 'tail', '--subject', 'grabber.*.live.>')
    expect(live).toMatchObject({ status: 5, err: expect.stringMatching(/^BUS_UNAVAILABLE: .*inside it/) })
    const dead = await grabber.run('-c', path, 'events', 'dead', 'list')
    expect(dead).toMatchObject({ status: 5, err: expect.stringMatching(/^BUS_UNAVAILABLE: .*inside it/) })
    expect(await daemon.stop()).toBe(0)
  })
})

describe('grabber events tail on a server of its own', () => {
  const hush = 'authorization { user: anna, password: hush }'

  it('shows what is published on any subject, ends quietly with its reader, and shows no credentials', async () => {
    const server = await configuredServer(hush)
    const { grabber } = grabberWith('')
    const url = server.url('anna:hush@')
    const tail = grabber.start('--log-level', 'debug', 'events', 'tail', '--subject', 'grabber.>', '--nats', url)
    const plain = await connect({ servers: server.url(), user: 'anna', pass: 'hush' })
    onCleanUp(() => plain.close())
    const publish = () => plain.publish('grabber.edge.live.lobby.boxes', '{"boxes":[]}')
    await until('it is subscribed', () => {
      publish()
      return tail.out() !== ''
    })
    expect(tail.out().split('\n')[0]).toBe('{"subject":"grabber.edge.live.lobby.boxes","data":{"boxes":[]}}')
    tail.child.stdout!.destroy()
    let over = false
    void tail.ended.then(() => {
      over = true
    })
    await until('it ended with its reader', () => {
      publish()
      return over
    })
    const { status, err } = await tail.ended
    expect([status, /hush|anna/.test(err)]).toEqual([0, false])
    const wrong = await grabber.run('events', 'tail', '--nats', server.url('anna:wrongpw@'))
    expect(wrong).toMatchObject({ status: 5, err: expect.stringMatching(/^BUS_UNAVAILABLE: /) })
    expect(wrong.err).not.toMatch(/wrongpw|anna/)
  })

  it('says at once what is wrong', async () => {
    const { grabber } = grabberWith('')
    const tail = (...args: string[]) => grabber.run('events', 'tail', ...args)
    expect(await tail()).toMatchObject({
      status: 5,
      err: expect.stringMatching(/^BUS_UNAVAILABLE: no grabber runs on /),
    })
    expect(await tail('--nats', 'nats://127.0.0.1:1')).toMatchObject({ status: 5, err: expect.stringContaining(':1') })
    for (const wrong of [
      ['--last', 'x'],
      ['--since', 'soon'],
      ['--since', '1h', '--last', '1'],
      ['--subject', 'a..b'],
    ]) {
      expect(await tail(...wrong)).toMatchObject({ status: 2, err: expect.stringMatching(/^CFG_USAGE: /) })
    }
    expect(await tail('--last', '1', '--subject', 'grabber.>')).toMatchObject({ status: 2 })
    const server = await configuredServer('')
    expect(await tail('--nats', server.url())).toMatchObject({ status: 5, err: expect.stringContaining('no stream') })
  })
})
