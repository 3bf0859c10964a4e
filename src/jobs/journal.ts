/**
 * The journal of an extraction that is under way: what was decided so far, and from where it can go on. One JSON value a line; it
 * is written in order, so that after a crash at any moment everything up to the last checkpoint holds and the rest is cut
 * off. Runs where the job runs, with one writer. Sees records and names of files, never a picture.
 */
import {
  closeSync,
  constants,
  createReadStream,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { createInterface } from 'node:readline'
import type { ExtractOutcome, SelectionRecord } from '../../actors/extract-job.ts'
import type { RecordingTotals } from '../../actors/recording-run.ts'
import type { Checkpoint } from '../../core/wire/session-spec.ts'
import { errnoOf, writing } from './output-error.ts'

/** What the journal is about: with anything else in its place it is of no use. */
export interface JournalHead {
  /** Of the program: another one may decide otherwise, and does not know this one's checkpoints. */
  version: string
  contentHash: string
  settings: string
}

/** Where work can go on. Sums are of everything before it. */
export interface JournalMark {
  checkpoint: Checkpoint
  totals: RecordingTotals
  /** Wall time that was spent, s. */
  seconds: number
}

/** All is decided: what is left is to write the result. */
export interface JournalEnd {
  outcome: ExtractOutcome
  seconds: number
}

/** Media that was read: to its end, whatever its container promised. */
export function mediaMs({ outcome: { totals, stream } }: JournalEnd): number {
  return totals.lastPtsMs + (stream.fps ? 1000 / stream.fps : 0)
}

type Line =
  | { head: JournalHead }
  | { record: SelectionRecord }
  | { mark: JournalMark }
  | { end: JournalEnd }
  | { thinned: string[] }

/** What a journal says that holds. */
export interface JournalContent {
  head: JournalHead
  mark: JournalMark | null
  end: JournalEnd | null
  /** Names of the pictures that were kept. */
  pictures: Set<string>
}

const READ_BYTES = 1 << 16
/** Each write goes to the end, also after the end was moved. */
const APPEND = constants.O_RDWR | constants.O_APPEND

export class Journal implements Disposable {
  readonly path: string
  readonly #fd: number
  #open = true

  private constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  /** A new one. STO_OUTPUT, STO_FULL. */
  static create(path: string, head: JournalHead): Journal {
    const journal = new Journal(
      path,
      writing(path, () => openSync(path, APPEND | constants.O_CREAT | constants.O_EXCL)),
    )
    journal.#write({ head })
    journal.#sync()
    return journal
  }

  /**
   * One that a process left behind, cut off behind its last checkpoint; `undefined` when there is none that begins as a journal
   * does. STO_OUTPUT.
   */
  static reopen(path: string): { journal: Journal; content: JournalContent } | undefined {
    let fd: number
    try {
      fd = openSync(path, APPEND)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw writing(path, () => {
        throw error
      })
    }
    const { content, bytes } = readContent(fd)
    if (!content) {
      closeSync(fd)
      return undefined
    }
    writing(path, () => ftruncateSync(fd, bytes))
    return { journal: new Journal(path, fd), content }
  }

  /** Handed to the system when it returns: it outlives this process, though not a power failure. STO_FULL. */
  append(records: readonly SelectionRecord[]): void {
    this.#write(...records.map((record) => ({ record })))
  }

  /** On the disk when it returns, with everything before it. STO_FULL. */
  mark(mark: JournalMark): void {
    this.#write({ mark })
    this.#sync()
  }

  /** STO_FULL. */
  end(end: JournalEnd): void {
    this.#write({ end })
    this.#sync()
  }

  /** After the end: these pictures were taken out again, or are about to be. STO_FULL. */
  thin(files: readonly string[]): void {
    this.#write({ thinned: [...files] })
    this.#sync()
  }

  /** Every record in order of decision. */
  async *records(): AsyncGenerator<SelectionRecord> {
    for await (const text of createInterface({
      input: createReadStream(this.path),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      const line = JSON.parse(text) as Line
      if ('record' in line) yield line.record
    }
  }

  [Symbol.dispose](): void {
    if (!this.#open) return
    this.#open = false
    closeSync(this.#fd)
  }

  #write(...lines: Line[]): void {
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    for (let written = 0; written < bytes.length; )
      written += writing(this.path, () => writeSync(this.#fd, bytes, written, bytes.length - written))
  }

  #sync(): void {
    writing(this.path, () => fdatasyncSync(this.#fd))
  }
}

/** What holds, and the bytes that say it. */
function readContent(fd: number): { content: JournalContent | undefined; bytes: number } {
  let content: JournalContent | undefined
  let bytes = 0
  let pending: string[] = []
  for (const { text, end } of linesOf(fd)) {
    const line = parsed(text)
    if (line === undefined) break
    if (content === undefined) {
      if (!('head' in line)) break
      content = { head: line.head, mark: null, end: null, pictures: new Set() }
      bytes = end
    } else if ('record' in line) {
      if (line.record.chosen) pending.push((line.record as { file: string }).file)
    } else {
      for (const file of pending) content.pictures.add(file)
      pending = []
      bytes = end
      if ('mark' in line) content.mark = line.mark
      else if ('end' in line) content.end = line.end
      else if ('thinned' in line) for (const file of line.thinned) content.pictures.delete(file)
    }
  }
  return { content, bytes }
}

/** Whole lines; what stands behind the last line feed was cut off. `end`: bytes up to and with the line feed. */
function* linesOf(fd: number): Generator<{ text: string; end: number }> {
  const chunk = Buffer.alloc(READ_BYTES)
  let rest = Buffer.alloc(0)
  let end = 0
  for (let position = 0; ; ) {
    const count = readSync(fd, chunk, 0, READ_BYTES, position)
    if (count === 0) return
    position += count
    const bytes = Buffer.concat([rest, chunk.subarray(0, count)])
    let start = 0
    for (let feed = bytes.indexOf(10); feed >= 0; feed = bytes.indexOf(10, start)) {
      end += feed + 1 - start
      yield { text: bytes.toString('utf8', start, feed), end }
      start = feed + 1
    }
    rest = bytes.subarray(start)
  }
}

function parsed(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Line) : undefined
  } catch (error) {
    // Blocks that a power failure left unwritten read as zeros.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
