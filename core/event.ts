/**
 * The events: their data as schemas (one source for types, JSON Schema and checks) and their CloudEvents 1.0 form.
 * Ids are deterministic: the same happening has the same id in every replay (docs/protocol.md, "Identity of events").
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'

const ratio = z.number().min(0).max(1)

const box = z
  .strictObject({ x: z.number(), y: z.number(), width: ratio, height: ratio })
  .describe('Bounding box in fractions of the upright frame; x and y are its top left corner, which may lie outside.')
const frame = z
  .strictObject({
    seq: z.int().min(0).describe('Number of the frame in its playback or session, from 0.'),
    ptsMs: z.number().describe('Presentation time in the media, ms.'),
    width: z.int().positive().describe('Of the upright full-resolution frame, px.'),
    height: z.int().positive().describe('Of the upright full-resolution frame, px.'),
  })
  .describe('The frame it was seen in.')

const identity = z
  .strictObject({
    status: z
      .enum(['unknown', 'candidate', 'confirmed', 'corrected'])
      .describe('`corrected`: later evidence overturned a confirmed name.'),
    subject: z.string().optional().describe('Id of the person in the gallery.'),
    name: z.string().optional(),
    similarity: z
      .number()
      .optional()
      .describe("Cosine between the track's template and the person's nearest embedding."),
    margin: z.number().optional().describe('Lead in cosine over the second-best person.'),
    anonymous: z.string().optional().describe('Stable id of somebody who is not in the gallery.'),
    evidence: z
      .strictObject({
        embeddings: z.int().min(0).describe('Faces of the track that were compared.'),
        agreeing: z.int().min(0).describe('Of the last answers, so many in a row name the same person.'),
        similarity: z.number().optional(),
        margin: z.number().optional(),
        runnerUp: z.string().optional().describe('Id of the second-best person.'),
      })
      .optional()
      .describe('What stands behind the status.'),
  })
  .describe('Who the track is, as far as is known.')

const liveness = z
  .strictObject({
    verdict: z.enum(['unchecked', 'live', 'spoof']),
    score: ratio.optional().describe('Probability that it is a living face, over the last looks of the track.'),
  })
  .describe('Whether the face is a person or a picture of one.')

export const cameraStates = [
  'connecting',
  'live',
  'stalled',
  'frozen',
  'black',
  'backing_off',
  'quarantined',
  'stopped',
] as const
export type CameraState = (typeof cameraStates)[number]

/**
 * A circuit breaker's states (Nygard, Release It!): `open` refuses at once, `half-open` is on probation after a probe.
 */
export const breakerStates = ['closed', 'open', 'half-open'] as const
export type BreakerState = (typeof breakerStates)[number]

/** Data of each event type; boxes are fractions of the upright frame. */
export const eventSchemas = {
  'camera.state': z
    .strictObject({
      state: z.enum(cameraStates),
      previous: z.enum(cameraStates).nullable().describe('Null for the first state.'),
      reason: z.string().describe('An error code, or a few words; without credentials.'),
      evidence: z.string().optional().describe('What it is concluded from, for a person; without credentials.'),
      attempt: z.int().min(0).describe('Failures since frames were last good for `reconnect.goodMs`.'),
      nextRetryMs: z.number().nullable().describe('Until the next attempt, ms; null when none is planned.'),
      lastFrameAgeMs: z.number().nullable().describe('Age of the newest frame, ms; null when there was none.'),
    })
    .describe('A camera changes its state.'),
  motion: z
    .strictObject({
      phase: z.enum(['start', 'end']),
      areaRatio: ratio.describe('Share of the picture that moves.'),
      frame,
    })
    .describe('Movement starts, or has ended.'),
  'face.track': z.strictObject({
    phase: z.enum(['new', 'update', 'end']),
    trackId: z.string().describe('One face followed over frames; the same for all events of the track.'),
    revision: z.int().min(0).describe('Grows by one with each update of the track; its end repeats the last one.'),
    box,
    frame,
    score: ratio.describe('Confidence of the detector.'),
    quality: ratio.describe('How recognisable the face is: size, pose, sharpness.'),
    identity,
    liveness,
    bestShot: z
      .string()
      .optional()
      .describe('Best picture of the face so far: its name in pictures/ of the data folder.'),
    firstSeen: z.string().describe('RFC 3339, UTC.'),
    lastSeen: z.string().describe('RFC 3339, UTC.'),
  }),
  keyframe: z
    .strictObject({
      frame,
      score: ratio,
      scores: z.record(z.string(), z.number()).describe('What the score is made of, by name.'),
      reason: z
        .string()
        .describe('Why it was chosen: a reason of selection, or `trigger: ` and what was said by who asked for it.'),
      file: z
        .string()
        .optional()
        .describe(
          'Its name in pictures/ of the data folder, or in the images of an extraction; absent where none are kept.',
        ),
    })
    .describe('A frame that was kept as a keyframe: selection chose it, or somebody asked for it.'),
  'engine.state': z
    .strictObject({
      engine: z
        .string()
        .describe("Which of the node's engines: `cuda-0`, `cpu-0`, or `auto` where one engine takes what it finds."),
      device: z.string().describe('What it runs on, or ran on last; what is wanted while that is not known.'),
      index: z.int().min(0).nullable().describe('Of the GPU, as nvidia-smi counts.'),
      name: z.string().nullable(),
      state: z.enum(['starting', 'ready', 'restarting', 'degraded', 'stopped']),
      reason: z.string(),
      restarts: z.int().min(0).describe('Since the daemon started.'),
      breaker: z.enum(breakerStates).describe('Circuit breaker: open refuses at once, half-open is on probation.'),
      refused: z.array(z.strictObject({ device: z.string(), reason: z.string() })).describe('Devices tried before.'),
      models: z.array(z.string()),
      batchCaps: z.record(z.string(), z.int().min(1)).describe('Most pictures in one run, by model, as last heard.'),
    })
    .describe('The inference engine changes its state.'),
  'node.health': z
    .strictObject({ state: z.enum(['ok', 'degraded']), reasons: z.array(z.string()) })
    .describe('The node degrades or recovers.'),
} as const

export type EventType = keyof typeof eventSchemas
export type EventData<T extends EventType = EventType> = z.infer<(typeof eventSchemas)[T]>

/** Types that a replay writes unless `--all-events` is given. */
export const mediaEventTypes: ReadonlySet<EventType> = new Set(['motion', 'face.track', 'keyframe'])

/** Camera id of events that belong to the node itself. */
export const NODE_CAMERA = '_node'

/**
 * URI of the schema of an event's data: its `dataschema`, and the `$id` of the file in docs/events. The number grows when a
 * field is renamed or removed, not when one is added.
 */
export function dataSchemaUri(type: EventType): string {
  return `urn:grabber:schema:${type}:1`
}

/** A CloudEvent in structured mode; attribute names are the specification's. */
export interface CloudEvent<T extends EventType = EventType> {
  specversion: '1.0'
  id: string
  source: string
  type: T
  subject: string
  time: string
  datacontenttype: 'application/json'
  dataschema: string
  data: EventData<T>
}

export interface EventDraft<T extends EventType = EventType> {
  type: T
  node: string
  camera: string
  /** What makes this happening distinct within its camera and type, such as `trackId/revision`. */
  key: string
  /** ms since the Unix epoch. */
  timeMs: number
  data: EventData<T>
}

/** 128-bit hex id of a happening. The node is part of it, the time is not: a replay may date it differently. */
export function eventId(node: string, camera: string, type: EventType, key: string): string {
  return createHash('sha256').update(`${node}\n${camera}\n${type}\n${key}`).digest('hex').slice(0, 32)
}

/** Builds the CloudEvent. Keys are in a fixed order, so that equal events are equal bytes. */
export function toCloudEvent<T extends EventType>(draft: EventDraft<T>): CloudEvent<T> {
  return {
    specversion: '1.0',
    id: eventId(draft.node, draft.camera, draft.type, draft.key),
    source: `/grabber/${draft.node}/${draft.camera}`,
    type: draft.type,
    subject: draft.camera,
    time: new Date(draft.timeMs).toISOString(),
    datacontenttype: 'application/json',
    dataschema: dataSchemaUri(draft.type),
    data: draft.data,
  }
}

/** NATS subject of an event: `grabber.<node>.events.<camera>.<type>`. */
export function eventSubject(node: string, camera: string, type: EventType): string {
  return `grabber.${node}.events.${camera}.${type}`
}

/** NATS subject of the boxes of every analysed frame (core NATS, not stored). */
export function boxesSubject(node: string, camera: string): string {
  return `grabber.${node}.live.${camera}.boxes`
}
