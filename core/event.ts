/**
 * The events: their data as schemas (one source for types, JSON Schema and checks) and their CloudEvents 1.0 form.
 * Ids are deterministic: the same happening has the same id in every replay (docs/protocol.md, "Identity of events").
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'

const ratio = z.number().min(0).max(1)

const box = z.strictObject({ x: z.number(), y: z.number(), width: ratio, height: ratio })
const frame = z.strictObject({
  seq: z.int().min(0),
  ptsMs: z.number(),
  width: z.int().positive(),
  height: z.int().positive(),
})

const identity = z.strictObject({
  status: z.enum(['unknown', 'candidate', 'confirmed', 'corrected']),
  subject: z.string().optional(),
  name: z.string().optional(),
  similarity: z.number().optional(),
  margin: z.number().optional(),
  /** Stable id of somebody who is not in the gallery. */
  anonymous: z.string().optional(),
  /** What stands behind the status; no embedding leaves a session in an event. */
  evidence: z
    .strictObject({
      embeddings: z.int().min(0),
      agreeing: z.int().min(0),
      similarity: z.number().optional(),
      margin: z.number().optional(),
      runnerUp: z.string().optional(),
    })
    .optional(),
})

const liveness = z.strictObject({ verdict: z.enum(['unchecked', 'live', 'spoof']), score: ratio.optional() })

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

/** Data of each event type; boxes are fractions of the upright frame. */
export const eventSchemas = {
  'camera.state': z.strictObject({
    state: z.enum(cameraStates),
    previous: z.enum(cameraStates).nullable(),
    reason: z.string(),
    attempt: z.int().min(0),
    nextRetryMs: z.number().nullable(),
    lastFrameAgeMs: z.number().nullable(),
  }),
  motion: z.strictObject({ phase: z.enum(['start', 'end']), areaRatio: ratio, frame }),
  'face.track': z.strictObject({
    phase: z.enum(['new', 'update', 'end']),
    trackId: z.string(),
    revision: z.int().min(0),
    box,
    frame,
    score: ratio,
    quality: ratio,
    identity,
    liveness,
    bestShot: z.string().optional(),
    firstSeen: z.string(),
    lastSeen: z.string(),
  }),
  keyframe: z.strictObject({
    frame,
    score: ratio,
    scores: z.record(z.string(), z.number()),
    reason: z.string(),
    file: z.string(),
  }),
  'engine.state': z.strictObject({
    device: z.string(),
    state: z.enum(['starting', 'ready', 'restarting', 'degraded', 'stopped']),
    reason: z.string(),
    restarts: z.int().min(0),
  }),
  'node.health': z.strictObject({ state: z.enum(['ok', 'degraded']), reasons: z.array(z.string()) }),
} as const

export type EventType = keyof typeof eventSchemas
export type EventData<T extends EventType = EventType> = z.infer<(typeof eventSchemas)[T]>

/** Types that a replay writes unless `--all-events` is given. */
export const mediaEventTypes: ReadonlySet<EventType> = new Set(['motion', 'face.track', 'keyframe'])

/** Camera id of events that belong to the node itself. */
export const NODE_CAMERA = '_node'

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
    dataschema: `urn:grabber:schema:${draft.type}:1`,
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
