import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Answer } from '../../../src/commands/command.ts'
import { CommandDesk } from '../../../src/commands/command-desk.ts'
import { commandTable } from '../../../src/commands/table.ts'
import { liveConfigIn } from '../recording-cameras.ts'
import { VirtualClock } from '../virtual-clock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'grabber-commands-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const MAIN = 'cameras: { a: { source: "file:/a.mp4" }, off: { source: "file:/off.mp4", enabled: false } }'
const gate = `rtsp://viewer:\${PW}@192.0.2.1/s`

function setUp() {
  const files = liveConfigIn(folder, MAIN, { PW: 'hush' })
  const { live, cameras } = files.start()
  const asked: number[] = []
  const commands = commandTable({
    cameras,
    live,
    discover: async (timeoutMs) => {
      asked.push(timeoutMs)
      return []
    },
    info: () => ({ node: 'edge-1' }) as never,
    supervision: () => ({ id: 'root' }),
  })
  const desk = new CommandDesk({ commands, clock: new VirtualClock(), logger: files.logger })
  const ask = async (name: string, value: object = {}): Promise<Answer> =>
    desk.answer(name, { door: 'control', peer: null, headers: {}, input: { value } })
  const data = async <T>(name: string, value: object = {}): Promise<T> => {
    const answer = await ask(name, value)
    if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`)
    return answer.data as T
  }
  const code = async (name: string, value: object = {}) => {
    const answer = await ask(name, value)
    return answer.ok ? 'done' : answer.error.code
  }
  return { ...files, live, cameras, asked, ask, data, code, desk }
}

describe('the table', () => {
  it('is described in docs/commands.md, a row for each', () => {
    const page = readFileSync(new URL('../../../docs/commands.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| `((?:cameras|node)\.\w+)` \|/gm)].map(([, name]) => name)
    expect(rows).toEqual(setUp().desk.commands.map(({ name }) => name))
  })

  it('has every command of the contract once', () => {
    expect(setUp().desk.commands.map(({ name }) => name)).toEqual([
      ...['list', 'get', 'add', 'update', 'remove', 'start', 'stop', 'restart', 'trigger', 'discover'].map(
        (verb) => `cameras.${verb}`,
      ),
      'node.info',
      'node.supervision',
      'node.reload',
    ])
  })

  it.each(['get', 'add', 'update', 'remove', 'start', 'stop', 'restart', 'trigger'])(
    'cameras.%s refuses what is no id, nothing, and what it does not know',
    async (verb) => {
      const { ask, cameras, live } = setUp()
      const fields = verb === 'add' || verb === 'update' ? { camera: {} } : verb === 'trigger' ? { reason: 'x' } : {}
      for (const wrong of [{}, { id: '../a' }, { id: 5 }, { id: '_node' }, { id: 'a', force: true }]) {
        expect(await ask(`cameras.${verb}`, { ...fields, ...wrong })).toMatchObject({
          ok: false,
          error: {
            code: 'API_BAD_REQUEST',
            message: expect.stringMatching('id' in wrong && wrong.id === 'a' ? /^force: / : /^id: /),
          },
        })
      }
      expect([cameras.told, Object.keys(live.config.cameras)]).toEqual([[], ['a', 'off']])
    },
  )

  it.each(['get', 'update', 'remove', 'start', 'stop', 'restart', 'trigger'])(
    'cameras.%s says so when there is no such camera, and writes nothing',
    async (verb) => {
      const { code, cameras, stored } = setUp()
      const fields = verb === 'update' ? { camera: {} } : verb === 'trigger' ? { reason: 'x' } : {}
      expect(await code(`cameras.${verb}`, { id: 'nobody', ...fields })).toBe('API_NOT_FOUND')
      expect(cameras.told).toEqual([])
      expect(stored).toThrow('ENOENT')
    },
  )
})

describe('cameras that are added', () => {
  it('are shown as they are written, changed field by field, and forgotten', async () => {
    const { data, code, cameras, live, stored } = setUp()
    const camera = { source: gate, priority: 3, analysis: { fps: 2, width: 320 } }
    expect(await data('cameras.add', { id: 'gate', camera })).toMatchObject({
      id: 'gate',
      writtenBy: 'command',
      source: gate,
      enabled: true,
      heldStopped: false,
      camera,
    })
    expect(live.config.cameras.gate?.source).toContain('hush')
    expect(stored()).not.toContain('hush')
    expect(
      await data('cameras.update', { id: 'gate', camera: { priority: null, analysis: { fps: 9 } } }),
    ).toMatchObject({
      camera: { source: gate, analysis: { fps: 9, width: 320 } },
    })
    expect(live.config.cameras.gate).toMatchObject({ priority: 1, analysis: { fps: 9, width: 320 } })
    expect(await data<object[]>('cameras.list')).toMatchObject([
      { id: 'a', writtenBy: 'file' },
      { id: 'off' },
      { id: 'gate' },
    ])
    expect(await data('cameras.remove', { id: 'gate' })).toEqual({ removed: 'gate' })
    expect(await code('cameras.get', { id: 'gate' })).toBe('API_NOT_FOUND')
    expect(cameras.told).toEqual(['apply +gate - ~', 'apply + - ~gate', 'apply + -gate ~'])
  })

  it('take no id twice, and those of the main file are not changed', async () => {
    const { code, cameras } = setUp()
    const camera = { source: 'file:/b.mp4' }
    expect(await code('cameras.add', { id: 'a', camera })).toBe('API_CONFLICT')
    expect(await code('cameras.update', { id: 'a', camera })).toBe('CFG_IN_FILE')
    expect(await code('cameras.remove', { id: 'a' })).toBe('CFG_IN_FILE')
    expect(cameras.told).toEqual([])
  })

  it.each([
    ['a key that is not known', { sorce: 'x' }, 'API_BAD_REQUEST', /camera\.sorce: unknown key, did you mean source\?/],
    ['a value out of range', { source: gate, priority: 99 }, 'API_BAD_REQUEST', /camera\.priority: .*10/],
    [
      'a key within',
      { source: gate, faces: { minMargn: 1 } },
      'API_BAD_REQUEST',
      /camera\.faces\.minMargn: .*minMargin/,
    ],
    ['an address of no known form', { source: 'ftp://x' }, 'CFG_INVALID', /cameras\.new\.source: not a source/],
    ['a password as it is', { source: 'rtsp://u:geheim@h/s' }, 'CFG_INVALID', /cameras\.new\.source: a password/],
    ['a variable that is not set', { source: `rtsp://u:\${NO}@h/s` }, 'CFG_INVALID', /variable NO is not set/],
  ])('are refused with %s', async (_, camera, code, words) => {
    const { ask, cameras, stored, logger } = setUp()
    const answer = await ask('cameras.add', { id: 'new', camera })
    expect(answer).toMatchObject({ ok: false, error: { code, message: expect.stringMatching(words) } })
    expect(JSON.stringify([answer, logger.lines])).not.toMatch(/geheim|hush/)
    expect(cameras.told).toEqual([])
    expect(stored).toThrow('ENOENT')
  })

  it('are refused when their change leaves no camera', async () => {
    const { code, data } = setUp()
    await data('cameras.add', { id: 'b', camera: { source: 'file:/b.mp4' } })
    expect(await code('cameras.update', { id: 'b', camera: { source: null } })).toBe('API_BAD_REQUEST')
    expect(await data('cameras.get', { id: 'b' })).toMatchObject({ camera: { source: 'file:/b.mp4' } })
  })
})

describe('start, stop, restart', () => {
  it('stop holds over a restart of the daemon; start and restart let go', async () => {
    const { data, cameras, start } = setUp()
    expect(await data('cameras.stop', { id: 'a' })).toMatchObject({ enabled: false, heldStopped: true })
    expect(start().live.isStopped('a')).toBe(true)
    expect(await data('cameras.start', { id: 'a' })).toMatchObject({ enabled: true, heldStopped: false })
    expect(start().live.isStopped('a')).toBe(false)
    await data('cameras.stop', { id: 'a' })
    await data('cameras.restart', { id: 'a' })
    expect(start().live.isStopped('a')).toBe(false)
    expect(cameras.told.filter((told) => !told.startsWith('apply'))).toEqual([
      'stop a',
      'start a',
      'stop a',
      'restart a',
    ])
  })

  it('start of a camera that is off in the main file is for this time', async () => {
    const { data, cameras, start } = setUp()
    await data('cameras.start', { id: 'off' })
    expect(cameras.told).toEqual(['start off'])
    expect(start().live.config.cameras.off?.enabled).toBe(false)
  })
})

describe('the others', () => {
  it('trigger says how long, and that nobody could be woken', async () => {
    const { data, code, cameras } = setUp()
    expect(await data('cameras.trigger', { id: 'a', reason: 'door' })).toEqual({ triggered: 'a' })
    await data('cameras.trigger', { id: 'a', reason: 'door', keyframe: true, seconds: 1.5 })
    expect(cameras.told).toEqual(['trigger a door 10000 false', 'trigger a door 1500 true'])
    cameras.awake = false
    expect(await code('cameras.trigger', { id: 'a', reason: 'door' })).toBe('ACT_STOPPED')
    for (const wrong of [
      { seconds: 0 },
      { seconds: 601 },
      { reason: '' },
      { reason: 'x'.repeat(201) },
      { keyframe: 1 },
    ]) {
      expect(await code('cameras.trigger', { id: 'a', reason: 'door', ...wrong })).toBe('API_BAD_REQUEST')
    }
  })

  it('discover is bounded in time', async () => {
    const { data, code, asked } = setUp()
    await data('cameras.discover')
    await data('cameras.discover', { timeoutMs: 500 })
    expect(await code('cameras.discover', { timeoutMs: 60_000 })).toBe('API_BAD_REQUEST')
    expect(asked).toEqual([3000, 500])
  })

  it('node.info tells what of the configuration does not run, node.reload takes it', async () => {
    const { data, ask, write } = setUp()
    expect(await data('node.info')).toEqual({
      node: 'edge-1',
      config: { file: join(folder, 'grabber.yaml'), trouble: null, restartNeeded: [] },
    })
    write('node: two\nnod: x\nlog: { level: loud }')
    expect(await ask('node.reload')).toMatchObject({
      error: {
        code: 'CFG_INVALID',
        problems: [
          { path: 'nod', line: 2 },
          { path: 'log.level', line: 3 },
        ],
      },
    })
    expect(await data('node.info')).toMatchObject({ config: { trouble: expect.stringContaining('nod: unknown key') } })
    write(`node: two\n${MAIN}`)
    expect(await data('node.reload')).toMatchObject({ changed: ['node'], restartNeeded: ['node'] })
    expect(await data('node.info')).toMatchObject({ config: { trouble: null, restartNeeded: ['node'] } })
    expect(await data('node.supervision')).toEqual({ id: 'root' })
  })
})
