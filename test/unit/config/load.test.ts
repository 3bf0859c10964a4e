import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cameraConfig } from '../../../config/camera-config.ts'
import { loadConfig } from '../../../config/load.ts'
import type { ConfigProblem } from '../../../config/problem.ts'
import { redact } from '../../../config/redact.ts'
import { configJsonSchema } from '../../../config/schema.ts'
import { GrabberError } from '../../../core/errors.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'grabber-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

type Env = Record<string, string>

function load(text: string, env: Env = {}) {
  const path = join(folder, 'grabber.yaml')
  writeFileSync(path, text)
  return loadConfig({ path, env, cwd: '/elsewhere' })
}

function failure(text: string, env: Env = {}): GrabberError {
  try {
    load(text, env)
  } catch (error) {
    if (error instanceof GrabberError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

const problems = (text: string, env: Env = {}) => failure(text, env).context.problems as ConfigProblem[]

describe('loadConfig', () => {
  it('takes liveness as a word or as yes and no, and never one face for a name', () => {
    const liveness = (value: string) =>
      load(`defaults: { faces: { liveness: ${value} } }`).config.defaults.faces.liveness
    expect(['require', 'report', 'off', 'true', 'false'].map(liveness)).toEqual([
      'require',
      'report',
      'off',
      true,
      false,
    ])
    expect(
      problems('defaults: { faces: { liveness: maybe, confirmEmbeddings: 1 } }').map(({ message }) => message),
    ).toEqual(['expected require, report, off, true or false', 'at least 2: a name is never confirmed from one face'])
  })

  it('gives every default without a file', () => {
    const { config, origin } = loadConfig({ env: {}, cwd: folder })
    expect(origin).toEqual({ file: null, overrides: [] })
    expect(config.cameras).toEqual({})
    expect(config.data).toBe(join(folder, 'data'))
    expect(config.http).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(config.engine.batch).toEqual({ max: 8, maxWaitMs: 100, targetLatencyMs: 200 })
    expect(config.defaults.motion).toEqual({ enabled: true, minAreaRatio: 0.002, pixelThreshold: 18, quietSeconds: 2 })
  })

  it('finds ./grabber.yaml', () => {
    writeFileSync(join(folder, 'grabber.yaml'), 'node: found')
    expect(loadConfig({ env: {}, cwd: folder }).config.node).toBe('found')
  })

  it('says which file cannot be read', () => {
    const attempt = () => loadConfig({ path: 'absent.yaml', env: {}, cwd: folder })
    expect(attempt).toThrow(expect.objectContaining({ code: 'CFG_UNREADABLE' }))
    expect(attempt).toThrow(join(folder, 'absent.yaml'))
  })

  it('resolves paths against the file, not against where the program runs', () => {
    const { config } = load(
      'data: ../store\ncameras:\n  yard: { source: file:./clips/yard.mp4 }\n  abs: { source: file:///x/y.mp4 }',
    )
    expect(config.data).toBe(join(folder, '..', 'store'))
    expect(config.cameras.yard?.source).toBe(`file:${join(folder, 'clips/yard.mp4')}`)
    expect(cameraConfig(config, 'abs').source).toEqual({ kind: 'file', path: '/x/y.mp4' })
  })

  it('reports all problems at once, each with its path, its line and the nearest key', () => {
    const found = problems(
      [
        'nod: edge-1', //                                      1
        'http: { port: 99999 }', //                            2
        'engine: { device: cude }', //                         3
        'cameras:', //                                         4
        '  lobby:', //                                         5
        '    sorce: file:a.mp4', //                            6
        '  yard:', //                                          7
        '    source: ftp://nowhere', //                        8
        '    faces:', //                                       9
        '      minMargn: 0.1', //                             10
        '      maxPerFrame: many', //                         11
        '  Front Door: { source: file:a.mp4, colour: red }', // 12
        '  _node: { source: file:a.mp4 }', //                 13
      ].join('\n'),
    )
    const brief = found.map(({ line, path, nearest }) => [line, path, nearest])
    expect(brief).toEqual([
      [1, 'nod', 'node'],
      [2, 'http.port', undefined],
      [3, 'engine.device', 'cuda'],
      [5, 'cameras.lobby.source', undefined],
      [6, 'cameras.lobby.sorce', 'source'],
      [8, 'cameras.yard.source', undefined],
      [10, 'cameras.yard.faces.minMargn', 'minMargin'],
      [11, 'cameras.yard.faces.maxPerFrame', undefined],
      [12, 'cameras.Front Door', undefined],
      [12, 'cameras.Front Door.colour', undefined],
      [13, 'cameras._node', undefined],
    ])
    expect(found[3]?.message).toContain('required')
    expect(found.at(-1)?.message).toContain('reserved')
  })

  it('gives the line of what is not YAML, or is written twice', () => {
    expect(problems('node: a\nhttp: {port: 1\n').map(({ message }) => message)[0]).toContain('not valid YAML')
    expect(problems('node: a\nlog: {}\nnode: b')).toMatchObject([{ line: 3 }])
  })

  it('refuses a list, and takes an empty file and empty sections as defaults', () => {
    expect(problems('- node: a')).toHaveLength(1)
    expect(load('').config.node).toBe('edge-1')
    expect(load('cameras:\ndefaults:\n  faces:\n').config.cameras).toEqual({})
  })

  it('does not accept a name that would reach into objects', () => {
    expect(problems('cameras:\n  __proto__: { source: file:a.mp4 }')).toMatchObject([
      { path: 'cameras.__proto__', line: 2 },
    ])
  })

  it('lets the environment override the file, and names the variable that is wrong', () => {
    const env = {
      GRABBER_DATA: 'mine',
      GRABBER_HTTP_PORT: '0',
      GRABBER_NODE: 'n2',
      GRABBER_NATS_URL: 'none',
      GRABBER_LOG_LEVEL: 'warn',
    }
    const { config, origin } = load('node: n1\nhttp: { host: 0.0.0.0, port: 9 }', env)
    expect(config).toMatchObject({ node: 'n2', data: '/elsewhere/mine', nats: { url: 'none' }, log: { level: 'warn' } })
    expect(config.http).toEqual({ host: '0.0.0.0', port: 0 })
    expect(origin.overrides.toSorted()).toEqual(Object.keys(env).toSorted())
    expect(load('node: n1', { GRABBER_NODE: '' }).config.node).toBe('n1')

    const wrong = problems('', { GRABBER_HTTP_PORT: 'eighty', GRABBER_LOG_LEVEL: 'loud' })
    expect(wrong.map(({ path }) => path).toSorted()).toEqual(['http.port', 'log.level'])
    expect(wrong.map(({ message }) => message).join()).toMatch(
      /from GRABBER_HTTP_PORT.*from GRABBER_LOG_LEVEL|from GRABBER_LOG_LEVEL.*from GRABBER_HTTP_PORT/,
    )
  })
})

describe('secrets', () => {
  const lobby = (source: string) => `cameras:\n  lobby: { source: ${source} }`

  it('come from variables and files, also in flow style, and are encoded inside a URL', () => {
    mkdirSync(join(folder, 'run'))
    writeFileSync(join(folder, 'run', 'gate'), 's/3:cret\n')
    const { config } = load(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the file
      `${lobby('rtsp://viewer:${PW}@192.0.2.10/stream1')}\n  gate: { source: onvif://viewer:\${file:run/gate}@192.0.2.11 }`,
      { PW: 'p@ss/w ord' },
    )
    expect(config.cameras.lobby?.source).toBe('rtsp://viewer:p%40ss%2Fw%20ord@192.0.2.10/stream1')
    expect(config.cameras.gate?.source).toBe('onvif://viewer:s%2F3%3Acret@192.0.2.11')
    expect(JSON.stringify(redact(config))).not.toMatch(/p%40ss|cret/)
    expect(redact(config).cameras.lobby?.source).toBe('rtsp://viewer:***@192.0.2.10/stream1')
    expect(config.cameras.lobby?.source).toContain('p%40ss')
  })

  it('that are missing are problems at their path', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the file
    const text = `${lobby('rtsp://viewer:${ABSENT}@192.0.2.10/s')}\n  gate: { source: "rtsp://u:\${file:/no/such/file}@h/s" }`
    const found = problems(text)
    expect(found.map(({ path, line }) => [path, line])).toEqual([
      ['cameras.lobby.source', 2],
      ['cameras.gate.source', 3],
    ])
    expect(found[0]?.message).toContain('ABSENT is not set')
    expect(found[1]?.message).toContain('/no/such/file')
  })

  it('as NATS tokens are hidden when shown, and refused when written into the URL', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the file
    const { config } = load('nats: { url: "tls://${TOKEN}@192.0.2.1:4222" }', { TOKEN: 'hunter2' })
    expect(config.nats.url).toBe('tls://hunter2@192.0.2.1:4222')
    expect(redact(config).nats.url).toBe('tls://***@192.0.2.1:4222')
    const error = failure('nats: { url: "nats://hunter2@192.0.2.1" }')
    expect(error.line).toContain('nats.url: a token is written into the URL')
    expect(JSON.stringify(error.context) + error.line).not.toContain('hunter2')
  })

  it.each([
    'rtsp://viewer:hunter2@192.0.2.10/s',
    'rtsp://viewer:hun/ter2@192.0.2.10/s',
    'http://192.0.2.10/video?user=a&password=hunter2',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the file
    'rtsp://viewer:hunter2${PW}@192.0.2.10/s',
  ])('written into a URL are refused without being repeated: %s', (source) => {
    const error = failure(lobby(`"${source}"`), { PW: 'x' })
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of the file
    expect(error.line).toContain('${NAME}')
    expect(error.line).toContain('cameras.lobby.source')
    expect(JSON.stringify(error.context) + error.line).not.toMatch(/hunter2|hun\/ter2/)
  })

  it('a user name alone is no secret', () => {
    expect(load(lobby('rtsp://viewer@192.0.2.10/s')).config.cameras.lobby?.source).toBe('rtsp://viewer@192.0.2.10/s')
  })
})

describe('cameraConfig', () => {
  it('merges what a camera overrides into the defaults, field by field', () => {
    const { config } = load(
      [
        'defaults: { faces: { minMargin: 0.2, maxPerFrame: 4 } }',
        'cameras:',
        '  a: { source: file:a.mp4, loop: 3, faces: { maxPerFrame: 1 }, analysis: { fps: all } }',
        '  b: { source: file:b.mp4, loop: true }',
        '  c: { source: v4l2:/dev/video0, priority: 5 }',
      ].join('\n'),
    )
    const a = cameraConfig(config, 'a')
    expect(a.faces).toMatchObject({ minMargin: 0.2, maxPerFrame: 1, enabled: true })
    expect(a.analysis).toEqual({ fps: 'all', width: 640 })
    expect([a, cameraConfig(config, 'b'), cameraConfig(config, 'c')].map(({ passes }) => passes)).toEqual([
      3,
      Number.POSITIVE_INFINITY,
      1,
    ])
    expect(cameraConfig(config, 'c')).toMatchObject({ source: { kind: 'v4l2', device: '/dev/video0' }, priority: 5 })
    expect(() => cameraConfig(config, 'constructor')).toThrow('no camera constructor')
  })
})

describe('the schema', () => {
  it('describes every field, and the example passes it', () => {
    const bare: string[] = []
    const visit = (node: Record<string, unknown>, path: string) => {
      if (path !== '' && typeof node.description !== 'string') bare.push(path)
      for (const [key, field] of Object.entries(node.properties ?? {}))
        visit(field as Record<string, unknown>, `${path}.${key}`)
      if (typeof node.additionalProperties === 'object')
        visit(node.additionalProperties as Record<string, unknown>, `${path}.*`)
    }
    visit(configJsonSchema(), '')
    expect(bare).toEqual([])
    const example = loadConfig({
      path: 'config/grabber.example.yaml',
      env: {},
      cwd: new URL('../../..', import.meta.url).pathname,
    })
    expect(Object.keys(example.config.cameras)).toEqual(['yard', 'door'])
  })
})
