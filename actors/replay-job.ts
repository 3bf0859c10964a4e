/**
 * A replay: one recording through a session until it ends or cannot (recording-run). Runs in the daemon, or in the command that
 * replays. Owns which events were taken: nothing is lost and nothing comes twice, by id.
 */
import { type CloudEvent, toCloudEvent } from '../core/event.ts'
import type { FromSession } from '../core/wire/control.ts'
import type { FileSource, SessionSpec } from '../core/wire/session-spec.ts'
import { type RecordingOutcome, RecordingRun, type RecordingRunOptions } from './recording-run.ts'
import type { SessionVisitors } from './session-process.ts'

/** The people without a name whom a replay meets. What a dead incarnation did after its last checkpoint is taken back. */
export interface ReplayVisitors extends SessionVisitors {
  mark(): void
  rewind(): void
}

export interface ReplayOptions
  extends Pick<RecordingRunOptions, 'name' | 'directory' | 'search' | 'host' | 'onProgress' | 'onRestart'> {
  spec: SessionSpec<FileSource>
  visitors: ReplayVisitors
  /** Each event once, in order. A throw ends the job with that error. */
  onEvent(event: CloudEvent): void
}

export type ReplayOutcome = RecordingOutcome

export class ReplayJob {
  readonly #options: ReplayOptions
  readonly #run: RecordingRun
  /** Ids since the last checkpoint: only these can come again. */
  #seen = new Set<string>()

  constructor(options: ReplayOptions) {
    this.#options = options
    const { visitors, spec } = options
    this.#run = new RecordingRun({
      ...options,
      from: spec.source.from,
      onBegin: () => visitors.rewind(),
      listener: {
        onEvent: (message) => this.#take(message),
        onCheckpoint: () => {
          this.#seen.clear()
          visitors.mark()
        },
      },
    })
  }

  /** Runs to the end, with the errors of `RecordingRun.run`. */
  run(): Promise<ReplayOutcome> {
    this.#options.visitors.mark()
    return this.#run.run()
  }

  /** Ends early: what is in flight is finished, and the outcome says `stopped`. */
  stop(): Promise<void> {
    return this.#run.stop()
  }

  inspect(): unknown {
    return this.#run.inspect()
  }

  #take({ event, key, timeMs, data }: Extract<FromSession, { type: 'event' }>): void {
    const { node, camera } = this.#options.spec
    const cloud = toCloudEvent({ type: event, node, camera, key, timeMs, data })
    if (this.#seen.has(cloud.id)) return
    try {
      this.#options.onEvent(cloud)
    } catch (error) {
      // Where the events go is broken, not the session: doing it again would not help, and might write one twice.
      this.#run.fail(error)
      throw error
    }
    this.#seen.add(cloud.id)
  }
}
