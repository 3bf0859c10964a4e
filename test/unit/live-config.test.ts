import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GrabberError } from '../../core/errors.ts'
import { liveConfigIn } from './recording-cameras.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'grabber-live-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const a = 'a: { source: "file:/a.mp4" }'
const b = 'b: { source: "file:/b.mp4" }'
const withB = (file: { cameras: object; stopped: string[] }) => ({
  ...file,
  cameras: { ...file.cameras, b: { source: 'file:/b.mp4' } },
})

describe('reload', () => {
  it('applies what differs and says what; what was built in at the start waits, for as long as it differs', async () => {
    const { start, write, logger } = liveConfigIn(folder, `node: one\ncameras: { ${a} }`)
    const { live, cameras } = start()
    write(`node: two\nlog: { level: warn }\ncameras: { ${a}, ${b} }`)
    expect(await live.reload('SIGHUP')).toEqual({
      changed: ['cameras.b', 'log.level', 'node'],
      cameras: { added: ['b'], removed: [], restarted: [], unchanged: ['a'] },
      restartNeeded: ['node'],
      shadowed: [],
    })
    expect(live.config).toMatchObject({ node: 'one', log: { level: 'warn' } })
    expect(live.restartNeeded).toEqual(['node'])
    expect(cameras.told).toEqual(['apply +b - ~'])
    expect(logger.lines).toMatchObject([{ level: 'info', fields: { by: 'SIGHUP', restartNeeded: ['node'] } }])

    expect(await live.reload('SIGHUP')).toMatchObject({ changed: ['node'], restartNeeded: ['node'] })
    write(`cameras: { ${a} }\nnode: one`)
    expect(await live.reload('SIGHUP')).toMatchObject({ restartNeeded: [] })
    expect(live.restartNeeded).toEqual([])
  })

  it('changes nothing for an invalid file, says so once with every problem, and is well again with the next valid one', async () => {
    const { start, write, logger } = liveConfigIn(folder, `cameras: { ${a} }`)
    const { live, cameras } = start()
    write('nod: x\ncameras: { a: { sorce: "file:/a.mp4" } }')
    for (const by of ['file', 'SIGHUP', 'node.reload']) {
      await expect(live.reload(by)).rejects.toMatchObject({ code: 'CFG_INVALID' })
    }
    expect(live.trouble).toMatch(/^CFG_INVALID: .*3 problems; line 1: nod: .*; line 2: cameras\.a\.sorce: /)
    expect(logger.lines).toMatchObject([{ level: 'error', fields: { problems: { length: 3 } } }])
    expect([cameras.told, Object.keys(live.config.cameras)]).toEqual([[], ['a']])

    write('nod: x')
    await expect(live.reload('file')).rejects.toMatchObject({ code: 'CFG_INVALID' })
    expect(logger.lines).toHaveLength(2)
    write(`cameras: { ${a} }`)
    expect(await live.reload('file')).toMatchObject({ changed: [] })
    expect(live.trouble).toBe('')
  })

  it('takes a file that is gone or empty for an accident', async () => {
    const { start, write } = liveConfigIn(folder, `cameras: { ${a} }`)
    const { live } = start()
    rmSync(join(folder, 'grabber.yaml'))
    await expect(live.reload('file')).rejects.toMatchObject({ code: 'CFG_UNREADABLE' })
    write('')
    await expect(live.reload('file')).rejects.toMatchObject({ code: 'CFG_INVALID', message: /is empty/ })
    expect(live.trouble).toContain('is empty')
    write('cameras: {}')
    expect(await live.reload('file')).toMatchObject({ cameras: { removed: ['a'] } })
  })

  it('changes nothing where the models refuse it', async () => {
    const { start, write } = liveConfigIn(folder, `cameras: { ${a} }`)
    const { live, cameras, refusal } = start()
    refusal.error = new GrabberError('GAL_MODEL_MISMATCH', 'the gallery is of another')
    write(`cameras: { ${a}, ${b} }`)
    await expect(live.reload('file')).rejects.toMatchObject({ code: 'GAL_MODEL_MISMATCH' })
    expect(live.trouble).toContain('GAL_MODEL_MISMATCH')
    delete refusal.error
    expect(await live.reload('file')).toMatchObject({ cameras: { added: ['b'] } })
    expect(cameras.told).toEqual(['apply +b - ~'])
  })

  it('reads the cameras of commands where they are, whatever the file says of the data folder', async () => {
    const { start, write } = liveConfigIn(folder, '')
    const { live } = start()
    await live.edit('test', withB)
    write('data: elsewhere\ncameras: {}')
    expect(await live.reload('file')).toMatchObject({ restartNeeded: ['data'], cameras: { unchanged: ['b'] } })
  })
})

describe('edit', () => {
  it('writes what is valid, for this user alone, and finds it again at the next start', async () => {
    const { start, stored, mode, write } = liveConfigIn(folder, `cameras: { ${a} }`)
    const { live, cameras } = start()
    expect(await live.edit('test', withB)).toMatchObject({ cameras: { added: ['b'], unchanged: ['a'] } })
    expect(stored()).toContain('source: file:/b.mp4')
    expect(mode()).toBe(0o600)
    expect(readdirSync(join(folder, 'data'))).toEqual(['cameras.yaml'])
    expect([cameras.told, live.written('b')?.by, live.written('a')?.by]).toEqual([['apply +b - ~'], 'command', 'file'])
    expect(Object.keys(start().live.config.cameras)).toEqual(['a', 'b'])

    write(`cameras: { ${a}, b: { source: "file:/mine.mp4" } }`)
    const again = start()
    expect(again.live.config.cameras.b?.source).toBe('file:/mine.mp4')
    expect(again.live.written('b')?.by).toBe('file')
  })

  it('changes nothing where the result is not valid, with every problem of it, and says where only what is in a file', async () => {
    const { start, cameraFile, write } = liveConfigIn(folder, `cameras: { ${a} }`)
    const { live, cameras } = start()
    write('nod: x')
    const wrong = live.edit('test', (file) => ({ ...file, cameras: { c: { source: 'rtsp://u:hunter2@h/s' } } }))
    const error = (await wrong.catch((caught: unknown) => caught)) as GrabberError
    expect(error).toMatchObject({ code: 'CFG_INVALID' })
    expect(error.message).toMatch(/grabber\.yaml line 1: nod: .*; cameras\.c\.source: a password is written/)
    expect(error.message).not.toContain('hunter2')
    expect(existsSync(cameraFile.path)).toBe(false)
    expect([cameras.told, live.trouble]).toEqual([[], ''])
  })

  it('is not written where the models refuse it', async () => {
    const { start, cameraFile } = liveConfigIn(folder, '')
    const { live, refusal } = start()
    refusal.error = new GrabberError('GAL_MODEL_MISMATCH', 'the gallery is of another')
    await expect(live.edit('test', withB)).rejects.toMatchObject({ code: 'GAL_MODEL_MISMATCH' })
    expect([existsSync(cameraFile.path), live.trouble]).toEqual([false, ''])
  })

  it('does not write over what it cannot read', async () => {
    const { start, cameraFile, stored } = liveConfigIn(folder, '')
    const { live } = start()
    writeFileSync(cameraFile.path, 'cameras: { b: {')
    await expect(live.edit('test', withB)).rejects.toMatchObject({ code: 'CFG_INVALID' })
    await expect(live.setStopped('b', true)).rejects.toMatchObject({ code: 'CFG_INVALID' })
    expect(stored()).toBe('cameras: { b: {')
  })

  it('that cannot be written is not applied', async () => {
    const { start, cameraFile } = liveConfigIn(folder, '')
    const { live, cameras } = start()
    rmSync(join(folder, 'data'), { recursive: true })
    await expect(live.edit('test', withB)).rejects.toMatchObject({ code: 'STO_UNUSABLE' })
    expect([cameras.told, live.written('b'), existsSync(cameraFile.path)]).toEqual([[], undefined, false])
  })

  it('comes one after the other: none is lost', async () => {
    const { start } = liveConfigIn(folder, '')
    const { live } = start()
    const ids = ['c1', 'c2', 'c3', 'c4', 'c5']
    await Promise.all(
      ids.map((id) =>
        live.edit('test', ({ cameras, stopped }) => ({
          cameras: { ...cameras, [id]: { source: `file:/${id}.mp4` } },
          stopped,
        })),
      ),
    )
    expect(Object.keys(start().live.config.cameras)).toEqual(ids)
  })
})

describe('setStopped', () => {
  it('holds a camera of either file stopped over restarts, until it is let go', async () => {
    const { start, stored } = liveConfigIn(folder, `cameras: { ${a} }`)
    const { live, cameras } = start()
    await live.edit('test', withB)
    await live.setStopped('a', true)
    await live.setStopped('b', true)
    expect(cameras.told.slice(1)).toEqual(['apply + - ~a', 'apply + - ~b'])
    const again = start()
    expect(Object.values(again.live.config.cameras).map(({ enabled }) => enabled)).toEqual([false, false])
    expect([again.live.isStopped('a'), again.live.isStopped('b')]).toEqual([true, true])
    expect(await again.live.reload('file')).toMatchObject({ changed: [] })

    await again.live.setStopped('a', false)
    expect(start().live.config.cameras.a?.enabled).toBe(true)
    expect(stored()).toMatch(/stopped:\n +- b\n/)
  })

  it('works while the main file is wrong, and changes nothing that is stopped already', async () => {
    const { start, write, stored } = liveConfigIn(
      folder,
      `cameras: { ${a}, c: { source: "file:/c.mp4", enabled: false } }`,
    )
    const { live, cameras } = start()
    write('{')
    await live.setStopped('a', true)
    expect(stored()).toContain('- a')
    await live.setStopped('c', false)
    expect(live.config.cameras.c?.enabled).toBe(false)
    expect(cameras.told).toEqual(['apply + - ~a'])
  })

  it('forgets those that are gone', async () => {
    const { start, write, stored } = liveConfigIn(folder, `cameras: { ${a}, ${b} }`)
    const { live } = start()
    await live.setStopped('b', true)
    write(`cameras: { ${a} }`)
    await live.reload('file')
    await live.setStopped('a', true)
    expect(stored()).toMatch(/stopped:\n +- a\n$/)
  })
})

it('a camera of both files is told once, when it is found', async () => {
  const { start, write, logger } = liveConfigIn(folder, `cameras: { ${a} }`)
  const { live } = start()
  await live.edit('test', withB)
  write(`cameras: { ${a}, ${b} }`)
  expect(await live.reload('file')).toMatchObject({
    shadowed: ['b'],
    cameras: { restarted: [], unchanged: ['a', 'b'] },
  })
  await live.reload('file')
  const warnings = logger.lines.filter(({ level }) => level === 'warn')
  expect(warnings).toMatchObject([{ fields: { cameras: ['b'] } }])
})
