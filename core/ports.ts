/**
 * The seams: what the lower floors need from the top floor's adapters, and what stands behind more than one
 * implementation. Interfaces only. Each has one contract test suite under test/contract.
 */
import type { CloudEvent } from './event.ts'
import type { RgbPicture } from './frame.ts'
import type { EndedTrack, GalleryHit, Sighting } from './observation.ts'
import type { InferParams } from './wire/engine.ts'

export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): Logger
}

export interface InferResult {
  rows: number
  columns: number
  /** `[rows, columns]` float32; owned by the caller. */
  data: Float32Array
}

/** Runs models. Rejects with ENG_* codes. `picture` must stay unchanged until the promise settles. */
export interface InferenceEngine {
  infer(model: string, picture: RgbPicture, params: InferParams): Promise<InferResult>
}

export interface BusMessage {
  subject: string
  headers: Record<string, string>
  data: Uint8Array
}

export type BusState = 'connecting' | 'connected' | 'offline' | 'closed'

/** Publishes and subscribes. `publishEvent` resolves once the event is stored by the other side. */
export interface EventBus {
  readonly state: BusState
  /** Called on every change of state; returns the way to stop listening. */
  onState(listener: (state: BusState) => void): () => void
  /** JetStream publication in CloudEvents binary mode; resolves with whether the server knew the id already. */
  publishEvent(subject: string, event: CloudEvent): Promise<{ duplicate: boolean }>
  /** JetStream publication of a message as it is, known by its header Nats-Msg-Id; resolves once it is stored. BUS_*. */
  publishStored(message: BusMessage): Promise<{ duplicate: boolean }>
  /** Core publication: not stored, dropped without a word while offline. */
  publishLive(subject: string, data: object): void
  /** Core subscription, wildcards as in NATS. */
  subscribe(subject: string, handler: (message: BusMessage) => void): () => void
  /** Answers requests from now on, after each reconnection again, until it is stopped by what is returned. */
  serve(service: ServiceSpec): () => void
  /** Asks who serves the subject. BUS_UNAVAILABLE while away, when nobody does, or when no answer came in time. */
  request(message: BusMessage, timeoutMs: number): Promise<BusMessage>
  close(): Promise<void>
}

/** A service as NATS's service protocol (ADR-32) knows one: found and counted by its tools. */
export interface ServiceSpec {
  /** Letters, digits, _ and -. */
  name: string
  /** Semantic version. */
  version: string
  description: string
  metadata: Record<string, string>
  endpoints: readonly ServiceEndpoint[]
}

export interface ServiceEndpoint {
  /** Letters, digits, _ and -. */
  name: string
  subject: string
  /** Must not reject, nor hold the loop; many may be under way. */
  answer(request: BusMessage): Promise<ServiceReply>
}

export interface ServiceReply {
  data: Uint8Array
  /** Said in headers as well (`Nats-Service-Error-Code`, `Nats-Service-Error`); `null` for a success. */
  failure: { status: number; message: string } | null
}

export interface StoredEvent {
  /** Position in the history, increasing. */
  position: number
  subject: string
  event: CloudEvent
}

/** Event history and outbox in one: an event is stored once, by id, and published later, in order. */
export interface EventLog {
  /** False when an event with this id was stored before. */
  append(subject: string, event: CloudEvent): boolean
  /** Oldest events that are not yet published. */
  unpublished(limit: number): StoredEvent[]
  markPublished(position: number): void
  depth(): number
  /** Newest first. */
  recent(limit: number, camera?: string): StoredEvent[]
}

export interface Subject {
  subject: string
  name: string | null
  embeddings: number
  enrolledAtMs: number
}

/** A part of a list in order of id: at most `limit`, those after the id `after`. */
export interface Page {
  after?: string
  limit: number
}

/**
 * People who are known. Embeddings are L2-normalised and of one model. Rejects with GAL_* and STO_* codes. Each call sees
 * what the calls before it did; a search sees one moment.
 */
export interface FaceGallery {
  readonly model: string
  /** Best `k` subjects by the cosine of their nearest embedding, best first; equal ones by id. Exact. */
  search(embedding: Float32Array, k: number): Promise<GalleryHit[]>
  enroll(subject: string, name: string | null, embeddings: Float32Array[]): Promise<Subject>
  /** Nothing finds the subject any more, and nothing of it is kept, once this has resolved. */
  remove(subject: string): Promise<void>
  /** All of them without a page. */
  list(page?: Page): Promise<Subject[]>
}

/** What a person without a name is to be called. */
export interface NewName {
  /** Made when absent. */
  subject: string
  name: string | null
  /** The person may look like somebody else who is known. */
  allowSimilar: boolean
  /** The person may be unlike what is enrolled of the subject. */
  allowDifferent: boolean
}

export interface Visitor {
  id: string
  firstSeenMs: number
  lastSeenMs: number
  /** Tracks that have ended. */
  tracks: number
  embeddings: number
}

/** What a visitor is judged by; the gallery's words (streams/analysis/identity) and its embedder's numbers. */
export interface VisitorLimits {
  matchThreshold: number
  minMargin: number
}

/** People without a name, told again by their looks. Rejects with GAL_* and STO_* codes. */
export interface VisitorBook {
  /**
   * The id of the person who was seen: one who was seen before, or a new one. `null` when that cannot be told: two are too
   * much alike, or the one who matches is `taken`.
   */
  remember(camera: string, sighting: Sighting): Promise<string | null>
  /** Keeps what is of use of an ended track; one of a person who was forgotten meanwhile is not kept. */
  keep(camera: string, track: EndedTrack): Promise<void>
  /** Best `k` by the cosine of their nearest embedding; `subject` is the id. */
  search(embedding: Float32Array, k: number): Promise<GalleryHit[]>
  list(page?: Page): Promise<Visitor[]>
}
