/**
 * Whether a recording ends where its container says: a transfer that broke off, a recorder that lost its power. Session host only.
 * Reads a few bytes here and there, never the pictures; says nothing where it cannot be sure, since many good files are odd at
 * their ends.
 */
import { type FileHandle, open } from 'node:fs/promises'

/** Where the file ends is where the damage is. */
export interface EarlyEnd {
  byte: number
  what: string
}

interface Bytes {
  size: number
  /** Zeros where the file has no more. */
  at(position: number, length: number): Promise<Buffer>
}

type Look = (bytes: Bytes) => Promise<string | null>

/** By FFmpeg's name of the container. Others tell nothing, or their readers find it. */
const looks: readonly (readonly [container: RegExp, look: Look])[] = [
  [/^mpegts$/, transportStream],
  [/^mov,mp4/, boxes],
  [/^matroska/, segment],
  [/^avi$/, riff],
]

/** `container` as FFmpeg names it. `null`: nothing is wrong with its end, or nothing is known of it. */
export async function earlyEnd(path: string, container: string): Promise<EarlyEnd | null> {
  const look = looks.find(([names]) => names.test(container))?.[1]
  // It was read to its end: that it is gone by now, whoever minds finds out by himself.
  const opened = look && (await open(path).catch(() => undefined))
  if (!look || !opened) return null
  await using file = opened
  try {
    const { size } = await file.stat()
    const what = await look({ size, at: (position, length) => readAt(file, position, length) })
    return what === null ? null : { byte: size, what }
  } catch {
    // A disk that fails now: the pictures were read, and of the end nothing is known.
    return null
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer
}

const SYNC = 0x47
/** Plain (ISO/IEC 13818-1, 2.4.3); behind a time of 4 bytes (M2TS); with 16 bytes of error correction behind it (ETSI EN 300 429). */
const TRANSPORT = [
  { length: 188, before: 0 },
  { length: 192, before: 4 },
  { length: 204, before: 0 },
] as const
/** So many packets in step are no accident, at the beginning and at the end. */
const IN_STEP = 5

/** A whole number of packets; a part of one at the end must look like one, since some writers add other things. */
async function transportStream({ size, at }: Bytes): Promise<string | null> {
  const head = await at(0, 204 * (IN_STEP + 1))
  for (const { length, before } of TRANSPORT) {
    const inStep = (bytes: Buffer, from: number) =>
      Array.from({ length: IN_STEP }, (_, i) => bytes[from + i * length]).every((byte) => byte === SYNC)
    for (let start = 0; start < length; start++) {
      if (!inStep(head, start + before)) continue
      const rest = (size - start) % length
      if (size - rest - IN_STEP * length < start) return null
      const tail = await at(size - rest - IN_STEP * length, IN_STEP * length + rest)
      // Bytes were lost or added on the way: what is whole at the end is not known.
      if (rest <= before || !inStep(tail, before) || tail[IN_STEP * length + before] !== SYNC) return null
      return `the file ends within a packet, after ${rest} of ${length} bytes`
    }
  }
  return null
}

/** Size, type, and the size in 64 bits; ISO/IEC 14496-12, 4.2. */
const BOX_HEAD = 16
/** What is written at the top level, and long. Behind the last box some cameras put what is none. */
const BOX = /^(ftyp|styp|moov|moof|mdat|free|skip|wide|sidx|mfra|uuid)$/
/** Fragments of a second of more than an hour, half a second of reading; what has more is not read to its end. */
const MOST_BOXES = 10_000

async function boxes({ size, at }: Bytes): Promise<string | null> {
  let position = 0
  for (let n = 0; n < MOST_BOXES && position + 8 <= size; n++) {
    const head = await at(position, BOX_HEAD)
    if (!BOX.test(head.toString('latin1', 4, 8))) return null
    const short = head.readUInt32BE(0)
    const length = short === 1 ? Number(head.readBigUInt64BE(8)) : short
    // 0: to the end of the file.
    if (length < 8) return null
    position += length
  }
  return beyond(position, size)
}

const EBML = '1a45dfa3'
const SEGMENT = '18538067'

/** A segment whose size was written, when it was finished (RFC 9559, 5.1; RFC 8794, 4 and 6.2). */
async function segment({ size, at }: Bytes): Promise<string | null> {
  const first = await at(0, 12)
  if (first.toString('hex', 0, 4) !== EBML) return null
  const header = variableSize(first, 4)
  if (!header) return null
  const start = 4 + header.bytes + header.value
  if (start > size) return null
  const head = await at(start, 12)
  if (head.toString('hex', 0, 4) !== SEGMENT) return null
  const body = variableSize(head, 4)
  return body && beyond(start + 4 + body.bytes + body.value, size)
}

/** A number of 1 to 8 bytes, whose leading zeros say how many; `null` where it says that it is unknown, or is none. */
function variableSize(bytes: Buffer, position: number): { value: number; bytes: number } | null {
  const first = bytes[position] ?? 0
  const length = Math.clz32(first) - 23
  if (length > 8 || position + length > bytes.length) return null
  let value = BigInt(first & (0xff >> length))
  for (let i = 1; i < length; i++) value = (value << 8n) | BigInt(bytes[position + i]!)
  return value === (1n << BigInt(7 * length)) - 1n ? null : { value: Number(value), bytes: length }
}

/** What a writer says that could not come back to say it. */
const OPEN = [0, 0xffffffff]

/** A thousand of a gigabyte each. */
const MOST_LISTS = 1000

/** Lists of up to 1 GB, one behind the other (OpenDML 1.02, 3). */
async function riff({ size, at }: Bytes): Promise<string | null> {
  let position = 0
  for (let n = 0; n < MOST_LISTS && position + 12 <= size; n++) {
    const head = await at(position, 12)
    const length = head.readUInt32LE(4)
    if (!/^RIFF....AVI[ X]$/s.test(head.toString('latin1')) || OPEN.includes(length)) return null
    position += 8 + length
  }
  return beyond(position, size)
}

/** `end` where the container ends. A byte of padding may be counted and not written. */
function beyond(end: number, size: number): string | null {
  return end - size > 1 ? `the file ends ${end - size} bytes before its container does` : null
}
