import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { digestOf } from '../../config/load.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { ConfigWatch } from '../../src/config-watch.ts'
import { VirtualClock } from '../unit/virtual-clock.ts'
import { cleanUp, onCleanUp, silentLogger, until } from './support/nats.ts'

afterEach(cleanUp)

/** Twenty times as fast: nothing here depends on how long a moment is. */
const quick: Clock = { ...systemClock, after: (delayMs, callback) => systemClock.after(delayMs / 20, callback) }

const read = (path: string) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return 'gone'
  }
}

/** Keeps the content at each call, as a reload would load it; what begins with `bad` is not valid. */
function watching(path: string, clock: Clock = quick) {
  const taken: string[] = []
  let current = digestOf('one')
  let trouble = false
  const watch = new ConfigWatch({
    path,
    isCurrent: (digest) => digest === current && !trouble,
    onChange() {
      const text = read(path)
      taken.push(text)
      trouble = text.startsWith('bad')
      if (!trouble) current = digestOf(text)
    },
    clock,
    logger: silentLogger,
  })
  onCleanUp(() => watch.close())
  return {
    taken,
    watch,
    seen: (...contents: string[]) => until(`${contents} were taken`, () => taken.join() === contents.join()),
  }
}

function folderWith(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'grabber-watch-'))
  onCleanUp(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'grabber.yaml')
  writeFileSync(path, text)
  return { folder, path }
}

it('takes what is written in place, or renamed over it, once each; the same content is no news', async () => {
  const { folder, path } = folderWith('one')
  const { seen } = watching(path)
  writeFileSync(path, 'two')
  await seen('two')
  const save = (text: string) => {
    writeFileSync(join(folder, '.grabber.yaml.swp'), text)
    renameSync(join(folder, '.grabber.yaml.swp'), path)
  }
  save('three')
  await seen('two', 'three')
  save('three')
  writeFileSync(join(folder, 'other.yaml'), 'x')
  save('four')
  await seen('two', 'three', 'four')
})

it('takes a ConfigMap whose link is swapped', async () => {
  const { folder, path } = folderWith('one')
  rmSync(path)
  const version = (name: string, text: string) => {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'grabber.yaml'), text)
    symlinkSync(name, join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  }
  version('..v1', 'one')
  symlinkSync('..data/grabber.yaml', path)
  const { seen } = watching(path)
  version('..v2', 'two')
  await seen('two')
})

it('waits for a file that is gone or empty for a moment, and tells once of one that stays away', async () => {
  const { path } = folderWith('one')
  const clock = new VirtualClock()
  const { taken } = watching(path, clock)
  /** Its next look, and the end of it: a timer for the slow looks is always set, one more when it will look again soon. */
  const look = async (timersAfter: number) => {
    await clock.advance(200)
    await until('it has looked', () => clock.pendingTimers === timersAfter)
  }
  await until('it watches', () => clock.pendingTimers === 1)
  rmSync(path)
  await until('it noticed', () => clock.pendingTimers === 2)
  for (let n = 0; n < 4; n++) await look(2)
  writeFileSync(path, '')
  for (let n = 0; n < 4; n++) await look(2)
  expect(taken).toEqual([])
  writeFileSync(path, 'two')
  await until('it is taken', () => clock.advance(200).then(() => taken.length > 0))
  expect(taken).toEqual(['two'])

  rmSync(path)
  await until('that is told', () => clock.advance(200).then(() => taken.length > 1))
  await clock.advance(60_000)
  expect(taken).toEqual(['two', 'gone'])
  writeFileSync(path, 'three')
  await until('it is taken', () => clock.advance(200).then(() => taken.length > 2))
  expect(taken).toEqual(['two', 'gone', 'three'])
})

it('takes what is written in pieces as a whole, and what is not valid once, and then what was there before', async () => {
  const { path } = folderWith('one')
  const clock = new VirtualClock()
  const { taken } = watching(path, clock)
  await until('it watches', () => clock.pendingTimers === 1)
  writeFileSync(path, 'bad: ha')
  await until('it noticed', () => clock.pendingTimers === 2)
  await clock.advance(200)
  await until('it has looked', () => clock.pendingTimers === 2)
  writeFileSync(path, 'bad: half and half')
  await until('it is taken', () => clock.advance(200).then(() => taken.length > 0))
  await clock.advance(60_000)
  await until('it has looked again', () => clock.pendingTimers === 1)
  expect(taken).toEqual(['bad: half and half'])
  writeFileSync(path, 'one')
  await until('it is taken', () => clock.advance(200).then(() => taken.length > 1))
  expect(taken).toEqual(['bad: half and half', 'one'])
})

it('finds the file in a folder that was exchanged, and through a link into another folder', async () => {
  const { folder, path } = folderWith('one')
  const { seen } = watching(path)
  renameSync(folder, `${folder}.old`)
  onCleanUp(() => rmSync(`${folder}.old`, { recursive: true }))
  mkdirSync(folder)
  writeFileSync(path, 'two')
  await seen('two')
  const elsewhere = folderWith('three')
  rmSync(path)
  symlinkSync(elsewhere.path, path)
  await seen('two', 'three')
  writeFileSync(elsewhere.path, 'four')
  await seen('two', 'three', 'four')
})

it('is over when it is closed', async () => {
  const { path } = folderWith('one')
  const closed = watching(path)
  closed.watch.close()
  const other = watching(path)
  writeFileSync(path, 'two')
  await other.seen('two')
  expect(closed.taken).toEqual([])
})
