/**
 * What metadata.json holds, as a schema: docs/schemas/metadata.1.schema.json is generated from it. Fields may be added; one
 * that is renamed or removed makes a schema 2.
 */
import { z } from 'zod'
import { keyframeModes, pictureFaults, type SelectionReason, selectionReasons } from '../../core/keyframe.ts'
import { complexityMetrics } from '../../core/shot.ts'

export const METADATA_SCHEMA = 'urn:grabber:schema:metadata:1'

const count = z.int().min(0)
const ms = z.number().describe('Milliseconds of media time.')
const share = z.number().min(0).max(1)
/** A measure that could not be taken is null. */
const figure = z.number().nullable()
const figures = z.record(z.string(), figure)
const reasons = Object.keys(selectionReasons) as [SelectionReason, ...SelectionReason[]]

const damage = {
  count,
  positions: z.array(z.strictObject({ ptsMs: ms, what: z.string() })).describe('At most 20; `count` goes on.'),
}

const stream = z.strictObject({
  codec: z.string(),
  decoder: z.string().describe('software, or the kind of hardware.'),
  refused: z.array(z.strictObject({ device: z.string(), reason: z.string() })),
  transport: z.enum(['tcp', 'udp']).nullable(),
  container: z.string(),
  width: count.describe('Of the upright picture, px.'),
  height: count,
  fps: z.number().nullable(),
  durationMs: ms.nullable(),
  rotation: z.literal([0, 90, 180, 270]).describe('Clockwise turn that made the pictures upright.'),
  recordedAtMs: z.number().nullable(),
})

const colour = z.strictObject({
  ...{ primaries: z.string(), transfer: z.string(), matrix: z.string(), range: z.string(), bitDepth: count },
  hdr: z.enum(['pq', 'hlg', 'bt2020']).nullable(),
})

const preflight = z.strictObject({
  stream,
  sizeBytes: count,
  colour,
  audio: z.strictObject({ codec: z.string(), channels: count, sampleRate: count }).nullable(),
  packets: count,
  iframes: count,
  variableFrameRate: z.boolean(),
  damage: z.strictObject({
    ...damage,
    at: z.array(z.strictObject({ ptsMs: ms, byte: count.nullable(), what: z.string() })),
  }),
})

const shot = z.strictObject({
  index: count,
  begins: z.enum(['start', 'cut', 'dissolve', 'fade']),
  ...{ fromMs: ms, toMs: ms, fromSeq: count, toSeq: count, candidates: count, keyframes: count },
  metrics: z.record(z.enum(complexityMetrics as [string, ...string[]]), figure),
  forecast: z
    .strictObject({ complexity: figure, low: figure, high: figure, confidence: figure })
    .nullable()
    .describe('Work that the shot takes, 1 being the median of the shots that the model was trained on.'),
})

const view = z
  .strictObject({
    ...{ flowRatio: figure, parallaxRatio: figure, overlapRatio: figure },
    model: z.enum(['H', 'F', 'none']).describe('By GRIC: H is rotation or a plane, F true parallax.'),
    tracks: count,
  })
  .nullable()
  .describe(
    'Change since the last keyframe, as shares of the diagonal and of the tracks; null for the first of a sequence.',
  )

const keyframe = z.strictObject({
  seq: count,
  ptsMs: ms,
  scene: count,
  file: z.string().describe('In images/.'),
  width: count,
  height: count,
  pixelHash: z
    .string()
    .describe('SHA-256 of the luma that was decoded: the same frame has the same, however it is encoded.'),
  reason: z.enum(reasons),
  evidence: z.string(),
  score: share,
  faults: z.array(z.enum(pictureFaults)),
  quality: figures.describe('Parts of the score.'),
  saliency: z.strictObject({ score: share, parts: figures }),
  view,
  links: z
    .array(z.tuple([count, count]))
    .describe('[seq of an earlier keyframe, tracks shared with it], newest first.'),
})

const cell = z.union([z.number(), z.string(), z.boolean(), z.null(), z.array(z.union([z.string(), z.number()]))])
const stage = z.strictObject({ p50Ms: z.number(), p95Ms: z.number(), count })
const counts = z.record(z.string(), count)

/** The head of the file, before the long lists. */
export const headSchema = z.strictObject({
  schema: z.literal(METADATA_SCHEMA),
  program: z.strictObject({ name: z.literal('grabber'), version: z.string() }),
  source: z.strictObject({
    file: z.string(),
    sizeBytes: count,
    contentHash: z.string().describe('SHA-256 of the file, hex.'),
    recordedAt: z.iso.datetime().nullable(),
    stream,
    preflight: preflight.nullable(),
  }),
  settings: z.strictObject({
    mode: z.enum(keyframeModes),
    maxFrames: count.nullable(),
    tonemap: z.boolean(),
    candidates: z.strictObject({ fps: z.number().nullable(), widthPx: count }),
    fingerprint: z.string().describe('Equal for settings that choose the same pictures.'),
    figures: z
      .record(z.string(), z.unknown())
      .describe('Figures that selection went by; see `keyframes` in configuration.md.'),
  }),
  shots: z.array(shot),
  secondPass: z.strictObject({ before: count, after: count, findings: figures }).nullable(),
})

/** Known when all candidates have been read. */
export const summarySchema = z.strictObject({
  candidates: count,
  keyframes: count,
  reasons: counts.describe('Candidates by reason.'),
  frames: z
    .strictObject({ captured: count, analysed: count, skipped: counts, dropped: counts, inFlight: count })
    .describe('Every frame of the recording has one fate.'),
  durationMs: ms,
  damage: z.strictObject(damage),
})

export const runSchema = z
  .strictObject({
    startedAt: z.iso.datetime(),
    ...{ wallSeconds: z.number(), realtimeFactor: z.number() },
    stages: z.record(z.string(), stage),
    ...{ peakRssBytes: count, restarts: count },
  })
  .describe('The only field that differs between two runs of the same program over the same file.')

export const metadataSchema = z
  .strictObject({
    ...headSchema.shape,
    keyframes: z.array(keyframe),
    candidates: z
      .strictObject({
        columns: z.array(z.string()).describe('Measures are `measure.<name>`, see measures.md.'),
        rows: z.array(z.array(cell)),
      })
      .describe('Every frame that was looked at, one a row: pandas.DataFrame(rows, columns=columns).'),
    summary: summarySchema,
    run: runSchema,
  })
  .describe('Keyframes of one recording: each measure and each reason.')

export type MetadataHead = z.infer<typeof headSchema>
export type MetadataKeyframe = z.infer<typeof keyframe>
export type MetadataSummary = z.infer<typeof summarySchema>
export type MetadataRun = z.infer<typeof runSchema>
