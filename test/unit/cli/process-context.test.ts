import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Interrupted } from '../../../src/cli/context.ts'
import { processContext } from '../../../src/cli/process-context.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** What processContext touches of a process. */
function setUp() {
  const errors: string[] = []
  const exits: unknown[] = []
  const process = Object.assign(new EventEmitter(), {
    stdout: new EventEmitter(),
    stderr: Object.assign(new EventEmitter(), { isTTY: false, write: (text: string) => errors.push(text) }),
    argv: [],
    cwd: () => '/',
    exit: (status: unknown) => exits.push(status),
  })
  const context = processContext(process as unknown as NodeJS.Process, {})
  return { process, context, errors, exits }
}

describe('signals', () => {
  it('the first asks for an orderly end; the second ends it at once, unless it is the same Ctrl-C passed on', () => {
    const { process, context, exits } = setUp()
    process.emit('SIGINT')
    expect(context.signal.reason).toEqual(new Interrupted('SIGINT'))
    vi.advanceTimersByTime(400)
    process.emit('SIGINT')
    expect(exits).toEqual([])
    vi.advanceTimersByTime(200)
    process.emit('SIGTERM')
    expect(exits).toEqual([130])
  })

  it('an orderly end that takes more than 25 s is given up, with its reason', () => {
    const { process, exits, errors } = setUp()
    process.emit('SIGTERM')
    vi.advanceTimersByTime(24_999)
    expect(exits).toEqual([])
    vi.advanceTimersByTime(1)
    expect(exits).toEqual([5])
    expect(errors.join('')).toMatch(/^ACT_DEADLINE: it had not ended 25 s after it was told to: .*\n$/)
  })

  it('SIGHUP is listened to by who asks for it only: it ends any other command', () => {
    const { process, context } = setUp()
    expect(process.listenerCount('SIGHUP')).toBe(0)
    let hangups = 0
    context.onHangup(() => hangups++)
    process.emit('SIGHUP')
    expect([hangups, context.signal.aborted]).toEqual([1, false])
  })
})
