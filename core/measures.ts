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
  /** The picture that it is taken of: full resolution, where there is one, or the analysis picture. */
  from: 'full' | 'small'
  /** Paper, standard or measurement. */
  source: string
}

const UNBOUNDED = Number.POSITIVE_INFINITY
/** Of one Sobel derivative of an 8-bit picture. */
const SOBEL_MAX = 4 * 255
/** Of Immerkær's mask. */
const MASK_MAX = 8 * 255

export const measureTable = {
  laplacianVariance: {
    meaning: 'Sharpness: variance of the 4-neighbour Laplacian',
    unit: 'grey levels²',
    range: [0, UNBOUNDED],
    better: 'higher',
    from: 'full',
    source: 'Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000',
  },
  tenengrad: {
    meaning: 'Sharpness: mean squared Sobel gradient',
    unit: 'grey levels²',
    range: [0, UNBOUNDED],
    better: 'higher',
    from: 'full',
    source: 'Krotkov, Focusing, IJCV 1988',
  },
  gradientP95: {
    meaning:
      'Sharpness: 95th percentile of the Sobel gradient’s magnitude: how steep the steepest edges are, however few',
    unit: 'grey levels',
    range: [0, Math.hypot(SOBEL_MAX, SOBEL_MAX)],
    better: 'higher',
    from: 'full',
    source: 'Pertuz, Puig, Garcia, Analysis of focus measure operators, Pattern Recognition 2013 (gradient family)',
  },
  directionalBlur: {
    meaning:
      'Motion blur: how much less fine detail there is along one direction than across it, against coarse detail: 1 − the smaller over the larger generalised eigenvalue of the fine structure tensor over the coarse one',
    unit: '',
    range: [0, 1],
    better: 'lower',
    from: 'full',
    source:
      'Chen, Yang, Wu, Zhao, Motion blur detection based on lowest directional high-frequency energy, ICIP 2010; normalised by the scene’s own directions',
  },
  blurAngle: {
    meaning: 'Direction of that motion, from the x axis towards y (down); means nothing while directionalBlur is low',
    unit: '°',
    range: [0, 180],
    better: 'neutral',
    from: 'full',
    source: 'as directionalBlur',
  },
  highFrequencyShare: {
    meaning:
      'Blur in the frequency domain: share of the energy of 8×8 DCT tiles, without the mean, in their upper frequencies (u + v ≥ 6), less that of rounding',
    unit: '',
    range: [0, 1],
    better: 'higher',
    from: 'full',
    source: 'Marichal, Ma, Zhang, Blur determination in the compressed domain using DCT information, ICIP 1999',
  },
  noiseSigma: {
    meaning:
      'Noise: standard deviation by the median absolute response of a mask that edges and slopes hardly reach, over 6 × 0.6745',
    unit: 'grey levels',
    range: [0, MASK_MAX / 6 / 0.6745],
    better: 'lower',
    from: 'full',
    source:
      'Immerkær, Fast noise variance estimation, CVIU 1996 (mask); Donoho, Johnstone, Biometrika 1994 (median absolute deviation)',
  },
  meanLuma: {
    meaning: 'Exposure: mean luma',
    unit: 'grey levels',
    range: [0, 255],
    better: 'neutral',
    from: 'small',
    source: 'ITU-R BT.709 luma',
  },
  darkRatio: {
    meaning: 'Exposure: share of pixels at or below 16, black in video range',
    unit: '',
    range: [0, 1],
    better: 'lower',
    from: 'small',
    source: 'ITU-R BT.709, 8-bit code values',
  },
  brightRatio: {
    meaning: 'Exposure: share of pixels at or above 235, white in video range',
    unit: '',
    range: [0, 1],
    better: 'lower',
    from: 'small',
    source: 'ITU-R BT.709, 8-bit code values',
  },
  dynamicRange: {
    meaning: 'Dynamic range: from the 1st to the 99th percentile of luma',
    unit: 'grey levels',
    range: [0, 255],
    better: 'higher',
    from: 'small',
    source: 'percentile contrast; Peli, Contrast in complex images, JOSA A 1990, on why extremes alone do not do',
  },
  lumaEntropy: {
    meaning: 'Variety of grey: Shannon entropy of the histogram of luma',
    unit: 'bit',
    range: [0, 8],
    better: 'higher',
    from: 'small',
    source: 'Shannon 1948',
  },
  colourfulness: {
    meaning: 'Variety of colour: spread and mean of the opponents red–green and yellow–blue',
    unit: '',
    range: [0, UNBOUNDED],
    better: 'neutral',
    from: 'small',
    source: 'Hasler, Süsstrunk, Measuring colourfulness in natural images, SPIE 2003',
  },
  cornerDensity: {
    meaning:
      'Features: corners in 1000 pixels: local maxima of the smaller eigenvalue of the gradient’s 3×3 structure tensor, on every second pixel',
    unit: '1/kilopixel',
    range: [0, 125],
    better: 'higher',
    from: 'small',
    source: 'Shi, Tomasi, Good features to track, CVPR 1994',
  },
  cornerSpread: {
    meaning: 'Features: share of the picture’s 40 px cells that hold a corner',
    unit: '',
    range: [0, 1],
    better: 'higher',
    from: 'small',
    source: 'grid occupancy; Schönberger, Frahm, Structure-from-Motion revisited, CVPR 2016, on why spread matters',
  },
  edgeDensity: {
    meaning: 'Edges: share of pixels on a thinned edge (gradient above the threshold and greatest across it)',
    unit: '',
    range: [0, 1],
    better: 'higher',
    from: 'small',
    source: 'Canny, A computational approach to edge detection, PAMI 1986 (without hysteresis)',
  },
  lineDensity: {
    meaning: 'Lines: share of 16 px tiles whose edge pixels all run one way',
    unit: '',
    range: [0, 1],
    better: 'higher',
    from: 'small',
    source: 'Bigün, Granlund, Optimal orientation detection of linear symmetry, ICCV 1987',
  },
  lineDiversity: {
    meaning: 'Lines: entropy of their directions in eight bins, over that of an even spread',
    unit: '',
    range: [0, 1],
    better: 'higher',
    from: 'small',
    source: 'Shannon 1948, on the directions of lineDensity',
  },
  lbpEntropy: {
    meaning: 'Texture: entropy of the 256 local binary patterns of 8 neighbours',
    unit: 'bit',
    range: [0, 8],
    better: 'neutral',
    from: 'small',
    source: 'Ojala, Pietikäinen, Mäenpää, Multiresolution gray-scale and rotation invariant texture…, PAMI 2002',
  },
  glcmContrast: {
    meaning:
      'Texture: contrast of the grey-level co-occurrence matrix (32 levels, distance 1, four directions, symmetric)',
    unit: 'levels²',
    range: [0, 961],
    better: 'neutral',
    from: 'small',
    source: 'Haralick, Shanmugam, Dinstein, Textural features for image classification, SMC 1973',
  },
  glcmHomogeneity: {
    meaning: 'Texture: inverse difference moment of the same matrix',
    unit: '',
    range: [0, 1],
    better: 'neutral',
    from: 'small',
    source: 'Haralick et al. 1973',
  },
  glcmEnergy: {
    meaning: 'Texture: root of the angular second moment of the same matrix',
    unit: '',
    range: [0, 1],
    better: 'neutral',
    from: 'small',
    source: 'Haralick et al. 1973',
  },
  glcmCorrelation: {
    meaning: 'Texture: correlation of neighbours in the same matrix; 1 where nothing varies',
    unit: '',
    range: [-1, 1],
    better: 'neutral',
    from: 'small',
    source: 'Haralick et al. 1973',
  },
} as const satisfies Record<string, MeasureRow>

export type MeasureName = keyof typeof measureTable
export const measureNames = Object.keys(measureTable) as MeasureName[]
/** Of one picture. A measure that cannot be taken of it (a plane too small) is 0. */
export type FrameMeasures = Readonly<Record<MeasureName, number>>
