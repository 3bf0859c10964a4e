/**
 * All measures of a candidate picture (core/measures). Pure but for its memory, which it keeps from picture to picture; session
 * host only. Detail, blur and noise come from the full-resolution luma, which is sampled; the rest from the analysis picture.
 */
import type { LumaView, YuvView } from '../../../core/frame.ts'
import type { Size } from '../../../core/geometry.ts'
import type { FrameMeasures } from '../../../core/measures.ts'
import { lbpEntropy } from './binary-patterns.ts'
import { GLCM_CELLS, measureCoOccurrence } from './co-occurrence.ts'
import { colourfulness } from './colourfulness.ts'
import { CornerMeter } from './corners.ts'
import { measureDetail, TileTensors } from './detail.ts'
import { directionalBlur } from './directional-blur.ts'
import { edgeMemory, measureEdges } from './edges.ts'
import { measureExposure } from './exposure.ts'
import { halve } from './halve.ts'
import { NOISE_BINS, noiseSigma } from './noise.ts'
import { highFrequencyShare } from './spectrum.ts'
import { gradientP95, STEEPNESS_BINS } from './steepness.ts'

/** What is measured of. */
export interface MeasuredPicture {
  /** The analysis picture, of the size that the meter was made for. */
  small: YuvView
  /** 8-bit luma at full resolution; `null` measures detail in the analysis picture, which gives other numbers. */
  full: LumaView | null
}

/** Pixels of the full plane that are looked at for detail: every third row of 1080p. */
const DETAIL_PX = 700_000
/** Of those rows, one in so many is looked at for percentiles. */
export const PERCENTILE_STEP = 7
/** Of the analysis picture, which scaling has made free of a codec's seams. */
export const TEXTURE_STEP = 3
/** Mean squared Sobel gradient below which a tile shows noise and coding rather than the scene: σ = 2. */
const TENSOR_FLOOR = 100

export class FrameMeter {
  readonly #size: Size
  readonly #fine = new TileTensors()
  readonly #coarse = new TileTensors()
  readonly #levels = new Uint32Array(256)
  readonly #steepness = new Uint32Array(STEEPNESS_BINS)
  readonly #noise = new Uint32Array(NOISE_BINS)
  readonly #pairs = new Uint32Array(GLCM_CELLS)
  readonly #coefficients = new Float64Array(64)
  readonly #half: LumaView
  readonly #corners: CornerMeter
  readonly #edges: Float32Array

  constructor(small: Size) {
    this.#size = { width: small.width, height: small.height }
    const [width, height] = [small.width >> 1, small.height >> 1]
    this.#half = { width, height, stride: width, data: new Uint8Array(width * height) }
    this.#corners = new CornerMeter(small)
    this.#edges = edgeMemory(small)
  }

  /** The views are not kept. */
  measure({ small, full }: MeasuredPicture): FrameMeasures {
    const { luma, chroma } = small
    if (luma.width !== this.#size.width || luma.height !== this.#size.height) {
      throw new Error(
        `the meter is for ${this.#size.width}×${this.#size.height}, the picture is ${luma.width}×${luma.height}`,
      )
    }
    const large = full ?? luma
    const step = detailStep(large)
    const detail = measureDetail(large, step, this.#fine)
    halve(luma, this.#half)
    measureDetail(this.#half, 1, this.#coarse)
    const { gradient } = this.#corners
    gradient.take(luma)
    return {
      ...detail,
      gradientP95: gradientP95(large, step * PERCENTILE_STEP, this.#steepness),
      ...directionalBlur(this.#fine.normalised(TENSOR_FLOOR), this.#coarse.normalised(TENSOR_FLOOR)),
      highFrequencyShare: highFrequencyShare(large, this.#coefficients),
      noiseSigma: noiseSigma(large, step * PERCENTILE_STEP, this.#noise),
      ...measureExposure(luma, 1, this.#levels),
      colourfulness: colourfulness(chroma, luma),
      ...this.#corners.measure(),
      ...measureEdges(gradient, this.#edges),
      lbpEntropy: lbpEntropy(luma, TEXTURE_STEP, this.#levels),
      ...measureCoOccurrence(luma, TEXTURE_STEP, this.#pairs),
    }
  }
}

/**
 * Rows from one that is looked at to the next. Odd, because the codec's blocks are 4, 8 and 16 rows high and an even step would
 * fall on the same lines of each; at step 3 the Laplacian's variance differs from that of all rows by 2 % in the median and 9 %
 * at most (docs/decisions.md).
 */
export function detailStep({ width, height }: Size): number {
  const step = Math.max(1, Math.ceil((width * height) / DETAIL_PX))
  return step % 2 === 1 ? step : step + 1
}
