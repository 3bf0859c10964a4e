/**
 * Clips under fire: ffmpeg and the command killed, a full disk, a disk that is read-only, a recording that is replaced and written over.
 * Each ends with a code, or with clips; of a clip there is nothing by halves, an earlier one of its name stays, and the next run works.
 */
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClipFolder } from '../../src/clips/publish-clips.ts'
import { type Ended, Grabber, type Running } from '../e2e/support/grabber.ts'
import { isAlive, processesOf } from '../e2e/support/processes.ts'
import { laborious, withBFrames } from '../integration/support/clip-sources.ts'
import { canMountDisk, SmallDisk } from '../integration/support/full-disk.ts'
import { until } from '../integration/support/nats.ts'

const LIMIT_MS = 60_000
const LOCK = '.grabber.lock'
const CLIP = 'hall-00h00m00s.mp4'
const OLD = 'a clip of an earlier run'

let grabber: Grabber
beforeAll(() => {
  grabber = new Grabber()
  // Without its sound: its loudness takes longer than its pictures.
  const silent = ['-i', withBFrames('mp4'), '-an', '-c', 'copy']
  execFileSync('ffmpeg', ['-v', 'error', ...silent, grabber.path('hall.mp4')])
  mkdirSync(grabber.path('out'))
})
afterAll(() => grabber[Symbol.dispose]())

const clip = (out: string, ...more: string[]) => grabber.start('clip', 'hall.mp4', '--at', '0', '--out', out, ...more)
/** What is in an output folder, hidden or not, besides its lock. */
const made = (out: string) => readdirSync(out).filter((name) => name !== LOCK)
const commandOf = (pid: number) => (isAlive(pid) ? readFileSync(`/proc/${pid}/cmdline`, 'latin1') : '')

/** An ffmpeg that writes `name`, stopped: it will not end by itself. `besides` is one that was killed. */
async function writer(name: string, besides?: number): Promise<number> {
  const writes = (command: string) => /^[^\0]*ffmpeg\0/.test(command) && command.endsWith(`.part/${name}\0`)
  const find = () => processesOf(grabber.data).find((pid) => pid !== besides && writes(commandOf(pid)))
  await until(`an ffmpeg writes ${name}`, () => find() !== undefined, LIMIT_MS)
  const pid = find()!
  process.kill(pid, 'SIGSTOP')
  return pid
}

function expectFailed({ status, err }: Ended, exit: number, words: RegExp): void {
  expect([status, err]).toEqual([exit, expect.stringMatching(words)])
  expect(processesOf(grabber.data)).toEqual([])
}

async function expectMade(running: Running, out: string): Promise<void> {
  expect(await running.ended).toMatchObject({ status: 0, err: '' })
  expect(made(out)).toEqual([CLIP])
  // It is verified before it is published; here that it is what has the name.
  expect(readFileSync(join(out, CLIP)).subarray(4, 8).toString('latin1')).toBe('ftyp')
}

describe.skipIf(!canMountDisk())('on a disk', () => {
  it('that fills up, copied or encoded: STO_FULL, nothing of it is left; with room again it is made', async () => {
    using disk = new SmallDisk(4 << 20)
    writeFileSync(join(disk.path, CLIP), OLD)
    disk.fill(64 << 10)
    for (const flags of [[], ['--reencode']]) {
      expectFailed(await clip(disk.path, ...flags).ended, 5, /^STO_FULL: .*: make room, and run the same command again/)
      expect([made(disk.path), readFileSync(join(disk.path, CLIP), 'utf8')]).toEqual([['filler', CLIP], OLD])
    }
    rmSync(join(disk.path, 'filler'))
    await expectMade(clip(disk.path), disk.path)
  })

  it('that is full to the last byte, and one that is read-only: a code, and nothing new', async () => {
    using full = new SmallDisk(64 << 10)
    full.fill(0)
    expectFailed(await clip(full.path).ended, 5, /^STO_FULL: there is no room for /)
    expect(readdirSync(full.path)).toEqual(['filler'])
    using disk = new SmallDisk(64 << 10)
    disk.makeReadOnly()
    expectFailed(await clip(disk.path).ended, 5, /^STO_OUTPUT: .* \(EROFS\): /)
  })

  it('that becomes read-only meanwhile: what cannot be removed hides nothing', async () => {
    using disk = new SmallDisk(64 << 10)
    const folder = await ClipFolder.open(disk.path, 'hall')
    const path = join(folder.path, 'clip-0.mp4')
    writeFileSync(path, 'made')
    disk.makeReadOnly()
    const one = {
      made: path,
      method: 'copy',
      fromMs: 0,
      toMs: 1,
      lengthMs: 1,
      reason: '',
      loudness: null,
      notes: [],
    } as const
    await expect(folder.publish([one], false)).rejects.toMatchObject({ code: 'STO_OUTPUT' })
    await folder[Symbol.asyncDispose]()
    expect(existsSync(path)).toBe(true)
  })
})

describe('killed', () => {
  it('once, ffmpeg is run again; twice, it is said, and the next run makes the clip', async () => {
    const out = grabber.path('out')
    const running = clip(out, '--reencode')
    const first = await writer('clip-0.mp4')
    process.kill(first, 'SIGKILL')
    process.kill(await writer('clip-0.mp4', first), 'SIGKILL')
    expectFailed(await running.ended, 1, /^ACT_HOST_DIED: .*: ffmpeg ended with SIGKILL: see whether /)
    expect(made(out)).toEqual([])
    const again = clip(out, '--reencode')
    process.kill(await writer('clip-0.mp4'), 'SIGKILL')
    await expectMade(again, out)
  })

  it('while it copies, the command leaves nothing by halves, and the next one makes the clip', async () => {
    const out = grabber.path('copied')
    const running = clip(out)
    const part = join(out, '.hall.clips.part')
    await until('a copy is written', () => existsSync(join(part, 'copy-0.mp4')), LIMIT_MS)
    running.child.kill('SIGKILL')
    expect((await running.ended).signal).toBe('SIGKILL')
    await until('all is gone', () => processesOf(grabber.data).length === 0, LIMIT_MS)
    expect(made(out).filter((name) => !name.startsWith('.'))).toEqual([])
    await expectMade(clip(out), out)
  })
})

describe('a recording', () => {
  it.each([
    ['replaced', () => renameSync(grabber.path('other.mp4'), grabber.path('changing.mp4')), /replaced by another/],
    ['cut off', () => truncateSync(grabber.path('changing.mp4'), 4096), /shrank from \d+ to 4096 bytes/],
  ])('that is %s while it is encoded is refused, and nothing is left', async (what, change, words) => {
    copyFileSync(what === 'replaced' ? grabber.path('hall.mp4') : laborious(), grabber.path('changing.mp4'))
    copyFileSync(grabber.path('hall.mp4'), grabber.path('other.mp4'))
    const out = grabber.path(`out of ${what}`)
    const running = grabber.start('clip', 'changing.mp4', '--at', '0', '--out', out, '--reencode')
    const pid = await writer('clip-0.mp4')
    change()
    process.kill(pid, 'SIGCONT')
    expectFailed(await running.ended, 3, new RegExp(`^SRC_CHANGED: .*${words.source}`))
    expect(made(out)).toEqual([])
  })
})
