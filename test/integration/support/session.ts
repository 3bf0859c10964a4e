/** A tiny daemon for the session host: a real engine, a real host, a job around it, and what they said. */

import { EngineDirectory } from '../../../actors/engine-directory.ts'
import type { HostSettings } from '../../../actors/host-settings.ts'
import { ReplayJob, type ReplayOptions, type ReplayOutcome, type ReplayVisitors } from '../../../actors/replay-job.ts'
import { configSchema } from '../../../config/schema.ts'
import { systemClock } from '../../../core/clock.ts'
import type { CloudEvent, EventData } from '../../../core/event.ts'
import type { GalleryHit } from '../../../core/observation.ts'
import type { FileSource, SessionSpec } from '../../../core/wire/session-spec.ts'
import type { StreamInfo } from '../../../core/wire/stream-info.ts'
import { facesSpec } from '../../../src/face-models.ts'
import { hostSettings } from '../../../src/host-settings.ts'
import { sessionSpec } from '../../../src/session-spec.ts'
import { RecordingLogger } from '../../unit/recording-logger.ts'
import { type EngineProcess, startEngine } from './engine.ts'

export type TrackEvent = CloudEvent & { data: EventData<'face.track'> }

export interface Replayed {
  outcome: ReplayOutcome
  stream: StreamInfo
  events: CloudEvent[]
  /** Templates that the gallery was asked for, in order; L2-normalised. */
  probes: Float32Array[]
}

const config = configSchema.parse({ defaults: { faces: { detector: 'yunet', embedder: 'face-reid-0095' } } })
export const faces = facesSpec(config)

/** What the session host of a recording is told; a test changes what it is about. */
export function recordingSpec(path: string, changes: Partial<SessionSpec<FileSource>> = {}): SessionSpec<FileSource> {
  const spec = sessionSpec(config, config.defaults, {
    camera: 'cam',
    epoch: 'test',
    originMs: 0,
    source: { kind: 'file', path, passes: 1, speed: null, overflow: 'wait', from: null },
    picturesDir: null,
    faces,
  })
  return { ...spec, ...changes }
}

/** Nobody is ever told again. */
export const noVisitors: ReplayVisitors = {
  remember: async () => null,
  keep: async () => undefined,
  mark: () => undefined,
  rewind: () => undefined,
}

export class Rig implements AsyncDisposable {
  readonly directory = new EngineDirectory()
  readonly logger = new RecordingLogger()
  readonly host: HostSettings
  #engine: EngineProcess | undefined

  constructor(timeouts: Partial<Pick<HostSettings, 'silenceMs' | 'stopMs' | 'killMs' | 'helloMs'>> = {}) {
    this.host = { ...hostSettings(config, this.logger), clock: systemClock, ...timeouts }
  }

  static async open(timeouts: ConstructorParameters<typeof Rig>[0] = {}): Promise<Rig> {
    const rig = new Rig(timeouts)
    await rig.startEngine()
    return rig
  }

  async startEngine(): Promise<void> {
    this.#engine = await startEngine()
    this.directory.set('cpu', this.#engine.endpoint)
  }

  /** Kills the engine and tells everybody that it is gone. */
  async killEngine(): Promise<void> {
    await this.#engine?.kill()
    this.#engine = undefined
    this.directory.set('cpu', null)
  }

  job(
    spec: SessionSpec<FileSource>,
    options: Partial<ReplayOptions> = {},
  ): { job: ReplayJob; done: Promise<Replayed> } {
    const events: CloudEvent[] = []
    const probes: Float32Array[] = []
    const { search, onEvent, ...others } = options
    const job = new ReplayJob({
      name: 'test',
      spec,
      directory: this.directory,
      host: this.host,
      visitors: noVisitors,
      search: async (embedding, k) => {
        probes.push(embedding)
        return search?.(embedding, k) ?? []
      },
      onEvent: (event) => {
        events.push(event)
        onEvent?.(event)
      },
      ...others,
    })
    const done = job.run().then((outcome) => ({ outcome, stream: outcome.stream, events, probes }))
    return { job, done }
  }

  replay(spec: SessionSpec<FileSource>, options: Partial<ReplayOptions> = {}): Promise<Replayed> {
    return this.job(spec, options).done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killEngine()
  }
}

export function tracksOf(events: readonly CloudEvent[], phase: 'new' | 'update' | 'end'): TrackEvent[] {
  return events.filter(
    (event): event is TrackEvent =>
      event.type === 'face.track' && (event.data as EventData<'face.track'>).phase === phase,
  )
}

/** A gallery of one or more embeddings a person, searched as the real one is: nearest embedding of each subject. */
export function galleryOf(people: Record<string, readonly Float32Array[]>) {
  return async (probe: Float32Array, k: number): Promise<GalleryHit[]> =>
    Object.entries(people)
      .map(([subject, known]) => ({ subject, similarity: Math.max(...known.map((one) => cosine(one, probe))) }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, k)
}

/** Of L2-normalised vectors. */
export function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0)
}
