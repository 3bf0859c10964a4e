import { describe, expect, test } from 'vitest'
import type { ModelTensor } from '../../../models/adapter.ts'
import { adapterFor } from '../../../models/adapters.ts'
import { findModel } from '../../../models/manifest.ts'
import { type PixelConvention, packer } from '../../../models/tensor-pack.ts'
import { facesFromResult } from '../../../models/yunet.ts'

const yunet = adapterFor(findModel('yunet'))
const embedder = adapterFor(findModel('face-reid-0095'))

/** A picture whose pixel of channel c at (x, y) is 100·c + 10·y + x. */
function marked(width: number, height: number) {
  const data = new Uint8Array(3 * width * height)
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) data[(c * height + y) * width + x] = 100 * c + 10 * y + x
  }
  return { width, height, data }
}

describe('packing', () => {
  test('turns RGB into BGR planes and pads right and below with zeros to multiples of 32', () => {
    const { data, dims } = yunet.pack([marked(5, 3), marked(5, 3)])
    expect(dims).toEqual([2, 3, 32, 32])
    const at = (n: number, c: number, y: number, x: number) => data[((n * 3 + c) * 32 + y) * 32 + x]
    for (const n of [0, 1]) {
      expect(at(n, 0, 2, 4)).toBe(224)
      expect(at(n, 1, 2, 4)).toBe(124)
      expect(at(n, 2, 2, 4)).toBe(24)
      expect(at(n, 0, 2, 5)).toBe(0)
      expect(at(n, 0, 3, 0)).toBe(0)
    }
    expect(data.reduce((sum, value) => sum + value)).toBe(2 * marked(5, 3).data.reduce((sum, value) => sum + value))
  })

  test('memory that is kept shows nothing of the pictures before', () => {
    const filled = { width: 60, height: 30, data: new Uint8Array(3 * 60 * 30).fill(9) }
    for (const pictures of [[filled, filled], [marked(5, 3)], [filled], [marked(5, 3), marked(5, 3)]]) {
      const sum = pictures.flatMap(({ data }) => [...data]).reduce((total, value) => total + value)
      expect(yunet.pack(pictures).data.reduce((total, value) => total + value)).toBe(sum)
    }
  })

  test('takes a picture that needs no padding as it is', () => {
    const picture = { width: 128, height: 128, data: Uint8Array.from({ length: 3 * 128 * 128 }, (_, n) => n % 251) }
    const { data, dims } = embedder.pack([picture])
    expect(dims).toEqual([1, 3, 128, 128])
    const plane = 128 * 128
    expect([data[0], data[plane], data[2 * plane]]).toEqual([
      picture.data[2 * plane],
      picture.data[plane],
      picture.data[0],
    ])
  })
})

/** Outputs for a batch of `count` 64×32 pictures in which nothing is seen. */
function empty(count: number): Record<string, ModelTensor> {
  const outputs: Record<string, ModelTensor> = {}
  for (const stride of [8, 16, 32]) {
    const cells = (64 / stride) * (32 / stride)
    for (const [name, channels] of Object.entries({ cls: 1, obj: 1, bbox: 4, kps: 10 })) {
      outputs[`${name}_${stride}`] = {
        data: new Float32Array(count * cells * channels),
        dims: [count, cells, channels],
      }
    }
  }
  return outputs
}

function put(outputs: Record<string, ModelTensor>, stride: number, index: number, cls: number, bbox: number[]) {
  outputs[`cls_${stride}`]!.data[index] = cls
  outputs[`obj_${stride}`]!.data[index] = 1
  outputs[`bbox_${stride}`]!.data.set(bbox, index * 4)
  outputs[`kps_${stride}`]!.data.set([0, 0.5, 1, 0.5, 0.5, 1, 0, 1.5, 1, 1.5], index * 10)
}

describe('pixel conventions', () => {
  const arcface: PixelConvention = { colour: 'RGB', mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 }
  const planes: PixelConvention = { colour: 'BGR', mean: [10, 20, 30], scale: 0.5 }

  test('value = (pixel − mean) × scale, colours and means in the order stated', () => {
    const picture = { width: 2, height: 1, data: Uint8Array.from([0, 255, 51, 102, 127, 128]) }
    const rgb = packer(arcface)([picture], picture).data
    expect([...rgb].map((value) => Number(value.toFixed(4)))).toEqual([-1, 1, -0.6, -0.2, -0.0039, 0.0039])
    expect([...packer(planes)([picture], picture).data]).toEqual([58.5, 59, 15.5, 41, -15, 112.5])
    expect([...packer({ ...planes, mean: [0, 0, 0], scale: 1 })([picture], picture).data]).toEqual([
      127, 128, 51, 102, 0, 255,
    ])
    expect([...packer({ colour: 'RGB', mean: [0, 0, 0], scale: 1 })([picture], picture).data]).toEqual([
      0, 255, 51, 102, 127, 128,
    ])
  })

  test('what is padded is black, in the same convention, whatever was there before', () => {
    const pack = packer(planes)
    const white = { width: 4, height: 2, data: new Uint8Array(24).fill(255) }
    const small = { width: 1, height: 1, data: Uint8Array.from([255, 255, 255]) }
    const padded = { width: 4, height: 2 }
    pack([white, white], padded)
    const { data } = pack([small, small], padded)
    for (const index of [0, 1]) {
      for (const [channel, mean] of planes.mean.entries()) {
        const plane = [...data.subarray((index * 3 + channel) * 8, (index * 3 + channel + 1) * 8)]
        expect(plane).toEqual([(255 - mean) / 2, ...new Array(7).fill(-mean / 2)])
      }
    }
  })
})

describe('YuNet', () => {
  const size = { width: 64, height: 32 }
  const faces = (outputs: Record<string, ModelTensor>, params = {}, index = 0, picture = size) =>
    facesFromResult(yunet.unpack(outputs, index, picture, params))

  test('decodes a cell: centre, size, score, landmarks', () => {
    const outputs = empty(1)
    // Stride 8 has 8 columns; cell 19 is column 3, row 2.
    put(outputs, 8, 19, 0.81, [0.5, 0.25, Math.log(2), Math.log(1.5)])
    const [face] = faces(outputs)
    expect(face!.score).toBeCloseTo(0.9, 6)
    expect(face!.box).toEqual({ x: 20, y: 12, width: 16, height: 12 })
    expect(face!.landmarks[0]).toEqual({ x: 24, y: 20 })
    expect(face!.landmarks[4]).toEqual({ x: 32, y: 28 })
  })

  test('takes the picture of its index only', () => {
    const outputs = empty(2)
    put(outputs, 16, 8 + 1, 1, [0.5, 0.5, 0, 0])
    expect(faces(outputs, {}, 0)).toEqual([])
    expect(faces(outputs, {}, 1)[0]!.box).toEqual({ x: 16, y: 0, width: 16, height: 16 })
  })

  test('keeps the best of overlapping boxes, over all strides, best first', () => {
    const outputs = empty(1)
    put(outputs, 8, 8 + 2, 0.6, [0, 0, Math.log(2), Math.log(2)])
    put(outputs, 16, 1, 0.9, [0.1, 0.5, 0, 0])
    put(outputs, 32, 1, 1, [0.5, 0.5, -1, -1])
    const found = faces(outputs)
    expect(found.map((face) => face.score)).toEqual([1, expect.closeTo(Math.sqrt(0.9), 6)])
    expect(faces(outputs, { nmsThreshold: 1 }).length).toBe(3)
    expect(faces(outputs, { topK: 1 }).length).toBe(1)
    expect(faces(outputs, { scoreThreshold: 0.99 }).length).toBe(1)
  })

  test('clips boxes to the picture but not landmarks, and drops what lies in the padding', () => {
    const outputs = empty(1)
    put(outputs, 32, 0, 1, [0, 0, 0, 0])
    put(outputs, 8, 7, 1, [0.5, 0.5, 0, 0])
    const found = faces(outputs, {}, 0, { width: 50, height: 20 })
    expect(found.length).toBe(1)
    expect(found[0]!.box).toEqual({ x: 0, y: 0, width: 16, height: 16 })
    expect(found[0]!.landmarks[3]).toEqual({ x: 0, y: 48 })
  })

  test('numbers that are none are no faces', () => {
    const outputs = empty(1)
    put(outputs, 8, 3, Number.NaN, [0, 0, 0, 0])
    put(outputs, 8, 5, 1, [Number.NaN, 0, 0, 0])
    expect(faces(outputs)).toEqual([])
  })

  test('batches pictures of one size, and refuses one that is too large', () => {
    expect(yunet.batchKey({ width: 640, height: 360 })).toBe(yunet.batchKey({ width: 640, height: 360 }))
    expect(yunet.batchKey({ width: 640, height: 360 })).not.toBe(yunet.batchKey({ width: 640, height: 384 }))
    const refused = expect.objectContaining({ code: 'ENG_PROTOCOL' })
    expect(() => yunet.batchKey({ width: 5000, height: 10 })).toThrow(refused)
  })

  test('a missing output is an error, not an empty answer', () => {
    const { kps_16, ...rest } = empty(1)
    expect(kps_16).toBeDefined()
    expect(() => faces(rest)).toThrow(/kps_16/)
  })
})

describe('YuNet of a fixed size', () => {
  const fixed = adapterFor(findModel('yunet-2023mar'))
  /** Outputs for 640×640 with one face: its centre at (320, 160), 80 px wide. */
  const outputs: Record<string, ModelTensor> = {}
  for (const stride of [8, 16, 32]) {
    const cells = (640 / stride) ** 2
    for (const [name, channels] of Object.entries({ cls: 1, obj: 1, bbox: 4, kps: 10 })) {
      outputs[`${name}_${stride}`] = { data: new Float32Array(cells * channels), dims: [1, cells, channels] }
    }
  }
  put(outputs, 8, 20 * 80 + 40, 1, [0, 0, Math.log(10), Math.log(10)])

  test('pads a smaller picture to its size, right and below', () => {
    const { data, dims } = fixed.pack([{ width: 640, height: 360, data: new Uint8Array(3 * 640 * 360).fill(9) }])
    expect(dims).toEqual([1, 3, 640, 640])
    expect([data[0], data[640 * 360 - 1], data[640 * 360]]).toEqual([9, 9, 0])
    const [face] = facesFromResult(fixed.unpack(outputs, 0, { width: 640, height: 360 }, {}))
    expect(face!.box).toEqual({ x: 280, y: 120, width: 80, height: expect.closeTo(80, 3) })
  })

  test('makes a larger picture smaller, and answers in px of the picture', () => {
    const { data, dims } = fixed.pack([{ width: 1280, height: 720, data: new Uint8Array(3 * 1280 * 720).fill(9) }])
    expect(dims).toEqual([1, 3, 640, 640])
    expect([data[640 * 360 - 1], data[640 * 360]]).toEqual([9, 0])
    const [face] = facesFromResult(fixed.unpack(outputs, 0, { width: 1280, height: 720 }, {}))
    for (const [key, value] of Object.entries({ x: 560, y: 240, width: 160, height: 160 })) {
      expect(face!.box[key as 'x']).toBeCloseTo(value, 3)
    }
    expect(face!.landmarks[0]).toEqual({ x: 640, y: 328 })
  })
})

describe('embedder', () => {
  test('normalises its own row', () => {
    const outputs = { embedding: { data: Float32Array.from([9, 9, 3, 4]), dims: [2, 2] } }
    const result = embedder.unpack(outputs, 1, { width: 128, height: 128 }, {})
    expect(result).toEqual({ rows: 1, columns: 2, data: Float32Array.from([0.6, 0.8]) })
  })

  test.for([
    [0, 0],
    [Number.NaN, 1],
  ])('refuses %j, which has no direction', (row) => {
    // biome-ignore format: one line
    const outputs = { embedding: { data: Float32Array.from(row), dims: [1, 2] } }
    expect(() => embedder.unpack(outputs, 0, { width: 128, height: 128 }, {})).toThrow(/length/)
  })

  test('takes its own crop size only', () => {
    expect(() => embedder.batchKey({ width: 128, height: 127 })).toThrow(
      expect.objectContaining({ code: 'ENG_PROTOCOL' }),
    )
  })
})
