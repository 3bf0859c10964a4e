/**
 * One model of the manifest: what it is, where it comes from, what it takes and gives. The schema is the documentation.
 * Pure; read by the daemon, by commands and by the engine host.
 */
import { z } from 'zod'

const fraction = z.number().min(0).max(1)
const point = z.tuple([fraction, fraction])
const threshold = z.strictObject({ value: z.number(), calibration: z.string().min(1) })
/** https, or http to this machine itself. */
const address = z.url().refine((url) => /^(https:|http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/])/.test(url), {
  error: 'expected an https address',
})
/** No folders, so that a manifest cannot write elsewhere. */
const fileName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*\.onnx$/)

export const entrySchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  kind: z.enum(['face-detector', 'face-embedder', 'face-liveness', 'dense-features']),
  /** Name inside the models folder. */
  file: fileName,
  /** Names that the same bytes have in a mirror. */
  aliases: z.array(fileName).default([]),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().positive(),
  licence: z.strictObject({ spdx: z.string().min(1), notice: z.string().min(1) }),
  /** `null` only in a manifest of the user's own. */
  source: z
    .strictObject({
      repository: z.string().regex(/^[^/\s]+\/[^/\s]+$/),
      commit: z.string().regex(/^[0-9a-f]{40}$/),
      path: z.string().min(1),
      derived: z.enum(['as published', 'converted']),
    })
    .nullable()
    .default(null),
  /** Tried in this order. */
  urls: z.array(address).default([]),
  conversion: z
    .strictObject({ from: z.string().min(1), how: z.string().min(1) })
    .nullable()
    .default(null),
  /** Whether what this entry states was seen to hold by running the file, and on what. */
  verification: z
    .strictObject({ status: z.enum(['verified', 'unverified']), on: z.string().min(1) })
    .default({ status: 'unverified', on: 'never run' }),
  input: z.strictObject({
    shape: z.string(),
    dtype: z.literal('float32'),
    /** Order of the tensor's planes. */
    colour: z.enum(['BGR', 'RGB']),
    /** value = (pixel − mean) × scale, with pixels 0–255 and the means in the order of `colour`. */
    mean: z.tuple([z.number(), z.number(), z.number()]).default([0, 0, 0]),
    scale: z.number().positive().default(1),
    multipleOfPx: z.int().positive().default(1),
    padding: z.enum(['right and bottom', 'none']).default('none'),
    /** Side of the only tensor size it takes, px; `null` takes any. */
    fixedSidePx: z.int().positive().nullable(),
    /** Largest batch the file takes; `null` when its batch is dynamic. */
    maxBatch: z.int().positive().nullable().default(null),
  }),
  /** Where the five landmarks (core/observation) lie in an aligned crop, as fractions of its side. */
  alignment: z
    .strictObject({ cropPx: z.int().positive(), template: z.tuple([point, point, point, point, point]) })
    .nullable()
    .default(null),
  /** Liveness models: the face's box is made larger by this factor before it is scaled to the input's square. */
  boxScale: z.number().min(1).max(10).optional(),
  /** Dense features: where the descriptors of the patches are. */
  patches: z
    .strictObject({
      /** Name of the output that has them. */
      output: z.string().min(1),
      /** `map`: `[N,D,h,w]`. `tokens`: `[N,skip + h·w,D]`, patches by rows. */
      layout: z.enum(['map', 'tokens']),
      /** Side of the square that one descriptor stands for, px; the input's sides are multiples of it. */
      patchPx: z.int().positive(),
      /** Class and register tokens before the patches. */
      skipTokens: z.int().min(0).default(0),
      /** Name of an output `[N,1,h,w]` that says how much each descriptor is worth; `null`: all alike. */
      weight: z.string().min(1).nullable().default(null),
    })
    .nullable()
    .default(null),
  output: z.string().min(1),
  /** Numbers in one embedding, or in the descriptor of one patch; `null` for other kinds. */
  dimension: z.int().positive().nullable().default(null),
  thresholds: z.record(z.string(), threshold),
})

export type ModelEntry = z.output<typeof entrySchema>
