/**
 * The measures of a picture by name: what each is, its unit and range, which way is better, where it comes from. One table;
 * docs/measures.md is generated from it, and metadata.json, the report and the configuration's weights use its names.
 * Computed in streams/analysis/measures, each once per frame.
 */

export interface MeasureRow {
  /** What it is, for a person. */
  meaning: string
  /** As printed; empty for a plain number. */
  unit: string
  range: readonly [number, number]
  /** Which way a picture is better for reconstruction; `neutral`: neither. */
  better: 'higher' | 'lower' | 'neutral'
  /** Paper, standard or measurement. */
  source: string
}

const UNBOUNDED = Number.POSITIVE_INFINITY

export const measureTable = {
  laplacianVariance: {
    meaning: 'Sharpness: variance of the 4-neighbour Laplacian',
    unit: 'grey levels²',
    range: [0, UNBOUNDED],
    better: 'higher',
    source: 'Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000',
  },
  tenengrad: {
    meaning: 'Sharpness: mean squared Sobel gradient',
    unit: 'grey levels²',
    range: [0, UNBOUNDED],
    better: 'higher',
    source: 'Krotkov, Focusing, IJCV 1988',
  },
  gradientP95: {
    meaning: 'Sharpness: 95th percentile of the gradient magnitude',
    unit: 'grey levels',
    range: [0, UNBOUNDED],
    better: 'higher',
    source: 'Crete et al., The blur effect, SPIE 2007, in spirit; percentile of Sobel magnitudes',
  },
  meanLuma: {
    meaning: 'Exposure: mean luma',
    unit: 'grey levels',
    range: [0, 255],
    better: 'neutral',
    source: 'ITU-R BT.709 luma',
  },
} as const satisfies Record<string, MeasureRow>

export type MeasureName = keyof typeof measureTable
export const measureNames = Object.keys(measureTable) as MeasureName[]
/** Of one picture. A measure that cannot be taken of it (a plane too small) is 0. */
export type FrameMeasures = Readonly<Record<MeasureName, number>>
