import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = join(root, 'bin/grabber')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'grabber-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Outcome {
  status: number
  out: string
  err: string
}

function grabber(args: string[], env: Record<string, string> = {}, command = program): Promise<Outcome> {
  return new Promise((resolve) => {
    // An environment of its own: what is set on the machine must not decide a test.
    const options = { cwd: folder, env: { PATH: '/usr/bin:/bin', ...env } }
    execFile(command, args, options, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return name
}

describe('bin/grabber', () => {
  it('runs through links from anywhere, and prints its version', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    symlinkSync(program, join(folder, 'absolute'))
    symlinkSync('absolute', join(folder, 'grabber link'))
    expect(await grabber(['--version'], {}, join(folder, 'grabber link'))).toEqual({
      status: 0,
      out: `${version}\n`,
      err: '',
    })
  })

  it('says what to do in a checkout that is not set up', async () => {
    const bare = join(folder, 'bare')
    mkdirSync(join(bare, 'bin'), { recursive: true })
    copyFileSync(program, join(bare, 'bin/grabber'))
    chmodSync(join(bare, 'bin/grabber'), 0o755)
    const { status, err } = await grabber(['run'], {}, join(bare, 'bin/grabber'))
    expect(status).toBe(2)
    expect(err).toContain(`run ${bare}/script/setup`)
  })

  it('has help with an example on each command', async () => {
    const { out } = await grabber(['--help'])
    const commands = [...out.slice(out.indexOf('Commands:')).matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1]!)
    expect(commands).toEqual(expect.arrayContaining(['config', 'models']))
    for (const words of [
      ['config', 'check'],
      ['config', 'print'],
      ['config', 'schema'],
      ['models', 'list'],
      ['models', 'pull'],
    ]) {
      expect((await grabber([...words, '--help'])).out, words.join(' ')).toMatch(/Example:\n {2}.*grabber/)
    }
  })

  it('is silent when the reader of its output goes away', async () => {
    const child = spawn(program, ['config', 'schema'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const errors: Buffer[] = []
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
    child.stdout.destroy()
    const [status] = (await once(child, 'close')) as [number]
    expect([status, Buffer.concat(errors).toString()]).toEqual([0, ''])
  })
})

describe('grabber config', () => {
  it('check counts the cameras of commands, and names those that are in both files', async () => {
    mkdirSync(join(folder, 'added'), { recursive: true })
    file('added/cameras.yaml', 'cameras: { lobby: { source: "file:b.mp4" }, gate: { source: "file:g.mp4" } }\n')
    const path = file('both.yaml', 'data: added\ncameras: { lobby: { source: "file:a.mp4" } }\n')
    expect(await grabber(['config', 'check', '-c', path])).toMatchObject({
      status: 0,
      out: expect.stringMatching(/both\.yaml: 2 cameras\n$/),
      err: 'camera lobby was added by command as well: this file counts\n',
    })
    file('added/cameras.yaml', 'cameras: { gate: { sorce: "file:g.mp4" } }\n')
    const wrong = await grabber(['config', 'check', '-c', path])
    expect(wrong.status).toBe(2)
    expect(wrong.err).toMatch(/added\/cameras\.yaml line 1: cameras\.gate\.sorce: unknown key, did you mean source\?\n/)
  })

  it('check: every problem on its line, then the summary, status 2', async () => {
    const name = file('bad.yaml', 'nod: a\ncameras:\n  lobby:\n    sorce: file:a.mp4\n')
    const { status, out, err } = await grabber(['config', 'check', '-c', name])
    expect([status, out]).toEqual([2, ''])
    expect(err.trimEnd().split('\n')).toEqual([
      'line 1: nod: unknown key, did you mean node?',
      'line 3: cameras.lobby.source: required: where do its pictures come from?',
      'line 4: cameras.lobby.sorce: unknown key, did you mean source?',
      expect.stringMatching(/^CFG_INVALID: .*bad\.yaml has 3 problems: /),
    ])
  })

  it('check: a good file, a missing one, an environment override', async () => {
    const name = file('good.yaml', 'cameras: { yard: { source: file:yard.mp4 } }')
    expect(await grabber(['-c', name, 'config', 'check'])).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^ok: .*good\.yaml: 1 camera\n$/),
    })
    expect(await grabber(['config', 'check', '-c', 'absent.yaml'])).toMatchObject({
      status: 2,
      err: expect.stringMatching(/^CFG_UNREADABLE: /),
    })
    expect(await grabber(['config', 'check', '-c', name], { GRABBER_HTTP_PORT: 'x' })).toMatchObject({
      status: 2,
      err: expect.stringContaining('from GRABBER_HTTP_PORT'),
    })
  })

  it('print: the effective configuration, as YAML and as JSON, without secrets', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the file
    const name = file('secret.yaml', 'cameras: { lobby: { source: rtsp://viewer:${PW}@192.0.2.1/s } }')
    const yaml = await grabber(['config', 'print', '-c', name], { PW: 'hunter2' })
    const json = await grabber(['config', 'print', '--json', '-c', name], { PW: 'hunter2' })
    expect(parse(yaml.out)).toEqual(JSON.parse(json.out))
    expect(JSON.parse(json.out)).toMatchObject({
      http: { port: 8080 },
      cameras: { lobby: { source: 'rtsp://viewer:***@192.0.2.1/s' } },
    })
    expect(yaml.out + json.out + yaml.err).not.toContain('hunter2')
  })

  it('schema: a JSON Schema of the file', async () => {
    const { out } = await grabber(['config', 'schema'])
    expect(JSON.parse(out)).toMatchObject({
      type: 'object',
      additionalProperties: false,
      properties: { cameras: {}, engine: {} },
    })
  })
})
