/** Procedural pictures, the same to the bit as those of test/fixtures/measures/make_fixtures.py. */
import type { ChromaView, LumaView } from '../../../../../core/frame.ts'

type Offsets = readonly (readonly [dx: number, dy: number])[]
export interface Plane {
  width: number
  height: number
  values: Float64Array
}

export function randomBytes(count: number, seed: number): Uint8Array {
  const out = new Uint8Array(count)
  let state = seed >>> 0
  for (let i = 0; i < count; i++) {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0
    out[i] = state >>> 24
  }
  return out
}

export const plane = (width: number, height: number, value: (x: number, y: number) => number): Plane => ({
  width,
  height,
  values: Float64Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width))),
})

/** Mean over the picture moved by each offset, on a torus, rounded half up. */
export function shiftedMean({ width, height, values }: Plane, offsets: Offsets): Plane {
  const sums = new Float64Array(values.length)
  for (const [dx, dy] of offsets) {
    for (let y = 0; y < height; y++) {
      const from = ((y - dy + 10 * height) % height) * width
      for (let x = 0; x < width; x++) sums[y * width + x]! += values[from + ((x - dx + 10 * width) % width)]!
    }
  }
  const n = offsets.length
  return { width, height, values: sums.map((sum) => Math.floor((2 * sum + n) / (2 * n))) }
}

export function box(radius: number): Offsets {
  const side = Array.from({ length: 2 * radius + 1 }, (_, i) => i - radius)
  return side.flatMap((dy) => side.map((dx) => [dx, dy] as const))
}

const randomPlane = (width: number, height: number, seed: number): Plane => ({
  width,
  height,
  values: Float64Array.from(randomBytes(width * height, seed)),
})

/** Gaussian within 1 %: twelve bytes a pixel. */
export function noise(width: number, height: number, seed: number, sigma: number): Plane {
  const bytes = randomBytes(12 * width * height, seed)
  return plane(width, height, (x, y) => {
    const at = 12 * (y * width + x)
    const sum = bytes.subarray(at, at + 12).reduce((total, byte) => total + byte, 0)
    return Math.floor(128 + ((sum - 1530) * sigma) / 256 + 0.5)
  })
}

/** Random detail at four scales. */
export function texture(width: number, height: number): Plane {
  const total = new Float64Array(width * height)
  for (const [index, radius] of [0, 1, 3, 7].entries()) {
    const layer = randomPlane(width, height, 100 + index)
    const { values } = radius === 0 ? layer : shiftedMean(layer, box(radius))
    for (const [i, value] of values.entries()) total[i]! += (value - 128) * (2 * radius + 1)
  }
  return { width, height, values: total.map((sum) => Math.min(255, Math.max(0, 128 + Math.floor(sum / 4)))) }
}

const positive = (value: number, by: number) => ((value % by) + by) % by

/** Bars in three directions over a grey ground. */
const lines = (width: number, height: number) =>
  plane(width, height, (x, y) => {
    if (positive(3 * x - 5 * y, 211) < 12) return 180
    if ((x + y) % 37 < 4) return 30
    return x % 44 < 3 && y < 60 ? 220 : 90
  })

const motions: Record<string, Offsets> = {
  horizontal: Array.from({ length: 9 }, (_, k) => [k, 0] as const),
  diagonal: Array.from({ length: 7 }, (_, k) => [k, k] as const),
  shallow: [[0, 0], [1, 0], [2, 1], [3, 1], [4, 2], [5, 2], [6, 3], [7, 3], [8, 4]], // biome-ignore format: a path
  steep: [[0, 0], [0, 1], [-1, 2], [-1, 3], [-2, 4], [-2, 5], [-3, 6], [-3, 7], [-4, 8]], // biome-ignore format: a path
}

/** Every picture of the fixtures by its name. */
export function fixturePictures(width: number, height: number): Map<string, Plane> {
  const detail = texture(width, height)
  const mapped = (change: (value: number) => number): Plane => ({ ...detail, values: detail.values.map(change) })
  const twice = (radius: number) => shiftedMean(shiftedMean(detail, box(radius)), box(radius))
  return new Map<string, Plane>([
    ['ramp', plane(width, height, (x, y) => Math.floor((x + 2 * y) / 2) % 256)],
    ['checkerboard', plane(width, height, (x, y) => ((Math.floor(x / 8) + Math.floor(y / 8)) % 2 === 0 ? 40 : 210))],
    ['lines', lines(width, height)],
    ['texture', detail],
    ['dark', mapped((value) => Math.floor(value / 12))],
    ['bright', mapped((value) => Math.min(255, 190 + Math.floor(value / 2)))],
    ['blurred', twice(1)],
    ['very blurred', twice(3)],
    ...[1, 2, 4, 8].map((sigma) => [`noise ${sigma}`, noise(width, height, 7 + sigma, sigma)] as const),
    ...Object.entries(motions).map(([name, offsets]) => [`motion ${name}`, shiftedMean(detail, offsets)] as const),
  ])
}

/** With bytes of another value between the rows. */
export function luma({ width, height, values }: Plane, padding = 0): LumaView {
  const stride = width + padding
  const data = new Uint8Array(stride * height).fill(77)
  for (let y = 0; y < height; y++) data.set(values.subarray(y * width, (y + 1) * width), y * stride)
  return { width, height, stride, data }
}

export function fixtureChroma(width: number, height: number): ChromaView {
  const [columns, rows] = [width >> 1, height >> 1]
  const [cb, cr] = [201, 202].map((seed) => {
    const { values } = shiftedMean(randomPlane(width, height, seed), box(2))
    return Uint8Array.from(
      { length: columns * rows },
      (_, i) => values[Math.floor(i / columns) * width + (i % columns)]!,
    )
  })
  return { cb: cb!, cr: cr!, stride: columns }
}

export const greyChroma = ({ width, height }: { width: number; height: number }): ChromaView => {
  const planeOf = () => new Uint8Array((width >> 1) * (height >> 1)).fill(128)
  return { cb: planeOf(), cr: planeOf(), stride: width >> 1 }
}
