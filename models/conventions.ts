/**
 * The usual ways of feeding a face model, as alternatives to what an entry states: colour order, value range, alignment.
 * A self-test measures each of them on pictures. Pure; runs in commands.
 */
import type { ModelEntry } from './model-entry.ts'

export const ASPECTS = ['colour', 'range', 'alignment'] as const
export type Aspect = (typeof ASPECTS)[number]

export interface Alternative {
  aspect: Aspect
  name: string
  /** The entry with this one thing changed. */
  entry: ModelEntry
}

type Template = NonNullable<ModelEntry['alignment']>['template']

/** Each maps pixels 0–255 onto `low` … `high`; (x − 127.5) ÷ 128 counts as −1 to 1, from which no picture tells it. */
const RANGES = [
  { name: '0 to 255', mean: 0, scale: 1 },
  { name: '0 to 1', mean: 0, scale: 1 / 255 },
  { name: '-1 to 1', mean: 127.5, scale: 1 / 127.5 },
  { name: '-127.5 to 127.5', mean: 127.5, scale: 1 },
] as const
/** Ranges and templates closer than this are one. */
const ALIKE_RATIO = 0.02
/** A crop this much wider or narrower is not what the model was trained on, and is still a face. */
const ZOOM = 1.3

/** deepinsight/insightface, face_align.py, `arcface_dst`: 112 px; also OpenCV's FaceRecognizerSF. */
export const ARCFACE_TEMPLATE = scaled(
  [
    [38.2946, 51.6963],
    [73.5318, 51.5014],
    [56.0252, 71.7366],
    [41.5493, 92.3655],
    [70.7299, 92.2041],
  ],
  112,
)
/** Open Model Zoo, face-reidentification-retail-0095. */
const OPEN_MODEL_ZOO_TEMPLATE: Template = [
  [0.3156, 0.4616],
  [0.6827, 0.4616],
  [0.5003, 0.6405],
  [0.3495, 0.8247],
  [0.6535, 0.8247],
]

/** What the entry itself states, in a few words. */
export function declared({ input, alignment }: ModelEntry): Record<Aspect, string> {
  const low = (0 - input.mean[0]) * input.scale
  const high = (255 - input.mean[0]) * input.scale
  const known = RANGES.find((range) => alike(range, input))
  return {
    colour: input.colour,
    range: known?.name ?? `${low.toPrecision(3)} to ${high.toPrecision(3)}`,
    alignment: alignment ? (nameOf(alignment.template) ?? 'a template of its own') : 'none',
  }
}

/** One thing changed at a time; nothing that is as good as what the entry states. */
export function alternatives(entry: ModelEntry): Alternative[] {
  const { input, alignment } = entry
  const swapped = input.colour === 'BGR' ? 'RGB' : 'BGR'
  const found: Alternative[] = [
    {
      aspect: 'colour',
      name: swapped,
      // The means belong to colours, so they change places with them.
      entry: { ...entry, input: { ...input, colour: swapped, mean: [input.mean[2], input.mean[1], input.mean[0]] } },
    },
  ]
  for (const range of RANGES) {
    if (alike(range, input)) continue
    const { name, mean, scale } = range
    found.push({ aspect: 'range', name, entry: { ...entry, input: { ...input, mean: [mean, mean, mean], scale } } })
  }
  if (!alignment) return found
  for (const [name, template] of templates(alignment.template)) {
    if (sameTemplate(template, alignment.template)) continue
    found.push({ aspect: 'alignment', name, entry: { ...entry, alignment: { ...alignment, template } } })
  }
  return found
}

function templates(own: Template): [string, Template][] {
  return [
    ['ArcFace', ARCFACE_TEMPLATE],
    ['Open Model Zoo 0095', OPEN_MODEL_ZOO_TEMPLATE],
    ['a wider crop', zoomed(own, 1 / ZOOM)],
    ['a closer crop', zoomed(own, ZOOM)],
    ['left and right exchanged', [own[1], own[0], own[2], own[4], own[3]]],
  ]
}

function nameOf(template: Template): string | undefined {
  if (sameTemplate(template, ARCFACE_TEMPLATE)) return 'ArcFace'
  return sameTemplate(template, OPEN_MODEL_ZOO_TEMPLATE) ? 'Open Model Zoo 0095' : undefined
}

function alike(range: { mean: number; scale: number }, input: ModelEntry['input']): boolean {
  const span = 255 * range.scale
  return input.mean.every(
    (mean) =>
      Math.abs((0 - mean) * input.scale - (0 - range.mean) * range.scale) < ALIKE_RATIO * span &&
      Math.abs((255 - mean) * input.scale - (255 - range.mean) * range.scale) < ALIKE_RATIO * span,
  )
}

function sameTemplate(a: Template, b: Template): boolean {
  return a.every(([x, y], index) => Math.hypot(x - b[index]![0], y - b[index]![1]) < ALIKE_RATIO)
}

/** About the middle of the crop. */
function zoomed(template: Template, factor: number): Template {
  const one = (value: number) => Math.min(1, Math.max(0, 0.5 + (value - 0.5) * factor))
  return map(template, ([x, y]) => [one(x), one(y)])
}

function scaled(template: Template, side: number): Template {
  return map(template, ([x, y]) => [x / side, y / side])
}

function map(template: Template, change: (point: readonly [number, number]) => [number, number]): Template {
  const [a, b, c, d, e] = template
  return [change(a), change(b), change(c), change(d), change(e)]
}
