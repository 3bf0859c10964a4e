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
    meaning: 'Motion magnitude: mean speed of the camera’s motion over the picture',
    unit: 'picture diagonals per second',
    range: [0, UNBOUNDED],
    source:
      'Sun, Divakaran, Manjunath, A motion activity descriptor and its extraction in compressed domain, PCM 2001 (magnitudes of motion vectors); here of the global motion',
  },
  motionVariety: {
    meaning:
      'Motion variety: entropy of the directions of the points’ motion, weighted with its length, over that of eight even ones',
    unit: '',
    range: [0, 1],
    source:
      'Jeannin and Divakaran, MPEG-7 visual motion descriptors, IEEE Trans. CSVT 11(6), 2001 (direction of motion activity)',
  },
  shake: {
    meaning:
      'Camera shake: what a path of constant acceleration does not explain of the camera’s motion, root mean square',
    unit: 'picture diagonals per second',
    range: [0, UNBOUNDED],
    source:
      'Grundmann, Kwatra, Essa, Auto-directed video stabilization with robust L1 optimal camera paths, CVPR 2011 (a steady path has piecewise no third derivative)',
  },
  blur: {
    meaning: 'Blur: 1 − the sharpness part of the pictures’ scores, mean',
    unit: '',
    range: [0, 1],
    source: 'as highFrequencyShare and gradientP95 (core/measures)',
  },
  texture: {
    meaning: 'Texture: entropy of the local binary patterns over its highest value, mean',
    unit: '',
    range: [0, 1],
    source:
      'Ojala, Pietikäinen, Mäenpää, Multiresolution gray-scale and rotation invariant texture classification, IEEE Trans. PAMI 24(7), 2002',
  },
  edges: {
    meaning: 'Edges: share of pixels on a thinned edge, mean',
    unit: '',
    range: [0, 1],
    source: 'as edgeDensity (core/measures)',
  },
  colourVariety: {
    meaning: 'Colour variety: colourfulness, mean',
    unit: '',
    range: [0, UNBOUNDED],
    source: 'Hasler and Süsstrunk, Measuring colourfulness in natural images, SPIE 5007, 2003',
  },
  brightnessChange: {
    meaning: 'Brightness change: root mean square of the change of the mean luma',
    unit: 'grey levels per second',
    range: [0, UNBOUNDED],
    source: 'ITU-T P.910 (temporal information), of the mean alone, which motion hardly moves',
  },
  crowding: {
    meaning:
      'Occlusion and crowding: share of the followed points that the camera’s motion does not explain or that are lost within the picture, mean; parallax of a near scene counts too',
    unit: '',
    range: [0, 1],
    source:
      'Odobez and Bouthemy, Robust multiresolution estimation of parametric motion models, JVCIR 6(4), 1995: the outliers',
  },
} as const satisfies Record<string, ComplexityRow>

export type ComplexityMetric = keyof typeof complexityTable
export const complexityMetrics = Object.keys(complexityTable) as ComplexityMetric[]
export type ShotComplexity = Readonly<Record<ComplexityMetric, number>>

/** How the points of a picture have moved since the candidate before. Lengths are shares of the picture's diagonal. */
export interface StepMotion {
  /** Of the camera's motion at the centre of the picture; x to the right, y down. */
  dx: number
  dy: number
  /** Median displacement over the picture by the camera's motion. */
  flow: number
  /** Lengths of the points' motion by direction, summed over the points and divided by their number; eight octants from +x towards +y. */
  directions: readonly number[]
  /** Share of the points that the camera's motion does not explain, or that are lost within the picture, 0–1. */
  unexplained: number
}

/** What a candidate frame adds to its shot. */
export interface FrameLook extends StepMotion {
  /** Number of the shot: each has its own, though not every number has a shot. */
  shot: number
  /** A shot begins with this frame; `null`: it goes on. */
  begins: ShotBegin | null
  /** That the motion is of, ms; 0 where none is known (the first frame of a shot, a loss), and the rest of it is 0 then. */
  stepMs: number
  /** What a path of constant acceleration does not explain of the step, diagonals per second; 0 for the first steps of a shot. */
  shake: number
  /** Change of the mean luma since the candidate before of the same shot, grey levels a second; 0 for its first. */
  brightness: number
}

/**
 * A forecast of the work that `high_quality` with its second pass takes on a second of the shot, relative: 1 is the median of the shots
 * that the model was trained on. It is trained on synthetic shots (streams/analysis/shots/complexity-model.json says how many, and
 * how well it does on those it has not seen).
 */
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
