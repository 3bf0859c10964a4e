/**
 * The tensor socket between a session host and an engine host: message headers. Framing is in core/wire/framing.
 * Flow control is by credits: a session never has more than `credits` requests open; each answer gives one back.
 */
import type { CodedError } from '../errors.ts'

export const ENGINE_PROTOCOL = 2

export const MAX_PRIORITY = 10

/** Numbers that a model's adapter needs for one request, such as `scoreThreshold`. */
export type InferParams = Record<string, number>

/** Payload of `infer`: one planar 8-bit RGB picture, `[3, height, width]` (core/frame, RgbPicture). */
export type ToEngineSocket =
  /** `priority` 0–10: the session's weight under load is priority + 1. */
  | { type: 'hello'; protocol: number; session: string; priority: number }
  | {
      type: 'infer'
      id: number
      model: string
      width: number
      height: number
      params: InferParams
      /** 1 for the first try; a request whose engine died under it comes again with 2, and then runs alone. */
      attempt: number
      /** What is left until its deadline: ENG_EXPIRED instead of a run that starts later, ms after receipt; `null` waits for ever. */
      expiresInMs: number | null
    }

/** Payload of `result`: float32, meaning stated by the model's adapter (rows × columns). */
export type FromEngineSocket =
  | { type: 'welcome'; incarnation: number; credits: number }
  | { type: 'result'; id: number; rows: number; columns: number }
  | { type: 'error'; id: number; error: CodedError }
