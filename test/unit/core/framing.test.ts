import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  encodeFrame,
  FrameReader,
  MAX_HEADER_BYTES,
  MAX_PAYLOAD_BYTES,
  type WireFrame,
} from '../../../core/wire/framing.ts'

interface Header {
  id: number
  text: string
}

const frames = fc.array(
  fc.record({
    header: fc.record({ id: fc.integer(), text: fc.string({ unit: 'grapheme' }) }),
    payload: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 8 },
)

function encode(list: WireFrame<Header>[]): Buffer {
  return Buffer.concat(list.flatMap(({ header, payload }) => encodeFrame(header, payload)))
}

function prefix(headerBytes: number, payloadBytes: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(headerBytes, 0)
  bytes.writeUInt32LE(payloadBytes, 4)
  return bytes
}

const plain = (list: WireFrame<Header>[]) => list.map(({ header, payload }) => ({ header, payload: [...payload] }))

describe('a reader', () => {
  test('cuts the same frames out of any split of the stream', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 30 }), (list, cuts) => {
        const bytes = encode(list)
        const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
        const reader = new FrameReader<Header>()
        const got = edges.slice(1).flatMap((end, i) => reader.push(bytes.subarray(edges[i], end)))
        expect(plain(got)).toEqual(plain(list))
      }),
    )
  })

  test('completes a frame with its last byte, not before', () => {
    const bytes = encode([{ header: { id: 1, text: '' }, payload: new Uint8Array([1, 2, 3]) }])
    const reader = new FrameReader<Header>()
    expect(reader.push(bytes.subarray(0, -1))).toEqual([])
    expect(reader.push(bytes.subarray(-1))).toHaveLength(1)
  })

  test('hands over payloads that later chunks do not touch', () => {
    const reader = new FrameReader<Header>()
    const bytes = encode([{ header: { id: 1, text: '' }, payload: new Uint8Array([7]) }])
    const [first] = reader.push(bytes) as [WireFrame<Header>]
    bytes.fill(0xff)
    reader.push(encode([{ header: { id: 2, text: '' }, payload: new Uint8Array([9]) }]))
    expect([...first.payload]).toEqual([7])
  })
})

describe('limits', () => {
  test.each([
    ['no header', 0, 0],
    ['a header over the limit', MAX_HEADER_BYTES + 1, 0],
    ['a payload over the limit', 2, MAX_PAYLOAD_BYTES + 1],
    ['a stray HTTP client', Buffer.from('GET ').readUInt32LE(), Buffer.from('/ HT').readUInt32LE()],
  ])('%s is refused as soon as it is announced', (_, headerBytes, payloadBytes) => {
    const push = () => new FrameReader().push(prefix(headerBytes, payloadBytes))
    expect(push).toThrow(expect.objectContaining({ code: 'ENG_PROTOCOL' }))
  })

  test('the limits themselves are allowed', () => {
    expect(new FrameReader().push(prefix(MAX_HEADER_BYTES, 0))).toEqual([])
    expect(new FrameReader().push(prefix(2, MAX_PAYLOAD_BYTES))).toEqual([])
  })

  test('a header that is not JSON is refused', () => {
    const push = () => new FrameReader().push(Buffer.concat([prefix(3, 0), Buffer.from('{x}')]))
    expect(push).toThrow(expect.objectContaining({ code: 'ENG_PROTOCOL' }))
  })
})
