/**
 * Damaged recordings from a seed: bits flipped and parts cut off, and headers that state sizes nobody has. The same seed
 * gives the same bytes on every machine.
 */
import { crc32 } from 'node:zlib'
import { type Random, randomOf } from '../../support/seeded-random.ts'

export interface Damaged {
  /** What was done, for the message of a test that fails. */
  what: string
  bytes: Buffer
}

const between = (random: Random, low: number, high: number) => low + Math.floor(random() * (high - low))

const kinds: ((bytes: Buffer, random: Random) => Damaged)[] = [
  (bytes, random) => flipped(bytes, random, between(random, 1, 20), 0, 'anywhere'),
  (bytes, random) => flipped(bytes, random, between(random, 20, 400), 4096, 'behind the header'),
  (bytes, random) => flipped(bytes, random, between(random, 1, 40), 0, 'in the header', 2048),
  (bytes, random) => {
    const length = between(random, 1, bytes.length)
    return { what: `cut off after ${length} bytes`, bytes: bytes.subarray(0, length) }
  },
  (bytes, random) => {
    const { what, bytes: shorter } = kinds[3]!(bytes, random)
    const { what: flips, bytes: both } = flipped(shorter, random, between(random, 1, 50), 0, 'anywhere')
    return { what: `${what}, ${flips}`, bytes: both }
  },
  (bytes, random) => {
    const [from, length] = [between(random, 0, bytes.length), between(random, 1, 65536)]
    const out = Buffer.from(bytes)
    out.fill(0, from, from + length)
    return { what: `${length} zeros at ${from}`, bytes: out }
  },
  (bytes, random) => {
    const from = between(random, 1, bytes.length)
    return { what: `begins at ${from}`, bytes: bytes.subarray(from) }
  },
]

/** Variant `n` of `bytes` under `seed`: each kind of damage in turn. */
export function damaged(bytes: Buffer, seed: number, n: number): Damaged {
  return kinds[n % kinds.length]!(bytes, randomOf(seed * 1000 + n))
}

function flipped(bytes: Buffer, random: Random, n: number, from: number, where: string, to = bytes.length): Damaged {
  const out = Buffer.from(bytes)
  const end = Math.min(to, out.length)
  const start = Math.min(from, end - 1)
  for (let i = 0; i < n; i++) {
    const at = between(random, start, end)
    out[at] = out[at]! ^ (1 << between(random, 0, 8))
  }
  return { what: `${n} bits flipped ${where}`, bytes: out }
}

/** Every JPEG in `bytes` states this size (SOF0: marker, length, precision, then height and width). */
export function withJpegSize(bytes: Buffer, width: number, height: number): Buffer {
  const out = Buffer.from(bytes)
  const marker = Buffer.from([0xff, 0xc0, 0x00, 0x11, 0x08])
  for (let at = out.indexOf(marker); at >= 0; at = out.indexOf(marker, at + 1)) {
    out.writeUInt16BE(height, at + 5)
    out.writeUInt16BE(width, at + 7)
  }
  return out
}

/** A PNG that states this size; its header's checksum is right. */
export function withPngSize(bytes: Buffer, width: number, height: number): Buffer {
  const out = Buffer.from(bytes)
  out.writeUInt32BE(width, 16)
  out.writeUInt32BE(height, 20)
  out.writeUInt32BE(crc32(out.subarray(12, 29)), 29)
  return out
}

/** The sample entry of an mp4 states this size (ISO/IEC 14496-12, 12.1.3: 24 bytes behind its name). */
export function withSampleEntrySize(bytes: Buffer, entry: string, width: number, height: number): Buffer {
  const out = Buffer.from(bytes)
  // The name may stand among the file's brands as well.
  const at = out.indexOf(entry, out.indexOf('stsd'))
  if (at < 0) throw new Error(`no sample entry ${entry}`)
  out.writeUInt16BE(width, at + 28)
  out.writeUInt16BE(height, at + 30)
  return out
}

/**
 * An H.264 elementary stream of Baseline profile whose sequence parameter sets state a size in macroblocks of 16 px
 * (ITU-T H.264, 7.3.2.1.1). The rest of the set is kept bit by bit.
 */
export function withSpsSize(stream: Buffer, widthMbs: number, heightMbs: number): Buffer {
  const parts: Buffer[] = []
  const starts: number[] = []
  const code = Buffer.from([0, 0, 1])
  for (let at = stream.indexOf(code); at >= 0; at = stream.indexOf(code, at + 3)) starts.push(at + 3)
  for (const [index, from] of starts.entries()) {
    const to = starts[index + 1] === undefined ? stream.length : starts[index + 1]! - 3
    const unit = stream.subarray(from, to)
    parts.push(Buffer.from([0, 0, 0, 1]), (unit[0]! & 31) === 7 ? resized(unit, widthMbs, heightMbs) : unit)
  }
  return Buffer.concat(parts)
}

function resized(sps: Buffer, widthMbs: number, heightMbs: number): Buffer {
  if (sps[1] !== 66) throw new Error(`profile ${sps[1]} is not Baseline`)
  // Without the bytes that keep start codes out of the data, and put in again below.
  const raw = Buffer.from(sps.toString('latin1').replaceAll('\0\0\x03', '\0\0'), 'latin1')
  const bits = [...raw].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  let at = 32
  const golomb = () => {
    const zeros = bits.indexOf('1', at) - at
    const value = Number.parseInt(bits.slice(at + zeros, at + 2 * zeros + 1), 2) - 1
    at += 2 * zeros + 1
    return value
  }
  golomb()
  golomb()
  const pictureOrder = golomb()
  if (pictureOrder === 0) golomb()
  else if (pictureOrder !== 2) throw new Error(`picture order type ${pictureOrder} is not read here`)
  golomb()
  at += 1
  const sizeAt = at
  golomb()
  golomb()
  const coded = (value: number) => {
    const text = (value + 1).toString(2)
    return '0'.repeat(text.length - 1) + text
  }
  const out = bits.slice(0, sizeAt) + coded(widthMbs - 1) + coded(heightMbs - 1) + bits.slice(at)
  return escaped((out.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)))
}

/** A 3 goes in front of what would look like a start code behind two zeros (7.4.1). */
function escaped(bytes: readonly number[]): Buffer {
  const out: number[] = []
  for (const byte of bytes) {
    if (byte <= 3 && out.at(-1) === 0 && out.at(-2) === 0) out.push(3)
    out.push(byte)
  }
  return Buffer.from(out)
}
