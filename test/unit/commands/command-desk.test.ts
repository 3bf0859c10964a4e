import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { GrabberError } from '../../../core/errors.ts'
import { type Command, command } from '../../../src/commands/command.ts'
import { type Call, CommandDesk } from '../../../src/commands/command-desk.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { VirtualClock } from '../virtual-clock.ts'

const echo = command({
  name: 'cameras.echo',
  description: 'for the test',
  input: z.strictObject({ id: z.string(), source: z.string().max(20).optional() }),
  changes: true,
  run: (input) => input,
})

function setUp(...more: Command[]) {
  const logger = new RecordingLogger()
  const clock = new VirtualClock()
  const desk = new CommandDesk({ commands: [echo, ...more], clock, logger })
  const ask = (name: string, value: unknown, headers: Call['headers'] = {}) =>
    desk.answer(name, { door: 'control', peer: null, headers, input: { value } })
  const bytes = (text: string | Uint8Array) =>
    desk.answer('cameras.echo', { door: 'nats', peer: null, headers: {}, input: { bytes: Buffer.from(text) } })
  return { logger, clock, desk, ask, bytes }
}

const failing = (error: unknown) =>
  command({
    name: 'cameras.fail',
    description: 'for the test',
    input: z.strictObject({}),
    changes: false,
    run: () => {
      throw error
    },
  })

describe('the request id', () => {
  it('is that of the input, else of a header whatever its case, else a fresh one', async () => {
    const { ask } = setUp()
    const id = async (value: object, headers = {}) =>
      (await ask('cameras.echo', { id: 'a', ...value }, headers)).requestId
    expect(await id({ requestId: 'r-1' }, { 'x-request-id': 'r-2' })).toBe('r-1')
    expect(await id({}, { 'X-Request-ID': 'r-2' })).toBe('r-2')
    expect(await id({}, { 'Nats-Request-Id': 'r-3' })).toBe('r-3')
    const [one, two] = [await id({}), await id({})]
    expect(one).toMatch(/^[0-9a-f-]{36}$/)
    expect(two).not.toBe(one)
  })

  it('that cannot be one is refused, and not repeated', async () => {
    const { ask, logger } = setUp()
    for (const requestId of ['', 'a b', 'x'.repeat(65), 'a\nb', 7, null, {}]) {
      const answer = await ask('cameras.echo', { id: 'a', requestId })
      expect(answer).toMatchObject({
        ok: false,
        error: { code: 'API_BAD_REQUEST', message: expect.stringMatching(/^requestId: /) },
      })
    }
    expect(JSON.stringify(logger.lines)).not.toContain('a b')
  })
})

describe('an answer', () => {
  it('has the data of the command, and the id', async () => {
    const { ask } = setUp()
    expect(await ask('cameras.echo', { id: 'a', requestId: 'r' })).toEqual({
      ok: true,
      data: { id: 'a' },
      requestId: 'r',
    })
  })

  it('names every mistake of the input by its path, with the key that was meant', async () => {
    const { ask } = setUp()
    const answer = await ask('cameras.echo', { id: 5, sorce: 'x', source: 'y'.repeat(21) })
    expect(answer).toMatchObject({ ok: false, error: { code: 'API_BAD_REQUEST' } })
    if (answer.ok) throw new Error('accepted')
    expect(answer.error.message).toMatch(/id: .*source: .*sorce: unknown key, did you mean source\?/)
    expect(answer.error.problems?.map(({ path }) => path)).toEqual(['id', 'source', 'sorce'])
  })

  it.each([
    ['no JSON', '{"id":'],
    ['a list', '[]'],
    ['text', '"x"'],
    ['null', 'null'],
    ['bytes that are no text', Buffer.from('{"id":"\xff"}', 'latin1')],
    ['too much', `{"id":"${'x'.repeat(70_000)}"}`],
  ])('refuses %s', async (_, text) => {
    const { bytes } = setUp()
    expect(await bytes(text)).toMatchObject({ ok: false, error: { code: 'API_BAD_REQUEST' } })
  })

  it('takes nothing at all as an empty input', async () => {
    const { bytes, desk } = setUp(failing(new GrabberError('API_CONFLICT', 'reached')))
    expect(await bytes('')).toMatchObject({ error: { message: expect.stringContaining('id: ') } })
    const call = { door: 'nats', peer: null, headers: {}, input: { bytes: new Uint8Array() } } as const
    expect(await desk.answer('cameras.fail', call)).toMatchObject({ error: { code: 'API_CONFLICT' } })
  })

  it('is the code of what went wrong, and of a defect nothing but that', async () => {
    const coded = setUp(failing(new GrabberError('API_NOT_FOUND', 'there is no camera x')))
    expect(await coded.ask('cameras.fail', {})).toMatchObject({
      error: { code: 'API_NOT_FOUND', message: 'there is no camera x' },
    })
    expect(await coded.ask('cameras.nonsense', {})).toMatchObject({ error: { code: 'API_NOT_FOUND' } })
    const defect = setUp(failing(new TypeError('reading secretThing of undefined')))
    const answer = await defect.ask('cameras.fail', {})
    expect(answer).toMatchObject({ error: { code: 'ACT_DEFECT' } })
    expect(JSON.stringify(answer)).not.toContain('secretThing')
    expect(defect.logger.lines.map(({ level, message }) => [level, message])).toContainEqual([
      'error',
      'a command failed',
    ])
  })
})

describe('what is under way', () => {
  const slow = command({
    name: 'cameras.slow',
    description: 'for the test',
    input: z.strictObject({}),
    changes: true,
    run: () => new Promise<never>(() => undefined),
  })

  it('holds nobody, up to sixteen; the next is refused, and lets its place go when its time is over', async () => {
    const { ask, clock } = setUp(slow)
    const waiting = Array.from({ length: 15 }, () => ask('cameras.slow', {}))
    expect(await ask('cameras.echo', { id: 'a' })).toMatchObject({ ok: true })
    waiting.push(ask('cameras.slow', {}))
    expect(await ask('cameras.echo', { id: 'a' })).toMatchObject({ ok: false, error: { code: 'API_BUSY' } })
    await clock.advance(30_000)
    for (const answer of await Promise.all(waiting)) expect(answer).toMatchObject({ error: { code: 'ACT_DEADLINE' } })
    expect(await ask('cameras.echo', { id: 'a' })).toMatchObject({ ok: true })
  })
})

describe('the log', () => {
  it('says who asked for what and what became of it, and nothing of the input but the camera', async () => {
    const { desk, logger } = setUp()
    const call: Call = {
      door: 'http',
      peer: '127.0.0.1',
      headers: {},
      input: { value: { id: 'lobby', source: 'rtsp://u:hush@h', requestId: 'r' } },
    }
    await desk.answer('cameras.echo', call)
    await desk.answer('cameras.echo', { ...call, input: { value: { id: 'lobby', sauce: 'hush', requestId: 'r2' } } })
    const common = { command: 'cameras.echo', door: 'http', by: '127.0.0.1', durationMs: 0 }
    expect(logger.lines).toEqual([
      { level: 'info', message: 'command', fields: { ...common, requestId: 'r', camera: 'lobby', outcome: 'done' } },
      { level: 'info', message: 'command', fields: { ...common, requestId: 'r2', outcome: 'API_BAD_REQUEST' } },
    ])
    expect(JSON.stringify(logger.lines)).not.toContain('hush')
  })

  it('has reading at debug level, unless it fails', async () => {
    const read = command({
      name: 'cameras.read',
      description: '',
      input: z.strictObject({}),
      changes: false,
      run: () => [],
    })
    const { ask, logger } = setUp(read)
    await ask('cameras.read', {})
    await ask('cameras.read', { x: 1 })
    expect(logger.lines.map(({ level }) => level)).toEqual(['debug', 'info'])
  })
})
