/**
 * What the cameras say, passed on: to events, metrics, the bus and the log. Runs in the daemon. Must never block: a word is
 * stored, counted and passed on.
 */
import type { CameraListener } from '../actors/camera-report.ts'
import type { CodedError, GrabberError } from '../core/errors.ts'
import { type BreakerState, boxesSubject, type CloudEvent, type EventData, toCloudEvent } from '../core/event.ts'
import { emptyLedger, type LedgerCounts } from '../core/ledger.ts'
import type { EventBus, Logger } from '../core/ports.ts'
import type { FromSession, SessionProgress } from '../core/wire/control.ts'
import type { Checkpoint } from '../core/wire/session-spec.ts'
import type { CameraSpecs } from './camera-specs.ts'
import { ledgerDelta } from './ops/ledger-delta.ts'
import type { Metrics } from './ops/metrics.ts'

export interface WordParts {
  node: string
  bus: EventBus
  metrics: Metrics
  logger: Logger
  specs: CameraSpecs
  /** Stores and publishes. Throws STO_UNUSABLE. */
  submit(event: CloudEvent): void
  /** The same, for words of the node itself. Never throws. */
  tell(event: CloudEvent): void
  onHost(name: string, pid: number | null): void
}

type Counted = Pick<SessionProgress, 'faces' | 'damaged'>

export class CameraWords implements CameraListener {
  readonly #parts: WordParts
  readonly #ledgers = new Map<string, LedgerCounts>()
  /** Of the present incarnation. */
  readonly #counted = new Map<string, Counted>()
  /** Makes the keys of state events unique over restarts of the daemon. */
  readonly #startedAt = Date.now().toString(36)
  #stateChanges = 0

  constructor(parts: WordParts) {
    this.#parts = parts
  }

  onState(id: string, change: EventData<'camera.state'>): void {
    const { metrics, logger, node, tell } = this.#parts
    metrics.cameraState(id, change.state)
    logger.info({ camera: id, ...change }, `camera.${change.state}`)
    const key = `${this.#startedAt}-${++this.#stateChanges}`
    tell(toCloudEvent({ type: 'camera.state', node, camera: id, key, timeMs: Date.now(), data: change }))
  }

  onBreaker(id: string, breaker: BreakerState): void {
    this.#parts.metrics.breaker(`camera:${id}`, breaker)
  }

  onEvent(id: string, { event, key, timeMs, data }: Extract<FromSession, { type: 'event' }>): void {
    const { node, metrics, submit } = this.#parts
    submit(toCloudEvent({ type: event, node, camera: id, key, timeMs, data }))
    metrics.captureToEvent(Math.max(0, Date.now() - timeMs) / 1000)
  }

  onBoxes(id: string, { seq, ptsMs, boxes }: Extract<FromSession, { type: 'boxes' }>): void {
    this.#parts.bus.publishLive(boxesSubject(this.#parts.node, id), { seq, ptsMs, boxes })
  }

  onLedger(id: string, ledger: LedgerCounts): void {
    const before = this.#ledgers.get(id) ?? emptyLedger()
    this.#parts.metrics.frames(id, ledgerDelta(before, ledger))
    this.#ledgers.set(id, ledger)
  }

  onProgress(id: string, progress: SessionProgress): void {
    const { metrics } = this.#parts
    for (const [stage, samples] of Object.entries(progress.samples)) {
      for (const ms of samples) metrics.stage(stage, ms)
    }
    const { faces, damaged } = progress
    const before = this.#counted.get(id)
    metrics.faces(id, faces - (before?.faces ?? 0))
    metrics.damaged(id, damaged - (before?.damaged ?? 0))
    this.#counted.set(id, { faces, damaged })
  }

  onCheckpoint(id: string, checkpoint: Checkpoint): void {
    this.#parts.specs.checkpoint(id, checkpoint)
  }

  onEnded(id: string, { reason, progress, damage, peakRssBytes }: Extract<FromSession, { type: 'ended' }>): void {
    const { ledger, leases } = progress
    const end = { camera: id, reason, ledger, leases, damaged: damage.count, peakRssBytes }
    this.#parts.logger.info(end, 'the session has ended')
  }

  onComplaint(id: string, { code, message }: CodedError): void {
    this.#parts.metrics.faceError(code)
    this.#parts.logger.warn({ camera: id, code }, message)
  }

  onFailure(id: string, error: GrabberError): void {
    this.#parts.metrics.sessionFailure(id, error.code)
    this.#parts.logger.warn({ ...error.context, camera: id, code: error.code }, error.message)
  }

  onOver(id: string): void {
    this.#parts.specs.over(id)
  }

  onHost(id: string, pid: number | null): void {
    // A new incarnation counts from zero again.
    this.#counted.delete(id)
    this.#parts.onHost(`camera:${id}`, pid)
  }

  onTransition({ event, path }: { event: string; path: string }): void {
    if (event === 'crashed') this.#parts.metrics.restarts(path.split('/').at(-1) ?? path)
  }

  /** The camera is gone, and with it every series that names it. */
  forget(id: string): void {
    this.#parts.metrics.remove(id)
    this.#ledgers.delete(id)
    this.#counted.delete(id)
  }
}
