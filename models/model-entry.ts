/**
 * One model of the manifest: what it is, where it comes from, what it takes and gives. The schema is the documentation.
 * Pure; read by the daemon, by commands and by the engine host.
 */
import { z } from 'zod'

const fraction = z.number().min(0).max(1)
const point = z.tuple([fraction, fraction])
const threshold = z.strictObject({ value: z.number(), calibration: z.string().min(1) })

export const entrySchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  kind: z.enum(['face-detector', 'face-embedder', 'face-liveness']),
  /** Name inside the models folder; no folders, so that a manifest cannot write elsewhere. */
  file: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*\.onnx$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().positive(),
  licence: z.strictObject({ spdx: z.string().min(1), notice: z.string().min(1) }),
  source: z.strictObject({
    repository: z.string().regex(/^[^/\s]+\/[^/\s]+$/),
    commit: z.string().regex(/^[0-9a-f]{40}$/),
    path: z.string().min(1),
    derived: z.enum(['as published', 'converted']),
  }),
  urls: z.array(z.url({ protocol: /^https$/ })),
  conversion: z.strictObject({ from: z.string().min(1), how: z.string().min(1) }).nullable(),
  input: z.strictObject({
    shape: z.string(),
    dtype: z.literal('float32'),
    colour: z.literal('BGR'),
    range: z.tuple([z.literal(0), z.literal(255)]),
    /** value = (pixel − mean) × scale. The packing copies bytes as they are, so nothing else is allowed yet. */
    mean: z.tuple([z.literal(0), z.literal(0), z.literal(0)]),
    scale: z.literal(1),
    multipleOfPx: z.int().positive(),
    padding: z.enum(['right and bottom', 'none']),
    /** Side of the only picture size it takes, px; `null` takes any. */
    fixedSidePx: z.int().positive().nullable(),
    /** Largest batch the file takes; `null` when its batch is dynamic. */
    maxBatch: z.int().positive().nullable(),
  }),
  /** Where the five landmarks (core/observation) lie in an aligned crop, as fractions of its side. */
  alignment: z
    .strictObject({ cropPx: z.int().positive(), template: z.tuple([point, point, point, point, point]) })
    .nullable(),
  /** Liveness models: the face's box is made larger by this factor before it is scaled to the input's square. */
  boxScale: z.number().min(1).max(10).optional(),
  output: z.string().min(1),
  /** Numbers in one embedding; `null` for other kinds. */
  dimension: z.int().positive().nullable(),
  thresholds: z.record(z.string(), threshold),
})

export type ModelEntry = z.infer<typeof entrySchema>
