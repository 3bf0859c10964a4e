/**
 * ORB features (Rublee et al., ICCV 2011) by OpenCV in WebAssembly. Session host only. The one importer of
 * @techstark/opencv-js: its module is a thenable that resolves to itself, so it is never awaited or returned; loaded at the first
 * use (0.4 s, 70 MB), since only a second pass needs it.
 */
import { createRequire } from 'node:module'
import type { LumaView } from '../../core/frame.ts'
import { type BinaryFeatures, WORDS } from '../analysis/second-pass/binary-features.ts'

type OpenCv = typeof import('@techstark/opencv-js')

let loaded: { readonly cv: OpenCv } | undefined

/** In a wrapper: an async function must not resolve with the module itself. */
async function load(): Promise<{ readonly cv: OpenCv }> {
  if (loaded) return loaded
  const cv = createRequire(import.meta.url)('@techstark/opencv-js') as OpenCv & { onRuntimeInitialized?: () => void }
  if (!cv.Mat) {
    await new Promise<void>((resolve) => {
      cv.onRuntimeInitialized = resolve
    })
  }
  loaded = { cv }
  return loaded
}

/** More than are kept are found, so that each part of the picture has some. */
const SURPLUS = 3
/** Cells in a row and in a column among which points are shared out. */
const CELLS = 12

export class OrbDetector implements Disposable {
  readonly #cv: { readonly cv: OpenCv }
  readonly #orb: InstanceType<OpenCv['ORB']>
  readonly #max: number

  private constructor(cv: { readonly cv: OpenCv }, max: number) {
    this.#cv = cv
    this.#orb = new cv.cv.ORB(max * SURPLUS)
    this.#max = max
  }

  /** At most `max` points a picture. */
  static async open(max: number): Promise<OrbDetector> {
    return new OrbDetector(await load(), max)
  }

  /** Measured: 50 ms a picture of 960×540. */
  detect({ data, width, height, stride }: LumaView): BinaryFeatures {
    const { cv } = this.#cv
    const picture = new cv.Mat(height, width, cv.CV_8UC1)
    const everywhere = new cv.Mat()
    const keypoints = new cv.KeyPointVector()
    const descriptors = new cv.Mat()
    try {
      for (let y = 0; y < height; y++) picture.data.set(data.subarray(y * stride, y * stride + width), y * width)
      this.#orb.detectAndCompute(picture, everywhere, keypoints, descriptors)
      const found = Array.from({ length: keypoints.size() }, (_, index) => {
        const { pt, response } = keypoints.get(index)
        return { x: pt.x, y: pt.y, response, index }
      })
      const kept = sharedOut(found, { width, height }, this.#max)
      const words = new Int32Array(new Uint8Array(descriptors.data).buffer)
      const features = { points: new Float32Array(2 * kept.length), descriptors: new Int32Array(WORDS * kept.length) }
      for (const [n, { x, y, index }] of kept.entries()) {
        features.points.set([x, y], 2 * n)
        features.descriptors.set(words.subarray(index * WORDS, (index + 1) * WORDS), n * WORDS)
      }
      return features
    } finally {
      for (const memory of [picture, everywhere, keypoints, descriptors]) memory.delete()
    }
  }

  [Symbol.dispose](): void {
    this.#orb.delete()
  }
}

interface Found {
  x: number
  y: number
  response: number
  index: number
}

/** The strongest of each cell in turn, strongest first within a turn. */
function sharedOut(found: Found[], { width, height }: { width: number; height: number }, max: number): Found[] {
  found.sort((one, other) => other.response - one.response || one.index - other.index)
  const taken = new Int32Array(CELLS * CELLS)
  const turns = found.map((point) => {
    const cell = Math.floor((point.y * CELLS) / height) * CELLS + Math.floor((point.x * CELLS) / width)
    return { point, turn: taken[cell]!++ }
  })
  // Stable: within a turn the strongest stay first.
  return turns
    .sort((one, other) => one.turn - other.turn)
    .slice(0, max)
    .map(({ point }) => point)
}
