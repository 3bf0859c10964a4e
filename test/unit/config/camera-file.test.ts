import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cameraFileText, readCameraFile } from '../../../config/camera-file.ts'
import { loadConfig } from '../../../config/load.ts'
import { findDataFolder } from '../../../config/main-file.ts'
import { type ConfigProblem, problemLine } from '../../../config/problem.ts'
import { redactWritten } from '../../../config/redact.ts'
import type { GrabberError } from '../../../core/errors.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'grabber-config-'))
  mkdirSync(join(folder, 'data'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const secret = `rtsp://viewer:\${PW}@192.0.2.1/s`

function load(main: string, cameras: string, env: Record<string, string> = {}) {
  writeFileSync(join(folder, 'grabber.yaml'), main)
  writeFileSync(join(folder, 'data', 'cameras.yaml'), cameras)
  return loadConfig({ path: join(folder, 'grabber.yaml'), env, cwd: '/elsewhere' })
}

function problems(main: string, cameras: string, env: Record<string, string> = {}): string[] {
  try {
    load(main, cameras, env)
  } catch (error) {
    const { context, code } = error as GrabberError
    expect(code).toBe('CFG_INVALID')
    return (context.problems as ConfigProblem[]).map((problem) => problemLine(problem).replaceAll(`${folder}/`, ''))
  }
  throw new Error('the configuration was accepted')
}

describe('cameras.yaml', () => {
  it('is put under the main file: its cameras are cameras like the others, with paths and secrets as there', () => {
    const added = cameraFileText({ cameras: { gate: { source: secret }, yard: { source: 'file:y.mp4' } }, stopped: [] })
    const { config, written, stopped, shadowed } = load('cameras: { a: { source: "file:a.mp4" } }', added, {
      PW: 'p/w',
    })
    expect(Object.keys(config.cameras)).toEqual(['a', 'gate', 'yard'])
    expect(config.cameras.gate?.source).toBe('rtsp://viewer:p%2Fw@192.0.2.1/s')
    expect(config.cameras.yard?.source).toBe(`file:${join(folder, 'y.mp4')}`)
    expect(Object.fromEntries(written)).toEqual({
      a: { by: 'file', camera: { source: 'file:a.mp4' } },
      gate: { by: 'command', camera: { source: secret } },
      yard: { by: 'command', camera: { source: 'file:y.mp4' } },
    })
    expect([stopped, shadowed]).toEqual([[], []])
  })

  it('loses against the main file where both have a camera, and says so; what it says of that camera is not even read', () => {
    const added = cameraFileText({ cameras: { a: { source: secret, nonsense: 1 } }, stopped: [] })
    const { config, written, shadowed } = load('cameras: { a: { source: "file:/a.mp4" } }', added)
    expect(config.cameras.a?.source).toBe('file:/a.mp4')
    expect(written.get('a')?.by).toBe('file')
    expect(shadowed).toEqual(['a'])
  })

  it('keeps stopped cameras of both files from being started; one that is gone is no matter', () => {
    const added = cameraFileText({ cameras: { b: { source: 'file:/b.mp4' } }, stopped: ['b', 'a', 'gone'] })
    const { config, stopped } = load('cameras: { a: { source: "file:/a.mp4" }, c: { source: "file:/c.mp4" } }', added)
    expect(Object.entries(config.cameras).map(([id, { enabled }]) => [id, enabled])).toEqual([
      ['a', false],
      ['c', true],
      ['b', false],
    ])
    expect(stopped).toEqual(['a', 'b'])
  })

  it('has its problems reported with those of the main file, each at its own place', () => {
    const added = [
      'cameras:', //                                            1
      '  b: { sorce: "file:b.mp4" }', //                        2
      `  c: { source: "${secret}" }`, //                        3
      '  d: { source: "rtsp://u:hunter2@192.0.2.1/s" }', //     4
      'stoped: [a]', //                                         5
    ].join('\n')
    const found = problems('nod: x', added)
    expect(found).toEqual([
      'line 1: nod: unknown key, did you mean node?',
      'data/cameras.yaml line 2: cameras.b.source: required: where do its pictures come from?',
      'data/cameras.yaml line 2: cameras.b.sorce: unknown key, did you mean source?',
      'data/cameras.yaml line 3: cameras.c.source: the environment variable PW is not set',
      expect.stringMatching(/^data\/cameras\.yaml line 4: cameras\.d\.source: a password is written into the URL/),
      'data/cameras.yaml line 5: stoped: unknown key, did you mean stopped?',
    ])
    expect(found.join()).not.toContain('hunter2')
    expect(problems('', 'cameras: {')).toEqual([expect.stringMatching(/^data\/cameras\.yaml line 1: not valid YAML/)])
    expect(problems('', 'stopped: lobby')).toEqual([
      expect.stringMatching(/cameras\.yaml line 1: stopped: expected array/),
    ])
  })

  it('is read where the environment puts the data folder, or where a reload says', () => {
    const text = cameraFileText({ cameras: { b: { source: 'file:/b.mp4' } }, stopped: [] })
    writeFileSync(join(folder, 'data', 'cameras.yaml'), text)
    const env = { GRABBER_DATA: join(folder, 'data') }
    expect(Object.keys(loadConfig({ env, cwd: '/' }).config.cameras)).toEqual(['b'])
    const cameraFile = { path: '/d/cameras.yaml', text: '' }
    expect(loadConfig({ env, cwd: '/', cameraFile }).config.cameras).toEqual({})
  })

  it('is written so that it reads back the same, references included, and always in one order', () => {
    const awkward = { source: `rtsp://viewer:\${file:/run/secrets/a b}@h/s`, priority: 3, faces: { enabled: false } }
    const file = { cameras: { z: awkward, a: { source: 'file:/# not a comment: {x}.mp4' } }, stopped: ['z', 'a', 'z'] }
    const text = cameraFileText(file)
    const read = (content: string) => readCameraFile({ path: '/d/cameras.yaml', text: content })
    expect(read(text)).toEqual({ cameras: file.cameras, stopped: ['a', 'z'] })
    expect(text).toBe(cameraFileText(read(text)))
    expect(text.indexOf('  a:')).toBeLessThan(text.indexOf('  z:'))
    expect(read('')).toEqual({ cameras: {}, stopped: [] })
    expect(read('cameras:\nstopped:\n')).toEqual({ cameras: {}, stopped: [] })
    // What cannot be read would be lost by the next write.
    expect(() => read('cameras: {')).toThrow(expect.objectContaining({ code: 'CFG_INVALID' }))
    expect(() => read('stoped: [a]')).toThrow('/d/cameras.yaml: stoped: unknown key, did you mean stopped?')
  })
})

describe('findDataFolder', () => {
  it('answers as loading would, also while the configuration is wrong', () => {
    const main = (text: string, env: Record<string, string> = {}) => {
      writeFileSync(join(folder, 'grabber.yaml'), text)
      return findDataFolder({ path: join(folder, 'grabber.yaml'), env, cwd: '/elsewhere' })
    }
    expect(main('data: ../store')).toBe(join(folder, '..', 'store'))
    expect(main('data: mine\nnonsense: 1\ncameras: { a: {} }')).toBe(join(folder, 'mine'))
    expect(main('data: 5')).toBe(join(folder, 'data'))
    expect(main('{', { GRABBER_DATA: 'here' })).toBe('/elsewhere/here')
    expect(main(`data: /var/\${WHERE}`, { WHERE: 'x' })).toBe('/var/x')
    const absent = { path: join(folder, 'absent.yaml'), env: {}, cwd: '/' }
    expect(() => findDataFolder(absent)).toThrow(expect.objectContaining({ code: 'CFG_UNREADABLE' }))
    expect(findDataFolder({ ...absent, env: { GRABBER_DATA: '/d' } })).toBe('/d')
  })
})

describe('redactWritten', () => {
  it.each([
    [`rtsp://viewer:\${PW}@192.0.2.1/s`, `rtsp://viewer:\${PW}@192.0.2.1/s`],
    [`rtsp://viewer:\${file:/run/secrets/a}@h/s`, `rtsp://viewer:\${file:/run/secrets/a}@h/s`],
    [`http://h/s?key=\${KEY}&x=1`, `http://h/s?key=\${KEY}&x=1`],
    ['http://h/s?key=abc', 'http://h/s?key=***'],
    [`rtsp://viewer:abc\${PW}@h/s`, 'rtsp://viewer:***@h/s'],
    ['file:/a.mp4', 'file:/a.mp4'],
  ])('%s is shown as %s', (written, shown) => {
    expect(redactWritten(written)).toBe(shown)
  })
})
