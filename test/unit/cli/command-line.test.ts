import { describe, expect, it } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import { runCommandLine } from '../../../src/cli/command-line.ts'
import { createContext, Interrupted, type Register } from '../../../src/cli/context.ts'

const info = { version: '1.2.3', description: 'test' }

async function run(args: string[], register: Register = () => undefined, controller = new AbortController()) {
  const out: string[] = []
  const err: string[] = []
  const context = createContext({
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: {},
    cwd: '/nowhere',
    isTty: false,
    signal: controller.signal,
  })
  const commands: Register[] = [
    (program) =>
      program
        .command('known')
        .description('a command')
        .action(() => undefined),
    register,
  ]
  const status = await runCommandLine(args, context, commands, info)
  return { status, out: out.join(''), err: err.join('') }
}

const failing =
  (error: unknown, before: () => void = () => undefined): Register =>
  (program) =>
    void program.command('fail').action(() => {
      before()
      throw error
    })

describe('runCommandLine', () => {
  it('prints help and version on stdout with status 0', async () => {
    expect(await run(['--version'])).toEqual({ status: 0, out: '1.2.3\n', err: '' })
    expect(await run(['--help'])).toMatchObject({ status: 0, err: '', out: expect.stringContaining('known') })
  })

  it('makes every usage error one coded line with status 2, and suggests the nearest', async () => {
    const unknown = await run(['knwon'])
    expect(unknown).toMatchObject({ status: 2, out: '' })
    expect(unknown.err).toMatch(/^CFG_USAGE: unknown command 'knwon' \(Did you mean known\?\): .+\n$/)
    expect((await run(['known', '--jsn'])).err).toMatch(/^CFG_USAGE: unknown option '--jsn'.*\n$/)
    expect((await run(['--log-level', 'loud', 'known'])).status).toBe(2)
    expect(await run([])).toMatchObject({ status: 2, out: '', err: expect.stringMatching(/a command is missing.*\n$/) })
  })

  it('exits with the status of the error, or 1 for a defect, without a stack', async () => {
    const coded = await run(['fail'], failing(new GrabberError('MDL_MISSING', 'no yunet')))
    expect(coded).toEqual({ status: 4, out: '', err: 'MDL_MISSING: no yunet: run `grabber models pull`\n' })
    const defect = await run(['fail'], failing(new TypeError('x is not\n a function')))
    expect(defect.status).toBe(1)
    expect(defect.err).toMatch(/^ACT_DEFECT: x is not a function: .+\n$/)
  })

  it('adds the stack and its causes at log level debug, and hides credentials even there', async () => {
    const cause = new Error('rtsp://u:hunter2@h refused')
    const { err } = await run(
      ['--log-level', 'debug', 'fail'],
      failing(new GrabberError('SRC_TIMEOUT', 'late', { cause })),
    )
    expect(err).toContain('    at ')
    expect(err).toContain('caused by Error: rtsp://u:***@h refused')
    expect(err).not.toContain('hunter2')
  })

  it('writes one line for each problem of a configuration, then the summary', async () => {
    const problems = [
      { path: 'nod', message: 'unknown key', nearest: 'node', line: 1 },
      { path: 'http.port', message: 'too big' },
    ]
    const error = new GrabberError('CFG_INVALID', 'g.yaml has 2 problems', { context: { problems } })
    const { status, err } = await run(['fail'], failing(error))
    expect(status).toBe(2)
    expect(err.split('\n').slice(0, 2)).toEqual(['line 1: nod: unknown key, did you mean node?', 'http.port: too big'])
    expect(err.split('\n')[2]).toMatch(/^CFG_INVALID: g.yaml has 2 problems: /)
  })

  it('answers 130 to an interruption, and 0 when the reader of stdout went away', async () => {
    const interrupted = new AbortController()
    const stop = new Interrupted('SIGINT')
    expect(
      await run(
        ['fail'],
        failing(stop, () => interrupted.abort(stop)),
        interrupted,
      ),
    ).toMatchObject({ status: 130, out: '' })
    const closed = new AbortController()
    const gone = new Error('stdout was closed')
    expect(
      await run(
        ['fail'],
        failing(gone, () => closed.abort(gone)),
        closed,
      ),
    ).toEqual({ status: 0, out: '', err: '' })
  })

  it('takes the status that a command sets', async () => {
    const three: Register = (program, context) =>
      void program.command('three').action(() => {
        context.exitStatus = 3
      })
    expect((await run(['three'], three)).status).toBe(3)
  })
})
