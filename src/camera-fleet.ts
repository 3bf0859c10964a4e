/**
 * All cameras of the daemon: from the configuration to actors, and from their words to events, metrics and the bus.
 * Runs in the daemon. Must never block: a word is stored, counted and passed on.
 */
import { statSync } from 'node:fs'
import { Camera, type CameraListener, type CameraReport } from '../actors/camera.ts'
import type { EngineDirectory } from '../actors/engine-directory.ts'
import type { HostSettings } from '../actors/host-settings.ts'
import type { SessionVisitors } from '../actors/session-process.ts'
import { type CameraConfig, cameraConfig } from '../config/camera-config.ts'
import type { Config } from '../config/schema.ts'
import { GrabberError } from '../core/errors.ts'
import { boxesSubject, type CloudEvent, type EventData, toCloudEvent } from '../core/event.ts'
import { emptyLedger, type LedgerCounts } from '../core/ledger.ts'
import type { GalleryHit } from '../core/observation.ts'
import type { EventBus, Logger, VisitorBook } from '../core/ports.ts'
import type { FromSession } from '../core/wire/control.ts'
import type { Checkpoint, FacesSpec, SessionSpec } from '../core/wire/session-spec.ts'
import { ledgerDelta } from './ops/ledger-delta.ts'
import type { Metrics } from './ops/metrics.ts'
import { sessionSpec } from './session-spec.ts'
import type { PlaybackTable } from './store/playback.ts'

export interface FleetParts {
  config: Config
  /** Per camera; `null` without faces. */
  faces(camera: CameraConfig): FacesSpec | null
  directory: EngineDirectory
  search(embedding: Float32Array, k: number): Promise<GalleryHit[]>
  visitors: Pick<VisitorBook, 'remember' | 'keep'>
  host: HostSettings
  playbacks: PlaybackTable
  picturesDir: string
  bus: EventBus
  metrics: Metrics
  logger: Logger
  /** Stores and publishes. Throws STO_UNUSABLE. */
  submit(event: CloudEvent): void
  /** The same, for words of the node itself. Never throws. */
  tell(event: CloudEvent): void
  onHost(name: string, pid: number | null): void
}

interface Playing {
  epoch: string
  from: Checkpoint | null
}

export class CameraFleet implements CameraListener {
  readonly cameras: readonly Camera[]
  readonly #parts: FleetParts
  readonly #playing = new Map<string, Playing>()
  readonly #ledgers = new Map<string, LedgerCounts>()
  readonly #facesCounted = new Map<string, number>()
  /** Makes the keys of state events unique over restarts of the daemon. */
  readonly #startedAt = Date.now().toString(36)
  #stateChanges = 0

  constructor(parts: FleetParts) {
    this.#parts = parts
    const { config, directory, search, visitors: book, host } = parts
    const stallMs = config.timeouts.stallMs
    this.cameras = Object.keys(config.cameras).map((id) => {
      const camera = cameraConfig(config, id)
      const visitors: SessionVisitors = {
        remember: (sighting) => book.remember(id, sighting),
        keep: (track) => book.keep(id, track),
      }
      const spec = () => this.#spec(camera)
      return new Camera({ id, spec, directory, search, visitors, host, stallMs, listener: this })
    })
  }

  reports(): CameraReport[] {
    return this.cameras.map((camera) => camera.report())
  }

  /** Starts a new session of each camera that fits; resolves with their ids once they were tried. */
  async restartWhere(fits: (camera: CameraConfig) => boolean): Promise<string[]> {
    const { config } = this.#parts
    const chosen = this.cameras.filter(({ id }) => fits(cameraConfig(config, id)))
    await Promise.all(chosen.map((camera) => camera.restart()))
    return chosen.map(({ id }) => id)
  }

  /** Ages grow while nothing happens, so they are looked at when they are asked for. */
  measureAges(): void {
    for (const { id, lastFrameAgeMs } of this.reports()) {
      if (lastFrameAgeMs !== null) this.#parts.metrics.lastFrameAge(id, lastFrameAgeMs / 1000)
    }
  }

  onState(id: string, change: EventData<'camera.state'>): void {
    const { metrics, logger, config } = this.#parts
    metrics.cameraState(id, change.state)
    logger.info({ camera: id, ...change }, `camera.${change.state}`)
    const key = `${this.#startedAt}-${++this.#stateChanges}`
    const draft = {
      type: 'camera.state',
      node: config.node,
      camera: id,
      key,
      timeMs: Date.now(),
      data: change,
    } as const
    this.#parts.tell(toCloudEvent(draft))
  }

  onEvent(id: string, { event, key, timeMs, data }: Extract<FromSession, { type: 'event' }>): void {
    const { config, metrics, submit } = this.#parts
    submit(toCloudEvent({ type: event, node: config.node, camera: id, key, timeMs, data }))
    metrics.captureToEvent(Math.max(0, Date.now() - timeMs) / 1000)
  }

  onBoxes(id: string, { seq, ptsMs, boxes }: Extract<FromSession, { type: 'boxes' }>): void {
    this.#parts.bus.publishLive(boxesSubject(this.#parts.config.node, id), { seq, ptsMs, boxes })
  }

  onLedger(id: string, ledger: LedgerCounts): void {
    const before = this.#ledgers.get(id) ?? emptyLedger()
    this.#parts.metrics.frames(id, ledgerDelta(before, ledger))
    this.#ledgers.set(id, ledger)
  }

  onProgress(id: string, { progress }: Extract<FromSession, { type: 'progress' }>): void {
    const { metrics } = this.#parts
    for (const [stage, samples] of Object.entries(progress.samples)) {
      for (const ms of samples) metrics.stage(stage, ms)
    }
    metrics.faces(id, progress.faces - (this.#facesCounted.get(id) ?? 0))
    this.#facesCounted.set(id, progress.faces)
  }

  onCheckpoint(id: string, { checkpoint }: Extract<FromSession, { type: 'checkpoint' }>): void {
    const playing = this.#playing.get(id)
    if (playing) playing.from = checkpoint
    this.#parts.playbacks.checkpoint(id, checkpoint)
  }

  onComplaint(id: string, { code, message }: { code: string; message: string }): void {
    this.#parts.metrics.faceError(code)
    this.#parts.logger.warn({ camera: id, code }, message)
  }

  onFailure(id: string, error: GrabberError): void {
    this.#parts.metrics.sessionFailure(id, error.code)
    this.#parts.logger.warn({ ...error.context, camera: id, code: error.code }, error.message)
  }

  onEndOfInput(id: string): void {
    this.#parts.playbacks.end(id)
    this.#playing.delete(id)
  }

  /** The daemon stops in order: what is played now does not go on at the next start. */
  endPlaybacks(): void {
    for (const id of this.#playing.keys()) this.#parts.playbacks.end(id)
    this.#playing.clear()
  }

  onHost(id: string, pid: number | null): void {
    // A new incarnation counts from zero again.
    this.#facesCounted.delete(id)
    this.#parts.onHost(`camera:${id}`, pid)
  }

  onTransition({ event, path }: { event: string; path: string }): void {
    if (event === 'crashed') this.#parts.metrics.restarts(path.split('/').at(-1) ?? path)
  }

  #spec(camera: CameraConfig): SessionSpec {
    const { id, source, passes } = camera
    if (source.kind !== 'file') {
      throw new GrabberError('SRC_UNSUPPORTED', `${source.kind} sources are not built yet`, {
        remedy: 'use a file: source',
      })
    }
    if (statSync(source.path, { throwIfNoEntry: false })?.isFile() === false) {
      throw new GrabberError('SRC_UNSUPPORTED', 'the source is not a regular file', {
        remedy: 'give the path of a recording',
      })
    }
    const playing = this.#playing.get(id) ?? this.#beginPlayback(id, source.path)
    this.#playing.set(id, playing)
    return sessionSpec(this.#parts.config, camera, {
      camera: id,
      epoch: playing.epoch,
      // The part of a camera is played now: PTS counts from the beginning of the playback.
      originMs: Date.now() - (playing.from?.ptsBaseMs ?? 0),
      source: { kind: 'file', path: source.path, passes, speed: 1, overflow: 'drop-oldest', from: playing.from },
      picturesDir: this.#parts.picturesDir,
      faces: this.#parts.faces(camera),
    })
  }

  #beginPlayback(id: string, path: string): Playing {
    const { epoch, from } = this.#parts.playbacks.begin(id, sourceKey(path))
    return { epoch: `p${epoch}`, from }
  }
}

/** A recording that was exchanged under its name is another one: it must not go on with the old one's ids. */
function sourceKey(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat ? `${path}\n${stat.size}\n${Math.round(stat.mtimeMs)}` : path
}
