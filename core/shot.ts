/**
 * The words of shots: what a recording is cut into, what each is like, and what working on it is forecast to cost. Plain data.
 */

/** How a shot began. `fade`: through pictures without structure, such as black. */
export type ShotBegin = 'start' | 'cut' | 'dissolve' | 'fade'

export interface ComplexityRow {
  meaning: string
  unit: string
  range: readonly [number, number]
  /** Paper, standard or measurement. */
  source: string
}

const UNBOUNDED = Number.POSITIVE_INFINITY

/** The nine, each of a whole shot; streams/analysis/shots accumulates them. */
export const complexityTable = {
  motion: {
    meaning: 'Motion magnitude: median speed of the camera’s motion over the picture',
    unit: 'picture diagonals per second',
    range: [0, UNBOUNDED],
    source: 'MPEG-7 motion activity (ISO/IEC 15938-3, 8.5), of the global motion model',
  },
  motionVariety: {
    meaning:
      'Motion variety: entropy of the directions of motion, weighted with their lengths, as a share of the highest',
    unit: '',
    range: [0, 1],
    source: 'Jeannin and Divakaran, MPEG-7 visual motion descriptors, IEEE Trans. CSVT 11(6), 2001',
  },
  shake: {
    meaning: 'Camera shake: what of the camera’s path a smooth one does not explain, root mean square',
    unit: 'picture diagonals per second',
    range: [0, UNBOUNDED],
    source: 'Matsushita et al., Full-frame video stabilization with motion inpainting, IEEE Trans. PAMI 28(7), 2006',
  },
  blur: {
    meaning: 'Blur: share of the gradients that a second blur does not take away, median over the pictures',
    unit: '',
    range: [0, 1],
    source: 'Crete et al., The blur effect: perception and estimation with a new no-reference metric, SPIE 6492, 2007',
  },
  texture: {
    meaning: 'Texture: spatial information, median over the pictures',
    unit: 'grey levels',
    range: [0, UNBOUNDED],
    source: 'ITU-T P.910 (SI: standard deviation of the Sobel magnitude), of the analysis picture',
  },
  edges: {
    meaning: 'Edges: share of pixels whose gradient stands out, mean over the pictures',
    unit: '',
    range: [0, 1],
    source: 'Zabih, Miller and Mai, A feature-based algorithm for detecting scene breaks, ACM Multimedia 1995',
  },
  colourVariety: {
    meaning: 'Colour variety: colourfulness, mean over the pictures',
    unit: 'grey levels',
    range: [0, UNBOUNDED],
    source: 'Hasler and Süsstrunk, Measuring colourfulness in natural images, SPIE 5007, 2003',
  },
  brightnessChange: {
    meaning: 'Brightness change: root mean square of the change of mean luma',
    unit: 'grey levels per second',
    range: [0, UNBOUNDED],
    source: 'Mean luma of ITU-R BT.709 over time; flicker of ITU-T P.910’s TI without its motion',
  },
  crowding: {
    meaning:
      'Occlusion and crowding: share of the picture that the camera’s motion does not explain, mean over the pictures',
    unit: '',
    range: [0, 1],
    source:
      'Odobez and Bouthemy, Robust multiresolution estimation of parametric motion models, JVCIR 6(4), 1995: the outliers',
  },
} as const satisfies Record<string, ComplexityRow>

export type ComplexityMetric = keyof typeof complexityTable
export const complexityMetrics = Object.keys(complexityTable) as ComplexityMetric[]
export type ShotComplexity = Readonly<Record<ComplexityMetric, number>>

/** What a candidate frame adds to its shot; measured on the analysis picture with the frame before it. */
export interface FrameLook {
  /** A shot begins with this frame; `null`: it goes on. */
  begins: ShotBegin | null
  /** Since the candidate before of the same shot, ms; 0 for its first, whose motion is 0 and counts for nothing. */
  stepMs: number
  /** The camera's motion since then at the centre, shares of the picture's diagonal; x to the right, y down. */
  dx: number
  dy: number
  /** Median displacement over the picture by the camera's motion, share of the diagonal. */
  flow: number
  /** Lengths of the blocks' motion by direction, shares of the diagonal summed over the blocks; eight octants from +x clockwise. */
  directions: readonly number[]
  /** Share of the structured blocks that the camera's motion does not explain, 0–1. */
  unexplained: number
  blur: number
  texture: number
  edges: number
  colour: number
  meanLuma: number
}

/** A forecast of the work that a shot takes, relative: 1 is the median of the shots that the model was trained on. */
export interface ComplexityForecast {
  complexity: number
  /** Interval that holds the truth for 80 % of shots like those of the training. */
  low: number
  high: number
  /** 0–1: how far the interval is to be trusted; falls outside of what was trained on, and with shots of few frames. */
  confidence: number
}

export interface ShotReport {
  /** From 0. */
  index: number
  begins: ShotBegin
  /** Media time of its first and last candidate. */
  fromMs: number
  toMs: number
  fromSeq: number
  toSeq: number
  /** Candidates, and keyframes among them. */
  candidates: number
  keyframes: number
  metrics: ShotComplexity
  /** `null` for a shot of too few candidates to say anything. */
  forecast: ComplexityForecast | null
}
