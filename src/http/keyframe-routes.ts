/**
 * Keyframes that live cameras kept: a list, newest first, and each picture. Runs in the daemon. Those of recordings lie in the folders
 * that `extract` wrote.
 */
import { z } from 'zod'
import { GrabberError } from '../../core/errors.ts'
import type { EventData } from '../../core/event.ts'
import { foreignRequest } from './local-only.ts'
import { parsed, type Route } from './route.ts'

export interface KeptKeyframe {
  /** Of its event. */
  id: string
  camera: string
  /** When the light hit the sensor, ISO 8601 in UTC. */
  time: string
  frame: EventData<'keyframe'>['frame']
  /** 0–1. */
  score: number
  reason: string
  /** Whether a picture was written; it may have been removed since. */
  hasPicture: boolean
}

export interface KeyframePage {
  keyframes: KeptKeyframe[]
  /** `before` of the next page; `null` on the last one. A page looks at so many keyframes and no more: it may be short, or empty, before that. */
  next: string | null
}

export interface KeyframeFilter {
  limit: number
  camera?: string | undefined
  /** Captured at or after, as in `time`. */
  from?: string | undefined
  /** Captured before. */
  to?: string | undefined
  /** `next` of the page before. */
  before?: number | undefined
}

export interface StoredPicture {
  bytes: Buffer
  contentType: 'image/jpeg' | 'image/png'
}

export interface KeyframeRecords {
  /** Newest first. STO_*. */
  list(filter: KeyframeFilter): KeyframePage
  /** `undefined` where there is no such keyframe, or no picture of it. STO_*. */
  picture(id: string): Promise<StoredPicture | undefined>
}

/** Events are dated in UTC with milliseconds, and compared as texts. */
const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString())

const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  camera: z
    .string()
    .regex(/^[a-z0-9_-]{1,64}$/, 'not a camera id')
    .optional(),
  from: moment.optional(),
  to: moment.optional(),
  before: z.coerce.number().int().min(1).optional(),
})

/** `local`: the server listens on a loopback address. Pictures show people, and nobody can say yet who asks: they are not sent beyond. */
export function keyframeRoutes(keyframes: KeyframeRecords, local: boolean): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/keyframes',
      answer: ({ query }) => ({ data: keyframes.list(parsed(listQuery, query)) }),
    },
    {
      method: 'GET',
      path: '/api/v1/keyframes/:id/picture',
      async answer({ params: { id = '' }, headers }) {
        const refusal = foreignRequest(headers, local)
        if (refusal) throw refusal
        const picture = await keyframes.picture(id)
        if (!picture) throw new GrabberError('API_NOT_FOUND', 'there is no picture of a keyframe of that id')
        return picture
      },
    },
  ]
}
