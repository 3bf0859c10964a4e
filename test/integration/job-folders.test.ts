/** What is on the disk while a job works and when it was cut off: journal, unfinished result, output folder. */
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { emptyLedger } from '../../core/ledger.ts'
import { Journal, type JournalHead, type JournalMark } from '../../src/jobs/journal.ts'
import { OutputRoot, sharedStems, stemOf } from '../../src/jobs/output-root.ts'
import { PartFolder } from '../../src/jobs/part-folder.ts'
import { record } from '../unit/jobs/records.ts'
import { canMountDisk, SmallDisk } from './support/full-disk.ts'
import { cleanUp, onCleanUp, temporaryFolder } from './support/nats.ts'

afterEach(cleanUp)

const head: JournalHead = { version: '1', contentHash: 'c0ffee'.repeat(8), settings: 's' }
const mark = (seq: number): JournalMark => ({
  checkpoint: {
    loop: 0,
    seqBase: 0,
    ptsBaseMs: 0,
    selection: {
      seq,
      ptsMs: 40 * seq,
      pixelHash: '',
      file: { sizeBytes: 1, modifiedMs: 1, inode: 1 },
      damage: { count: 0, positions: [] },
      state: '{}',
    },
  },
  totals: { ledger: emptyLedger(), faces: 0, tracks: 0, lastPtsMs: 40 * seq },
  seconds: 1,
})
const jpeg = Buffer.from('ffd8aaaaaaffd9', 'hex')

async function seqsOf(journal: Journal): Promise<number[]> {
  return (await Array.fromAsync(journal.records())).map(({ seq }) => seq)
}

describe('a journal', () => {
  function written(): { path: string; whole: Buffer } {
    const path = join(temporaryFolder(), 'journal.jsonl')
    using journal = Journal.create(path, head)
    journal.append([record(0, true), record(1, false)])
    journal.mark(mark(1))
    journal.append([record(2, true)])
    journal.mark(mark(2))
    journal.append([record(3, true)])
    return { path, whole: readFileSync(path) }
  }

  it('holds up to the last checkpoint, wherever it is cut off', async () => {
    const { path, whole } = written()
    const text = whole.toString()
    const ends = [...text.matchAll(/\n/g)].map(({ index }) => index + 1)
    expect(ends).toHaveLength(7)
    const marks = [ends[3]!, ends[5]!]
    // Every byte of the second checkpoint, and the ends of all lines.
    const cuts = new Set([...ends, ...Array.from({ length: ends[5]! - ends[4]! }, (_, n) => ends[4]! + n)])
    for (const cut of cuts) {
      writeFileSync(path, whole.subarray(0, cut))
      const { journal, content } = Journal.reopen(path)!
      using _ = journal
      const expected = cut >= marks[1]! ? [0, 1, 2] : cut >= marks[0]! ? [0, 1] : []
      expect(content.mark?.checkpoint.selection?.seq ?? null, `cut at ${cut}`).toBe(expected.at(-1) ?? null)
      expect([...content.pictures]).toEqual(expected.filter((seq) => seq !== 1).map((seq) => `0000000${seq}.jpg`))
      expect(await seqsOf(journal)).toEqual(expected)
      journal.append([record(7, false)])
      expect(await seqsOf(journal)).toEqual([...expected, 7])
    }
    truncateSync(path, 10)
    expect(Journal.reopen(path)).toBeUndefined()
  })

  it('knows which pictures were taken out again after the end', () => {
    const { path } = written()
    const { journal } = Journal.reopen(path)!
    journal.mark(mark(3))
    journal.thin(['00000000.jpg'])
    journal[Symbol.dispose]()
    const again = Journal.reopen(path)!
    using _ = again.journal
    expect([...again.content.pictures]).toEqual(['00000002.jpg'])
  })

  it('ends where blocks were never written', () => {
    const { path, whole } = written()
    writeFileSync(path, Buffer.concat([whole, Buffer.alloc(300), Buffer.from('\n{"mark":null}\n')]))
    const { journal, content } = Journal.reopen(path)!
    using _ = journal
    expect(content.mark?.checkpoint.selection?.seq).toBe(2)
    expect(readFileSync(path).indexOf(0)).toBe(-1)
  })

  it.skipIf(!canMountDisk())('says that the disk is full, and can be gone on from', () => {
    using disk = new SmallDisk(256 * 1024)
    const path = join(disk.path, 'journal.jsonl')
    {
      using journal = Journal.create(path, head)
      journal.append([record(0, true)])
      journal.mark(mark(0))
      disk.fill(0)
      const many = Array.from({ length: 1000 }, (_, seq) => record(seq + 1, false))
      expect(() => journal.append(many)).toThrow(expect.objectContaining({ code: 'STO_FULL' }))
    }
    const { journal, content } = Journal.reopen(path)!
    using _ = journal
    expect(content.mark?.checkpoint.selection?.seq).toBe(0)
  })
})

describe('an unfinished result', () => {
  async function begun(root = temporaryFolder()) {
    await using part = await PartFolder.open(root, 'clip', head, false)
    part.journal.append([record(0, true)])
    part.journal.mark(mark(0))
    part.journal.append([record(1, true)])
    for (const seq of [0, 1]) writeFileSync(join(part.images, `0000000${seq}.jpg`), jpeg)
    return root
  }
  const pictures = (root: string) => readdirSync(join(root, '.clip.part/images'))

  it('is gone on from: pictures that came after the checkpoint go', async () => {
    const root = await begun()
    await using part = await PartFolder.open(root, 'clip', head, false)
    expect(part.content.mark?.checkpoint.selection?.seq).toBe(0)
    expect(pictures(root)).toEqual(['00000000.jpg'])
  })

  it.each([
    ['another content', { ...head, contentHash: 'other' }, false],
    ['other settings', { ...head, settings: 'other' }, false],
    ['another version of the program', { ...head, version: '2' }, false],
    ['somebody who wants it anew', head, true],
  ])('is of no use to %s', async (_, other, fresh) => {
    const root = await begun()
    await using part = await PartFolder.open(root, 'clip', other, fresh)
    expect([part.content.mark, pictures(root)]).toEqual([null, []])
  })

  it('begins anew when a picture of it is not whole', async () => {
    const root = await begun()
    truncateSync(join(root, '.clip.part/images/00000000.jpg'), 4)
    await using part = await PartFolder.open(root, 'clip', head, false)
    expect([part.content.mark, pictures(root)]).toEqual([null, []])
  })

  it('gets its name as a whole, in the place of an older one', async () => {
    const root = await begun()
    mkdirSync(join(root, 'clip'))
    writeFileSync(join(root, 'clip/older'), '')
    await using part = await PartFolder.open(root, 'clip', head, false)
    writeFileSync(join(part.path, 'metadata.json'), '{}')
    await part.publish()
    expect(readdirSync(root)).toEqual(['clip'])
    expect(readdirSync(join(root, 'clip')).sort()).toEqual(['images', 'metadata.json'])
  })

  it('leaves nothing when it is given up', async () => {
    const root = await begun()
    await using part = await PartFolder.open(root, 'clip', head, false)
    await part.discard()
    expect(readdirSync(root)).toEqual([])
  })
})

describe('the output folder', () => {
  const metadata = (contentHash: string) =>
    `{\n"schema": "x",\n"source": ${JSON.stringify({ file: 'clip.mp4', contentHash })},\n"settings": {"fingerprint": "s"},\n"keyframes": [\n]}\n`

  async function opened(path = join(temporaryFolder(), 'deep/out')) {
    const root = await OutputRoot.open(path)
    onCleanUp(() => root[Symbol.dispose]())
    return root
  }
  function result(root: OutputRoot, name: string, contentHash: string): void {
    mkdirSync(join(root.path, name))
    writeFileSync(join(root.path, name, 'metadata.json'), metadata(contentHash))
  }

  it('is made, and has one user at a time', async () => {
    const root = await opened()
    await expect(OutputRoot.open(root.path)).rejects.toMatchObject({ code: 'STO_LOCKED' })
    root[Symbol.dispose]()
    expect((await opened(root.path)).path).toBe(root.path)
  })

  it('knows a finished result by its content, also under the longer name', async () => {
    const root = await opened()
    result(root, 'clip', 'aaaaaaaa')
    result(root, 'clip-bbbbbb', 'bbbbbbbb')
    expect(await root.place('/in/clip.mp4', 'aaaaaaaa', false)).toMatchObject({
      name: 'clip',
      finished: { settings: 's' },
    })
    expect(await root.place('/in/clip.mkv', 'bbbbbbbb', true)).toMatchObject({ name: 'clip-bbbbbb' })
  })

  it('gives no name twice, nor that of another recording, nor that of what is not ours', async () => {
    const root = await opened()
    result(root, 'clip', 'aaaaaaaa')
    const clip = await root.place('/in/clip.mp4', 'cccccccc', false)
    expect(clip).toEqual({ name: 'clip-cccccc', finished: undefined })
    expect((await root.place('/in/a/walk.mp4', 'dddddddd', false)).name).toBe('walk')
    expect((await root.place('/in/b/Walk.mp4', 'eeeeeeee', false)).name).toBe('Walk-eeeeee')
    expect(await root.place('/in/c/walk.mkv', 'dddddddd', false)).toMatchObject({ sameAs: '/in/a/walk.mp4' })
    expect((await root.place('/in/both.mp4', 'ffffffff', true)).name).toBe('both-ffffff')
    for (const name of ['mine', 'mine-000000']) mkdirSync(join(root.path, name))
    await expect(root.place('/in/mine.mp4', '00000000', false)).rejects.toMatchObject({ code: 'STO_OUTPUT' })
  })

  it('reads a metadata.json that is laid out in another way', async () => {
    const root = await opened()
    result(root, 'clip', 'aaaaaaaa')
    writeFileSync(join(root.path, 'clip/metadata.json'), JSON.stringify(JSON.parse(metadata('bbbbbbbb')), null, 2))
    expect(await root.place('/in/clip.mp4', 'bbbbbbbb', false)).toMatchObject({
      name: 'clip',
      finished: { contentHash: 'bbbbbbbb' },
    })
  })

  it('gives an old result its name back when the new one did not get it', async () => {
    const root = await opened()
    root[Symbol.dispose]()
    for (const name of ['.clip.old', '.walk.old', 'walk']) mkdirSync(join(root.path, name))
    await opened(root.path)
    expect(readdirSync(root.path).filter((name) => name !== '.grabber.lock')).toEqual(['clip', 'walk'])
  })

  it('is refused where nothing can be written', async () => {
    const file = join(temporaryFolder(), 'file')
    writeFileSync(file, '')
    await expect(OutputRoot.open(file)).rejects.toMatchObject({ code: 'CFG_USAGE' })
    await expect(OutputRoot.open(join(file, 'out'))).rejects.toMatchObject({ code: 'STO_OUTPUT' })
    await expect(OutputRoot.open('/proc/out')).rejects.toMatchObject({ code: 'STO_OUTPUT' })
  })

  it.skipIf(!canMountDisk())('is refused where the disk is full', async () => {
    using disk = new SmallDisk(64 * 1024)
    disk.fill(0)
    await expect(OutputRoot.open(join(disk.path, 'out'))).rejects.toMatchObject({ code: 'STO_FULL' })
  })

  it.skipIf(!canMountDisk())('is refused where it is read-only', async () => {
    using disk = new SmallDisk(64 * 1024)
    disk.makeReadOnly()
    const refused = { code: 'STO_OUTPUT', message: expect.stringContaining('(EROFS)') }
    await expect(OutputRoot.open(disk.path)).rejects.toMatchObject(refused)
    await expect(OutputRoot.open(join(disk.path, 'out'))).rejects.toMatchObject(refused)
  })

  it('takes a file’s name for the result’s, as far as it can', () => {
    expect(['/a/b/walk.1.mp4', '/a/.hidden.mp4', '/a/.mp4', '/a/x\n.mp4'].map(stemOf)).toEqual([
      'walk.1',
      'hidden',
      'mp4',
      'x_',
    ])
    expect(Buffer.byteLength(stemOf(`/a/${'ü'.repeat(120)}.mp4`))).toBe(200)
    expect([...sharedStems(['/a/x.mp4', '/b/X.mkv', '/a/y.mp4'])]).toEqual(['x'])
  })
})
