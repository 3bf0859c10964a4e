/** Whether a file ends where its container says: few bytes that are no video, but have the form of one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { earlyEnd } from '../../../../streams/sources/file-end.ts'

const folder = mkdtempSync(join(tmpdir(), 'grabber-ends-'))
afterAll(() => rmSync(folder, { recursive: true }))

function end(container: string, ...parts: Buffer[]) {
  const path = join(folder, 'file')
  writeFileSync(path, Buffer.concat(parts))
  return earlyEnd(path, container)
}

const packets = (count: number, length: number, before = 0) =>
  Buffer.concat(
    Array.from({ length: count }, (_, n) => {
      const packet = Buffer.alloc(length, n + 1)
      packet[before] = 0x47
      return packet
    }),
  )
const box = (type: string, length: number, said = length) => {
  const bytes = Buffer.alloc(length)
  bytes.writeUInt32BE(said, 0)
  bytes.write(type, 4, 'latin1')
  return bytes
}
const large = (said: bigint) => {
  const bytes = box('mdat', 40, 1)
  bytes.writeBigUInt64BE(said, 8)
  return bytes
}
const ebml = (...sizeAndBody: number[]) =>
  Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 0x84, 1, 2, 3, 4, 0x18, 0x53, 0x80, 0x67, ...sizeAndBody])
const list = (kind: string, length: number, said = length - 8) => {
  const bytes = Buffer.alloc(length)
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(said, 4)
  bytes.write(kind, 8, 'latin1')
  return bytes
}
const BODY = [1, 2, 3, 4, 5, 6, 7]
const junk = Buffer.from('a trailer of the camera')

const [MP4, MKV] = ['mov,mp4,m4a,3gp,3g2,mj2', 'matroska,webm']

it.each([
  ['packets', 'mpegts', [packets(9, 188)]],
  ['packets that begin within one', 'mpegts', [Buffer.alloc(50), packets(9, 188)]],
  ['packets with times', 'mpegts', [packets(9, 192, 4)]],
  ['packets with other things behind them', 'mpegts', [packets(9, 188), junk]],
  ['packets that lost their step', 'mpegts', [packets(9, 188), Buffer.alloc(30), packets(2, 188), packets(1, 100)]],
  ['too few packets', 'mpegts', [packets(3, 188), packets(1, 100)]],
  ['as many packets as look like some, the last one in part', 'mpegts', [packets(4, 188), packets(1, 100)]],
  [
    'a header that says it is longer than any file',
    MKV,
    [Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 1, ...Array(7).fill(0xfe)])],
  ],
  ['boxes', MP4, [box('ftyp', 24), box('mdat', 99), box('moov', 50)]],
  ['a box without an end', MP4, [box('ftyp', 24), box('mdat', 99, 0)]],
  ['a large box', MP4, [box('ftyp', 24), large(40n)]],
  ['boxes with other things behind them', MP4, [box('ftyp', 24), box('mdat', 99), junk]],
  ['a box that is unknown', MP4, [box('ftyp', 24), box('what', 99, 1000)]],
  ['a segment', MKV, [ebml(0x87, ...BODY)]],
  ['a segment of unknown size', MKV, [ebml(0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...BODY)]],
  ['a segment with more behind it', MKV, [ebml(0x84, ...BODY)]],
  ['a list', 'avi', [list('AVI ', 100)]],
  ['two lists', 'avi', [list('AVI ', 100), list('AVIX', 50)]],
  ['a list whose padding is left out', 'avi', [list('AVI ', 100, 93)]],
  ['a list that was not closed', 'avi', [list('AVI ', 100, 0xffffffff)]],
  ['what is none of these', 'flv', [packets(9, 188).subarray(0, 1600)]],
])('nothing is said of %s', async (_, container, parts) => {
  expect(await end(container, ...parts)).toBeNull()
})

it.each([
  ['packets', 'mpegts', [packets(9, 188).subarray(0, 1600)], 'within a packet, after 96 of 188 bytes'],
  ['packets with times', 'mpegts', [packets(9, 192, 4).subarray(0, 1600)], 'within a packet, after 64 of 192 bytes'],
  ['packets with correction', 'mpegts', [packets(9, 204).subarray(0, 1700)], 'within a packet, after 68 of 204 bytes'],
  ['a box', MP4, [box('ftyp', 24), box('mdat', 99, 199)], '100 bytes before its container does'],
  ['a large box', MP4, [large(5_000_000_000n)], '4999999960 bytes before its container does'],
  ['a segment', MKV, [ebml(0x40, 0x20, ...BODY)], '25 bytes before its container does'],
  ['the first of lists', 'avi', [list('AVI ', 100, 200)], '108 bytes before its container does'],
  ['the last of lists', 'avi', [list('AVI ', 100), list('AVIX', 50, 60)], '18 bytes before its container does'],
])('%s that is cut off is seen', async (_, container, parts, what) => {
  const byte = parts.reduce((sum, part) => sum + part.length, 0)
  expect(await end(container, ...parts)).toEqual({ byte, what: `the file ends ${what}` })
})

it('a file that is gone is not missed', async () => {
  expect(await earlyEnd(join(folder, 'gone'), 'avi')).toBeNull()
})
