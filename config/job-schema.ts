/**
 * The configuration's section `jobs`: what recordings are worked on at all. Pure schema; docs/configuration.md is generated
 * from it.
 */
import { z } from 'zod'

/** 8K UHD with DCI's width; what is larger is mostly a damaged header, and needs gigabytes to decode. */
const USUAL_MAX_PIXELS = 8192 * 4320
const HOUR_MS = 3_600_000

const limitsSchema = z
  .strictObject({
    minDurationMs: z
      .number()
      .min(0)
      .max(24 * HOUR_MS)
      .default(100)
      .describe('A recording shorter than this is refused, ms: there is nothing to choose from.'),
    maxDurationMs: z
      .number()
      .min(1)
      .max(1000 * HOUR_MS)
      .default(12 * HOUR_MS)
      .describe('A recording longer than this is refused, ms.'),
    maxBytes: z
      .int()
      .min(1)
      .max(Number.MAX_SAFE_INTEGER)
      .default(256_000_000_000)
      .describe('A larger file is refused, bytes.'),
    maxPixels: z
      .int()
      .min(1)
      .max(8192 * 8192)
      .default(USUAL_MAX_PIXELS)
      .describe('Larger pictures are refused, pixels in area.'),
  })
  .refine(({ minDurationMs, maxDurationMs }) => minDurationMs <= maxDurationMs, {
    path: ['maxDurationMs'],
    error: 'must not be below minDurationMs',
  })
  .prefault({})
  .describe('What is beyond them is refused with SRC_LIMIT before any work.')

export const jobSchema = z
  .strictObject({
    limits: limitsSchema,
    parallel: z
      .union([z.literal('auto'), z.int().min(1).max(64)], { error: 'expected a number of files, or auto' })
      .default('auto')
      .describe('Recordings that `batch` and `watch` work on at the same time; `auto` is half of the cores.'),
    quietSeconds: z
      .number()
      .min(0.1)
      .max(3600)
      .default(10)
      .describe('`watch` takes a file up when its size and time have not changed for so long, s.'),
  })
  .prefault({})
  .describe('Jobs on recorded files: `extract`, `batch`, `watch`, `clip`.')

export type JobLimits = z.output<typeof limitsSchema>
