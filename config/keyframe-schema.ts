/**
 * The part of the configuration that speaks of keyframes: a section that cameras inherit and recordings have. Pure schema;
 * docs/configuration.md is generated from it. The figures of the modes are in keyframe-modes.
 */
import { z } from 'zod'
import { defaultQualityWeights, defaultSaliencyWeights, keyframeModes } from '../core/keyframe.ts'
import { type KeyframeFigures, modeFigures } from './keyframe-modes.ts'
import { section } from './section.ts'

const ratio = z.number().min(0).max(1)

/** Two weights of one third each, written with four digits, are meant to be what they are. */
const SUM_TOLERANCE = 1e-3

/** Weights by name that sum to 1; one that is not written has its default, so that changing one alone is refused. */
function weights<N extends string>(
  description: string,
  defaults: Readonly<Record<N, number>>,
  meanings: Readonly<Record<N, string>>,
) {
  const names = Object.keys(defaults) as N[]
  const fields = names.map((name) => [name, ratio.default(defaults[name]).describe(meanings[name])])
  return z
    .strictObject(Object.fromEntries(fields) as Record<N, z.ZodDefault<z.ZodNumber>>)
    .superRefine((given, context) => {
      const sum = Object.values<number>(given as Record<string, number>).reduce((total, weight) => total + weight, 0)
      if (Math.abs(sum - 1) <= SUM_TOLERANCE) return
      context.addIssue({ code: 'custom', message: `the weights must sum to 1, and sum to ${Number(sum.toFixed(4))}` })
    })
    .describe(`${description} They must sum to 1.`)
}

const saliencyWeights = weights(
  'How telling a picture is, by its parts; it is written down, and `clip --scores` goes by it. Selection goes by quality.',
  defaultSaliencyWeights,
  {
    spatial: 'Spatial complexity: edges, and how they are spread.',
    semantic: 'Semantic richness, by dense features; left out without a model.',
    geometric: 'Geometric information: corners and lines.',
    texture: 'Texture, by local binary patterns and grey-level co-occurrence.',
  },
)

const qualityWeights = weights('How good a picture is, by its parts.', defaultQualityWeights, {
  sharpness: 'Sharpness.',
  motionBlur: 'Freedom from motion blur.',
  exposure: 'Neither too dark nor too bright.',
  dynamicRange: 'Dynamic range.',
  noise: 'Freedom from noise.',
  features: 'Points that can be followed.',
  geometry: 'Edges and lines.',
})

/** A figure that the mode gives unless it is `custom`. */
function figure<T extends z.ZodType>(number: T, expected: string, description: string) {
  return z
    .union([z.literal('auto'), number], { error: `expected ${expected}, or auto` })
    .describe(`${description} \`auto\` is what the mode says; another value needs \`mode: custom\`.`)
}

const figures = {
  candidateFps: figure(
    z.number().positive().max(240),
    'a number of frames up to 240',
    'Frames of a recording considered a second of media time; of a camera it is `analysis.fps`.',
  ),
  width: figure(
    z.int().min(64).max(4096),
    'a whole number of px from 64 to 4096',
    'Width of the picture that points are followed on, px; of a camera it is `analysis.width`.',
  ),
  targetFlowRatio: figure(
    z.number().min(0.005).max(0.5),
    'a ratio from 0.005 to 0.5',
    'How far points move from keyframe to keyframe, as a share of the diagonal.',
  ),
  minOverlapRatio: figure(
    z.number().min(0.05).max(0.95),
    'a ratio from 0.05 to 0.95',
    'With less of the last keyframe in sight a new one is due, whatever the parallax.',
  ),
  windowMs: figure(
    z.int().min(0).max(10_000),
    'a time up to 10000 ms',
    'The best picture of so much time around the wanted moment is taken, ms.',
  ),
  tracks: figure(z.int().min(32).max(2000), 'a whole number from 32 to 2000', 'Points followed at a time.'),
  featuresEvery: figure(
    z.int().min(1).max(1000),
    'a whole number up to 1000',
    'Dense features are made of every so many candidates.',
  ),
}

export const keyframes = section(
  'Keyframes: the pictures that stand for a video. A camera keeps them in `pictures/`; `grabber extract` takes them from recordings.',
  {
    enabled: z.boolean().describe('Whether a camera keeps keyframes; recordings that are extracted always do.'),
    mode: z
      .enum(keyframeModes)
      .describe('How much is looked at, and how carefully; `custom` takes the figures from here.'),
    saliencyWeights,
    qualityWeights,
    minScore: ratio.describe('A picture below this score is taken only if nothing better is near, 0–1.'),
    features: z
      .string()
      .min(1)
      .describe(
        'Model of dense features: an id, `off`, or `auto`: the best that is installed. Asked in the modes `high_quality` and `custom` only.',
      ),
    format: z.enum(['jpg', 'png']).describe('Of the pictures that are kept.'),
    jpegQuality: z.int().min(2).max(31).describe('Of JPEG, as FFmpeg counts: 2 is the best.'),
    ...figures,
  },
  {
    enabled: false,
    mode: 'balanced',
    saliencyWeights: { ...defaultSaliencyWeights },
    qualityWeights: { ...defaultQualityWeights },
    minScore: 0.3,
    features: 'auto',
    format: 'jpg',
    jpegQuality: 2,
    candidateFps: 'auto',
    width: 'auto',
    targetFlowRatio: 'auto',
    minOverlapRatio: 'auto',
    windowMs: 'auto',
    tracks: 'auto',
    featuresEvery: 'auto',
  },
)

/** Every field, as a recording or a camera has them. */
export type KeyframesConfig = z.output<typeof keyframes.full>

const figureNames = Object.keys(figures) as (keyof typeof figures)[]

/** Figures that are given, and do not count since the mode is not `custom`. */
export function straysOf(
  given: { [K in keyof KeyframeFigures]?: KeyframesConfig[K] | undefined },
  mode: KeyframesConfig['mode'],
): (keyof KeyframeFigures)[] {
  if (mode === 'custom') return []
  return figureNames.filter((name) => given[name] !== undefined && given[name] !== 'auto')
}

/** The figures that count. */
export function figuresOf(keyframes: KeyframesConfig): KeyframeFigures {
  const ofMode = modeFigures[keyframes.mode]
  if (keyframes.mode !== 'custom') return ofMode
  const own = figureNames.filter((name) => keyframes[name] !== 'auto').map((name) => [name, keyframes[name]])
  return { ...ofMode, ...Object.fromEntries(own) }
}
