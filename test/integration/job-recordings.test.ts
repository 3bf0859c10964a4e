/** Recordings that change under the hands of a job, and folders that they are put into. */

import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { watchFolder } from '../../src/jobs/folder-watch.ts'
import { checkUnchanged, hashRecording } from '../../src/jobs/steady-recording.ts'
import { VirtualClock } from '../unit/virtual-clock.ts'
import { cleanUp, recordingLogger, temporaryFolder } from './support/nats.ts'

afterEach(cleanUp)

const signal = new AbortController().signal
/** More than is read at a time. */
const LARGE = Buffer.alloc(3 << 20, 'x')

function recording(bytes: Buffer | string = LARGE): string {
  const path = join(temporaryFolder(), 'a.mp4')
  writeFileSync(path, bytes)
  return path
}

describe('the content of a recording', () => {
  it('is the hash of all its bytes', async () => {
    const path = recording()
    let read = 0
    const { contentHash, identity } = await hashRecording(path, signal, (bytes) => {
      read += bytes
    })
    expect(contentHash).toBe(createHash('sha256').update(LARGE).digest('hex'))
    expect([identity.sizeBytes, read]).toEqual([LARGE.length, LARGE.length])
  })

  it.each([
    ['grows', (path: string) => appendFileSync(path, 'more'), /grew from 3145728 to 3145732 bytes/],
    ['is cut off', (path: string) => writeFileSync(path, 'x'), /shrank from 3145728 to 1 bytes/],
    ['is written over', (path: string) => utimesSync(path, 1, 1), /was written to/],
    [
      'is replaced',
      (path: string) => {
        writeFileSync(`${path}.new`, LARGE)
        renameSync(`${path}.new`, path)
      },
      /was replaced by another/,
    ],
    ['is removed', (path: string) => rmSync(path), /was removed/],
  ])('is not told of a file that %s while it is read, nor afterwards', async (_, change, message) => {
    const path = recording()
    let changed = false
    const during = hashRecording(path, signal, () => {
      if (!changed) change(path)
      changed = true
    })
    await expect(during).rejects.toMatchObject({ code: 'SRC_CHANGED', message: expect.stringMatching(message) })
    const other = recording()
    const hashed = await hashRecording(other, signal)
    await checkUnchanged(hashed)
    change(other)
    await expect(checkUnchanged(hashed)).rejects.toMatchObject({
      code: 'SRC_CHANGED',
      message: expect.stringMatching(message),
    })
  })

  it('is refused where there is none', async () => {
    const folder = temporaryFolder()
    const codeOf = (path: string) => hashRecording(path, signal).catch(({ code }) => code)
    expect(await codeOf(join(folder, 'none.mp4'))).toBe('SRC_NOT_FOUND')
    expect(await codeOf(folder)).toBe('SRC_UNSUPPORTED')
    expect(await codeOf(recording(''))).toBe('SRC_EMPTY')
    const stopped = AbortSignal.abort(new Error('stopped'))
    await expect(hashRecording(recording(), stopped)).rejects.toThrow('stopped')
  })
})

describe('a watched folder', () => {
  const QUIET_MS = 1000

  function watched(folder = temporaryFolder()) {
    const clock = new VirtualClock()
    const stop = new AbortController()
    const told: string[] = []
    const logger = recordingLogger()
    const ended = watchFolder({
      ...{ folder, quietMs: QUIET_MS, clock, logger, signal: stop.signal },
      onComplete: async (path) => void told.push(path.slice(folder.length + 1)),
    })
    /** Lets time pass a quarter of the quiet time at a time; what is done with files in between takes none. */
    const pass = async (ms: number) => {
      // The watch reads folder and files: it is at rest when it waits for the next look.
      const rest = async () => {
        while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await rest()
      for (let passed = 0; passed < ms; passed += QUIET_MS / 4) {
        await clock.advance(QUIET_MS / 4)
        await rest()
      }
    }
    const take = () => told.splice(0)
    const end = async () => {
      stop.abort()
      await ended
    }
    return { folder, pass, take, logger, path: (name: string) => join(folder, name), stop: end }
  }

  it('tells of files that are there, and of a slowly written one when it is complete', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'there.mp4'), 'x')
    writeFileSync(join(folder, 'notes.txt'), 'x')
    writeFileSync(join(folder, '._there.mp4'), 'x')
    const { pass, take, path, stop } = watched(folder)
    await pass(QUIET_MS / 2)
    expect(take()).toEqual([])
    await pass(QUIET_MS)
    expect(take()).toEqual(['there.mp4'])
    for (let piece = 0; piece < 5; piece++) {
      appendFileSync(path('slow.mp4'), 'piece')
      await pass(QUIET_MS * 0.75)
      expect(take(), `after piece ${piece}`).toEqual([])
    }
    await pass(QUIET_MS)
    expect(take()).toEqual(['slow.mp4'])
    await pass(10 * QUIET_MS)
    expect(take()).toEqual([])
    await stop()
  })

  it('tells of a file again when it has changed, and not of one that is gone', async () => {
    const { pass, take, path, stop } = watched()
    writeFileSync(path('a.mkv'), 'x')
    writeFileSync(path('b.mkv'), 'x')
    await pass(QUIET_MS / 2)
    rmSync(path('b.mkv'))
    await pass(QUIET_MS)
    expect(take()).toEqual(['a.mkv'])
    writeFileSync(path('a.mkv'), 'another')
    await pass(1.5 * QUIET_MS)
    expect(take()).toEqual(['a.mkv'])
    await stop()
  })

  it('waits for a folder that is away', async () => {
    const { folder, pass, take, path, logger, stop } = watched()
    rmSync(folder, { recursive: true })
    await pass(QUIET_MS)
    expect(logger.lines.map(({ message }) => message)).toEqual(['the watched folder cannot be read'])
    mkdirSync(folder)
    writeFileSync(path('a.mov'), 'x')
    await pass(2 * QUIET_MS)
    expect(take()).toEqual(['a.mov'])
    await stop()
  })
})
