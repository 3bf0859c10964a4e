/**
 * A camera with a host that does as it is told (test/fixtures/hosts/camera.ts): time is virtual, processes are real. Test
 * support.
 */
import { expect } from 'vitest'
import { Camera } from '../../../actors/camera.ts'
import type { CameraListener } from '../../../actors/camera-report.ts'
import { EngineDirectory } from '../../../actors/engine-directory.ts'
import type { HostSettings } from '../../../actors/host-settings.ts'
import type { RunningChild } from '../../../actors/kernel/child.ts'
import { Turnstile } from '../../../actors/kernel/turnstile.ts'
import type { ReconnectPolicy } from '../../../actors/reconnect.ts'
import { configSchema } from '../../../config/schema.ts'
import type { GrabberError } from '../../../core/errors.ts'
import type { BreakerState, EventData } from '../../../core/event.ts'
import type { LedgerCounts } from '../../../core/ledger.ts'
import type { Logger } from '../../../core/ports.ts'
import type { SessionSpec } from '../../../core/wire/session-spec.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { settle, VirtualClock } from '../virtual-clock.ts'

export const NEVER_MS = 1e9
export const STALL_MS = 20_000
export const OPEN_MS = 10_000
/** In the addresses of all cameras here. */
export const PASSWORD = 'hush-hush'

const entry = new URL('../../fixtures/hosts/camera.ts', import.meta.url)

/** Deadlines that real processes cannot miss in virtual time. */
export function hostSettings(clock: VirtualClock, logger: Logger): HostSettings {
  const times = { helloMs: NEVER_MS, silenceMs: NEVER_MS, stopMs: NEVER_MS, killMs: NEVER_MS }
  return { sessionEntry: entry, engineEntry: entry, ...times, clock, logger }
}

/** `lives` as the host reads them. */
export const address = (lives: string) => `rtsp://viewer:${PASSWORD}@camera/?lives=${lives}`

export interface TrialOptions {
  lives: string
  enabled?: boolean
  reconnect?: Partial<ReconnectPolicy>
  spec?: () => SessionSpec
}

export class CameraTrial {
  readonly clock = new VirtualClock()
  readonly logger = new RecordingLogger()
  readonly states: EventData<'camera.state'>[] = []
  readonly breakers: BreakerState[] = []
  readonly failures: GrabberError[] = []
  readonly complaints: string[] = []
  readonly pids: number[] = []
  overs = 0
  ledger: LedgerCounts | undefined
  readonly camera: Camera
  running: RunningChild | undefined
  #incarnations = 0

  constructor({ lives, enabled = true, reconnect, spec }: TrialOptions) {
    const listener: CameraListener = {
      onState: (_, change) => this.states.push(change),
      onBreaker: (_, breaker) => this.breakers.push(breaker),
      onEvent: () => undefined,
      onBoxes: () => undefined,
      onLedger: (_, ledger) => {
        this.ledger = ledger
      },
      onProgress: () => undefined,
      onCheckpoint: () => undefined,
      onEnded: () => undefined,
      onComplaint: (_, { message }) => this.complaints.push(message),
      onFailure: (_, error) => {
        this.logger.warn({ ...error.context }, error.message)
        this.failures.push(error)
      },
      onOver: () => {
        this.overs++
      },
      onHost: (_, pid) => {
        if (pid !== null) this.pids.push(pid)
      },
      onTransition: () => undefined,
    }
    const source = { kind: 'live', url: address(lives) }
    this.camera = new Camera({
      id: 'yard',
      enabled,
      settings: () => ({
        host: hostSettings(this.clock, this.logger),
        stallMs: STALL_MS,
        reconnect: { ...configSchema.parse({}).reconnect, ...reconnect },
      }),
      spec: spec ?? (() => ({ camera: 'yard', source, openTimeoutMs: OPEN_MS }) as unknown as SessionSpec),
      nextIncarnation: () => ++this.#incarnations,
      directory: new EngineDirectory(),
      search: async () => [],
      visitors: { remember: async () => null, keep: async () => undefined },
      turnstile: new Turnstile(1),
      listener,
    })
  }

  async start(): Promise<void> {
    const signal = new AbortController().signal
    this.running = await this.camera.child.start({ attempt: 0, path: 'root/cameras/camera:yard', signal })
  }

  async end(): Promise<void> {
    await this.running?.stop()
    expect(this.clock.pendingTimers).toBe(0)
  }

  /** Has the host do something, which it can only while it is connected. */
  order(reason: string): void {
    expect(this.camera.trigger({ reason, holdMs: 0, keyframe: false })).toBe(true)
  }

  /** Waits in real time: processes take it. */
  async until(what: string, holds: () => boolean): Promise<void> {
    await expect.poll(holds, { message: what, timeout: 12_000, interval: 2 }).toBe(true)
    await settle()
  }

  /** The camera is in `state`. */
  is(state: string): Promise<void> {
    return this.until(`it is ${state}, after ${this.story.join(' ')}`, () => this.camera.report().state === state)
  }

  /** Time passes while frames come. */
  async frames(ms: number): Promise<void> {
    for (let leftMs = ms; leftMs > 0; leftMs -= STALL_MS / 2) {
      const { captured } = this.camera.report().ledger
      this.order('frame')
      await this.until('the frame is heard of', () => this.camera.report().ledger.captured > captured)
      await this.clock.advance(Math.min(leftMs, STALL_MS / 2))
    }
  }

  /** Lets the pause before the next attempt pass. */
  async pause(): Promise<void> {
    const { nextRetryMs } = this.camera.report()
    expect(nextRetryMs).not.toBeNull()
    await this.clock.advance(nextRetryMs! + 1)
  }

  get story(): string[] {
    return this.states.map(({ state }) => state)
  }

  get lastState(): EventData<'camera.state'> {
    return this.states.at(-1)!
  }
}
