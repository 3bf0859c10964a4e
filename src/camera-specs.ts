/**
 * What each session of a camera is told: from its configuration, and for a recording from where its playback stands. Runs in
 * the daemon. Owns the playbacks; the address of a camera goes from here to its host and nowhere else.
 */
import { statSync } from 'node:fs'
import { type CameraConfig, cameraConfig } from '../config/camera-config.ts'
import type { Config } from '../config/schema.ts'
import type { CameraSource } from '../config/source.ts'
import { GrabberError } from '../core/errors.ts'
import type { Checkpoint, FacesSpec, KeyframeSpec, LiveSource, SessionSpec } from '../core/wire/session-spec.ts'
import { sessionSpec } from './session-spec.ts'
import type { PlaybackTable } from './store/playback.ts'

export interface SpecParts {
  /** Per camera; `null` without faces. */
  faces(camera: CameraConfig): FacesSpec | null
  /** `null` for a camera that keeps none. */
  keyframes(camera: CameraConfig): KeyframeSpec | null
  playbacks: PlaybackTable
  picturesDir: string
}

interface Playing {
  epoch: string
  from: Checkpoint | null
}

export class CameraSpecs {
  readonly #parts: SpecParts
  readonly #playing = new Map<string, Playing>()
  /** Makes the epochs of live cameras unique over restarts of the daemon. */
  readonly #startedAt = Date.now().toString(36)

  constructor(parts: SpecParts) {
    this.#parts = parts
  }

  /** For the next incarnation of camera `id`. SRC_UNSUPPORTED, STO_UNUSABLE. */
  next(config: Config, id: string, incarnation: number): SessionSpec {
    const camera = cameraConfig(config, id)
    const { picturesDir, faces, keyframes } = this.#parts
    const shared = { camera: id, picturesDir, faces: faces(camera), keyframes: keyframes(camera) }
    if (camera.source.kind !== 'file') {
      const epoch = `l${this.#startedAt}-${incarnation}`
      const source = liveSource(camera, camera.source, config.timeouts)
      return sessionSpec(config, camera, { ...shared, epoch, originMs: null, source })
    }
    const { path } = camera.source
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      throw new GrabberError('SRC_UNSUPPORTED', 'the source is not a regular file', {
        remedy: 'give the path of a recording',
      })
    }
    const { epoch, from } = this.#playback(id, path)
    return sessionSpec(config, camera, {
      ...shared,
      epoch,
      // The part of a camera is played now: PTS counts from the beginning of the playback.
      originMs: Date.now() - (from?.ptsBaseMs ?? 0),
      source: { kind: 'file', path, passes: camera.passes, speed: 1, overflow: 'drop-oldest', from },
    })
  }

  /** The next incarnation goes on here. */
  checkpoint(id: string, checkpoint: Checkpoint): void {
    const playing = this.#playing.get(id)
    if (playing) playing.from = checkpoint
    this.#parts.playbacks.checkpoint(id, checkpoint)
  }

  /** What the camera plays, if anything, has ended in order: the next session plays anew, under another number. */
  over(id: string): void {
    if (this.#playing.delete(id)) this.#parts.playbacks.end(id)
  }

  /** The daemon stops in order: what is played now does not go on at the next start. */
  allOver(): void {
    for (const id of [...this.#playing.keys()]) this.over(id)
  }

  #playback(id: string, path: string): Playing {
    const present = this.#playing.get(id)
    if (present) return present
    const { epoch, from } = this.#parts.playbacks.begin(id, sourceKey(path))
    const playing = { epoch: `p${epoch}`, from }
    this.#playing.set(id, playing)
    return playing
  }
}

function liveSource(
  { transport, capture }: CameraConfig,
  source: Exclude<CameraSource, { kind: 'file' }>,
  { stallMs, openMs }: Config['timeouts'],
): LiveSource {
  return {
    kind: 'live',
    protocol: source.kind,
    url: source.kind === 'v4l2' ? source.device : source.url,
    transport,
    capture,
    // The daemon has called it stalled long before.
    readTimeoutMs: stallMs + openMs,
    overflow: 'drop-oldest',
  }
}

/** A recording that was exchanged under its name is another one: it must not go on with the old one's ids. */
function sourceKey(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat ? `${path}\n${stat.size}\n${Math.round(stat.mtimeMs)}` : path
}
