/** Real processes and real signals. Limits are wide where a test does not wait for them. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type HostOptions, type HostProcess, hostDied, spawnHost } from '../../../actors/kernel/child-process.ts'
import { systemClock } from '../../../core/clock.ts'
import { RecordingLogger } from '../recording-logger.ts'

type Out = { type: string; n?: number; data?: Float32Array; message?: object; pid?: number }
type In = { type: string }

const entry = new URL('../../fixtures/hosts/scripted-host.ts', import.meta.url)
const HOUR_MS = 3_600_000

function spawn(mode: string, overrides: Partial<HostOptions> = {}): Promise<HostProcess<In, Out>> {
  return spawnHost<In, Out>({
    entry,
    name: 'subject',
    args: [mode],
    execArgv: [],
    logger: new RecordingLogger(),
    clock: systemClock,
    helloMs: 10_000,
    silenceMs: HOUR_MS,
    stopMs: HOUR_MS,
    killMs: HOUR_MS,
    ...overrides,
  })
}

function collect(host: HostProcess<In, Out>): Out[] {
  const messages: Out[] = []
  host.onMessage((message) => messages.push(message))
  return messages
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the condition did not come true in 10 s')
    await pause(5)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'ESRCH' })
    return false
  }
}

describe('start', () => {
  test('resolves at hello, and messages go both ways', async () => {
    const host = await spawn('obedient')
    expect(host.hello).toEqual({ type: 'hello', pid: host.pid })
    const messages = collect(host)
    expect(host.send({ type: 'greet' })).toBe(true)
    await until(() => messages.length > 0)
    expect(messages).toEqual([{ type: 'echo', message: { type: 'greet' } }])
    await host.stop({ type: 'stop' })
  })

  test('no hello in time: killed and refused', async () => {
    const logger = new RecordingLogger()
    await expect(spawn('mute', { helloMs: 50, logger })).rejects.toMatchObject({
      code: 'ACT_HOST_DIED',
      message: 'subject said no hello within 50 ms',
      context: { signal: 'SIGKILL' },
    })
  })

  test('a death before hello tells its status and last words', async () => {
    await expect(spawn('crash before hello')).rejects.toMatchObject({
      code: 'ACT_HOST_DIED',
      message: 'subject ended with status 7',
      context: { code: 7, stderr: ['no such device'] },
    })
  })

  test('an aborted signal kills it while it starts', async () => {
    const abort = new AbortController()
    const starting = spawn('mute', { signal: abort.signal })
    abort.abort()
    await expect(starting).rejects.toMatchObject({ context: { signal: 'SIGKILL' } })
  })
})

describe('death', () => {
  test('kill -9 from outside', async () => {
    const host = await spawn('chatty')
    process.kill(host.pid, 'SIGKILL')
    const exit = await host.exited
    expect(exit).toMatchObject({ code: null, signal: 'SIGKILL', silent: false })
    expect(hostDied('lobby', exit).line).toMatch(/^ACT_HOST_DIED: lobby ended with SIGKILL: /)
    expect(host.send({ type: 'too late' })).toBe(false)
    await host.stop({ type: 'stop' })
  })

  test('a host that hangs is killed for its silence', async () => {
    const host = await spawn('hang after hello', { silenceMs: 200 })
    expect(await host.exited).toMatchObject({ signal: 'SIGKILL', silent: true })
    expect(hostDied('lobby', await host.exited).message).toBe('lobby was silent and killed')
  })

  test('a host that speaks outlives many silence limits', async () => {
    const host = await spawn('chatty', { silenceMs: 500 })
    const messages = collect(host)
    await until(() => messages.length > 75)
    expect(isAlive(host.pid)).toBe(true)
    host.kill('SIGKILL')
    expect(await host.exited).toMatchObject({ silent: false })
  })
})

describe('stop', () => {
  test('by message: the last message is read before exited settles', async () => {
    const host = await spawn('obedient')
    const messages = collect(host)
    await host.stop({ type: 'stop' })
    expect(messages).toEqual([{ type: 'ended' }])
    expect(await host.exited).toMatchObject({ code: 0, signal: null, silent: false })
    expect(isAlive(host.pid)).toBe(false)
  })

  test('without a message: SIGTERM at once', async () => {
    const host = await spawn('chatty')
    await host.stop()
    expect(await host.exited).toMatchObject({ signal: 'SIGTERM' })
  })

  test('a host deaf to the message and to SIGTERM is killed, in that order', async () => {
    const host = await spawn('deaf to everything', { stopMs: 300, killMs: 300 })
    const messages = collect(host)
    const twice = [host.stop({ type: 'stop' }), host.stop({ type: 'stop' })]
    await Promise.all(twice)
    expect(messages.map((message) => message.type)).toEqual(['heard', 'sigterm'])
    expect(await host.exited).toMatchObject({ signal: 'SIGKILL', silent: false })
  })
})

describe('messages and output', () => {
  test('a flood arrives whole and in order, although nobody listened at first', async () => {
    const host = await spawn('flood')
    await host.exited
    const messages = collect(host)
    expect(messages).toHaveLength(3001)
    expect(messages.slice(0, 3000).every((message, i) => message.n === i + 1)).toBe(true)
    expect(messages[41]?.data).toEqual(new Float32Array([42, -42]))
    expect(messages.at(-1)).toEqual({ type: 'ended' })
  })

  test('output becomes log lines, bounded in length and number, with the last lines kept', async () => {
    const logger = new RecordingLogger()
    const host = await spawn('noisy', { logger })
    const { code, stderr } = await host.exited
    expect(code).toBe(3)
    expect(stderr).toHaveLength(20)
    expect(stderr.at(-1)).toBe('last words')
    expect(stderr.at(-2)).toHaveLength(2001)
    const lines = (stream: string) =>
      logger.lines.filter((line) => 'stream' in line.fields && line.fields.stream === stream)
    expect(lines('stdout').map((line) => line.message)).toEqual(['to stdout'])
    expect(lines('stderr')).toHaveLength(101)
    expect(lines('stderr').at(-1)?.message).toBe('(902 lines not written)')
  })
})
