import { describe, expect, it } from 'vitest'
import { nalFormat, nalProblem } from '../../../../streams/analysis/nal-structure.ts'

const unit = (...bytes: number[]) => [0, 0, 0, bytes.length, ...bytes]
const h264 = { codec: 'h264', lengthBytes: 4 } as const
const hevc = { codec: 'hevc', lengthBytes: 4 } as const
const problem = (bytes: number[], format: Parameters<typeof nalProblem>[1] = h264) =>
  nalProblem(Uint8Array.from(bytes), format)

describe('nalFormat', () => {
  it('reads the size of lengths from avcC and hvcC, and finds none behind start codes', () => {
    expect(nalFormat('h264', Uint8Array.from([1, 100, 0, 31, 0xff]))).toEqual(h264)
    expect(nalFormat('h264', Uint8Array.from([1, 100, 0, 31, 0xfd]))).toEqual({ codec: 'h264', lengthBytes: 2 })
    expect(
      nalFormat(
        'hevc',
        Uint8Array.from({ length: 23 }, (_, n) => (n === 0 ? 1 : 0xff)),
      ),
    ).toEqual(hevc)
    expect(nalFormat('h264', Uint8Array.from([0, 0, 0, 1, 0x67]))).toEqual({ codec: 'h264', lengthBytes: 0 })
    expect(nalFormat('h264', null)).toEqual({ codec: 'h264', lengthBytes: 0 })
    expect([nalFormat('vp9', null), nalFormat('h264', Uint8Array.from([1]))]).toEqual([null, null])
  })
})

describe('nalProblem', () => {
  it('units that fit together are none', () => {
    expect(problem([...unit(0x65, 1, 2, 3), ...unit(0x41, 9)])).toBeNull()
    expect(problem([...unit(0x26, 1, 2, 3), ...unit(0x02, 1)], hevc)).toBeNull()
    expect(problem([0, 0, 1, 0x65, 7], { codec: 'h264', lengthBytes: 0 })).toBeNull()
  })

  it.each([
    ['an empty packet', []],
    ['a unit is cut off', [...unit(0x65, 1), 0, 0]],
    ['a unit of no length', [...unit(0x65, 1), 0, 0, 0, 0]],
    ['a unit is longer than its packet', [0, 0, 1, 0, 0x65, 1, 2]],
    ['the header of a unit is damaged', unit(0xe5, 1)],
  ])('%s', (what, bytes) => {
    expect(problem(bytes)).toBe(what)
  })

  it('a temporal id that no H.265 unit has', () => {
    expect(problem(unit(0x26, 0, 2), hevc)).toBe('the header of a unit is damaged')
  })
})
