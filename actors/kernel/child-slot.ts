/**
 * One place in a supervisor: the child that stands there now, and what is remembered between its lives.
 * Runs in the daemon. Carries out and reports; decides nothing about restarts (supervisor.ts does), and must be told
 * what to do by one operation at a time (its lane).
 *
 * Theory. Each life of the child has a generation. A report (exit, failed start) carries the generation it belongs to, and
 * `isCurrent` fences it: what a predecessor still says after `stop()` or a new `start()` is history. Only `interrupt()`
 * may come from outside the lane, so that a start that hangs cannot keep others from stopping it.
 */
import { type Timer, within } from '../../core/clock.ts'
import { type CodedError, GrabberError, toGrabberError } from '../../core/errors.ts'
import type { BreakerState } from '../../core/event.ts'
import { Backoff } from './backoff.ts'
import type { ChildSpec, Exit, RunningChild } from './child.ts'
import type { Lane } from './lane.ts'
import { RestartWindow } from './restart-window.ts'
import type { ChildNode, ChildState, Transition } from './supervision-node.ts'
import type { SupervisorDeps, SupervisorSpec } from './supervisor-spec.ts'

type Phase =
  | { at: 'stopped' }
  | { at: 'starting'; abort: AbortController; arrival: Promise<RunningChild> }
  | { at: 'running'; abort: AbortController; child: RunningChild; healthy: Timer | undefined }
  | { at: 'waiting'; timer: Timer; dueMs: number }

/** What a slot tells its supervisor. */
export interface SlotReports {
  /** The child of `generation` is gone, or never came to be. */
  exited(slot: ChildSlot, generation: number, exit: Exit): void
  transition(transition: Omit<Transition, 'path'>): void
}

export class ChildSlot {
  readonly spec: ChildSpec
  readonly lane: Lane
  /** Restarts that count against this child alone (quarantine under one_for_one). */
  readonly window: RestartWindow
  readonly backoff: Backoff
  quarantined = false
  readonly #policy: SupervisorSpec
  readonly #deps: SupervisorDeps & { path: string }
  readonly #reports: SlotReports
  #phase: Phase = { at: 'stopped' }
  #generation = 0
  #attempt = 0
  #started = false
  #restarts = 0
  #lastError: CodedError | null = null

  constructor(
    spec: ChildSpec,
    lane: Lane,
    policy: SupervisorSpec,
    deps: SupervisorDeps & { path: string },
    reports: SlotReports,
  ) {
    this.spec = spec
    this.lane = lane
    this.window = new RestartWindow(policy.intensity, policy.periodMs)
    this.backoff = new Backoff(policy.backoff, deps.random)
    this.#policy = policy
    this.#deps = deps
    this.#reports = reports
  }

  get idle(): boolean {
    return this.#phase.at === 'stopped'
  }

  get waiting(): boolean {
    return this.#phase.at === 'waiting'
  }

  get starting(): boolean {
    return this.#phase.at === 'starting'
  }

  get restarts(): number {
    return this.#restarts
  }

  isCurrent(generation: number): boolean {
    return generation === this.#generation
  }

  /** Starts the child; false when the start failed (reported as a crash) or was interrupted (then `stop` must follow). */
  async start(): Promise<boolean> {
    const generation = ++this.#generation
    if (this.#started) this.#restarts++
    this.#started = true
    const abort = new AbortController()
    const arrival = this.#launch(abort.signal)
    this.#phase = { at: 'starting', abort, arrival }
    let interrupt = () => {}
    const interrupted = new Promise<undefined>((resolve) => {
      interrupt = () => resolve(undefined)
    })
    abort.signal.addEventListener('abort', interrupt, { once: true })
    try {
      const child = await Promise.race([arrival, interrupted])
      if (child === undefined) return false
      this.#run(generation, abort, child)
      return true
    } catch (error) {
      this.#gone(generation, { kind: 'crash', error: toGrabberError(error) })
      return false
    } finally {
      abort.signal.removeEventListener('abort', interrupt)
    }
  }

  /** Starts the child again after `delayMs`, by calling `due`; cancelled by `stop` and `interrupt`. */
  wait(delayMs: number, due: () => void): void {
    const timer = this.#deps.clock.after(delayMs, due)
    this.#phase = { at: 'waiting', timer, dueMs: this.#deps.clock.monotonicMs() + delayMs }
    this.#attempt++
    this.#report({ event: this.quarantined ? 'quarantined' : 'backing_off', delayMs })
  }

  /** The wait is over; `start` may follow. */
  wake(): void {
    if (this.#phase.at === 'waiting') this.#phase = { at: 'stopped' }
  }

  /** Cuts short what only waits: a start in progress, a back-off. Callable from outside the lane; `stop` must follow. */
  interrupt(): void {
    if (this.#phase.at === 'starting') this.#phase.abort.abort(this.#stopReason())
    if (this.#phase.at === 'waiting') this.#phase.timer.cancel()
  }

  /** The child is gone afterwards, or its signal is aborted because it was not within `shutdownMs`. */
  async stop(): Promise<void> {
    const phase = this.#phase
    // Also when it is gone already: an exit that nobody has dealt with yet is dealt with by this.
    this.#generation++
    if (phase.at === 'stopped') return
    this.interrupt()
    this.#phase = { at: 'stopped' }
    let error: GrabberError | undefined
    if (phase.at === 'starting') error = await this.#stopLate(phase.arrival)
    if (phase.at === 'running') {
      phase.healthy?.cancel()
      error = await this.#bounded(() => phase.child.stop())
      if (error !== undefined) phase.abort.abort(error)
    }
    this.#report({ event: 'stopped', ...(error === undefined ? {} : { error: error.toJSON() }) })
  }

  /** It is known to be healthy: its failures are forgiven, and that is told. */
  recover(): void {
    if (this.#attempt === 0) return
    this.forgive()
    this.#report({ event: 'recovered' })
  }

  /** Forgets the failures so far: the child is trusted again. */
  forgive(): void {
    this.backoff.reset()
    this.window.clear()
    this.quarantined = false
    this.#attempt = 0
  }

  inspect(): ChildNode {
    const phase = this.#phase
    const nextRetryMs = phase.at === 'waiting' ? Math.max(0, phase.dueMs - this.#deps.clock.monotonicMs()) : null
    const node: ChildNode = {
      id: this.spec.id,
      restart: this.spec.restart,
      state: this.#state(),
      breaker: this.#breaker(),
      attempt: this.#attempt,
      restarts: this.#restarts,
      lastError: this.#lastError,
      nextRetryMs,
    }
    if (phase.at === 'running' && phase.child.inspect !== undefined) node.detail = phase.child.inspect()
    return node
  }

  #state(): ChildState {
    if (this.#phase.at === 'stopped') return 'stopped'
    if (this.quarantined) return 'quarantined'
    return this.#phase.at === 'waiting' ? 'backing_off' : this.#phase.at
  }

  #breaker(): BreakerState {
    if (!this.quarantined) return 'closed'
    return this.#phase.at === 'starting' || this.#phase.at === 'running' ? 'half-open' : 'open'
  }

  async #launch(signal: AbortSignal): Promise<RunningChild> {
    return this.spec.start({ attempt: this.#attempt, path: `${this.#deps.path}/${this.spec.id}`, signal })
  }

  #run(generation: number, abort: AbortController, child: RunningChild): void {
    const { backoffResetMs } = this.#policy
    const healthy = backoffResetMs === null ? undefined : this.#deps.clock.after(backoffResetMs, () => this.recover())
    this.#phase = { at: 'running', abort, child, healthy }
    this.#report({ event: 'started' })
    const gone = (exit: Exit) => {
      if (!this.isCurrent(generation)) return
      healthy?.cancel()
      this.#gone(generation, exit)
    }
    child.exited.then(gone, (error) => gone({ kind: 'crash', error: toGrabberError(error) }))
  }

  #gone(generation: number, exit: Exit): void {
    this.#phase = { at: 'stopped' }
    if (exit.kind === 'crash') this.#lastError = exit.error.toJSON()
    this.#report(exit.kind === 'crash' ? { event: 'crashed', error: exit.error.toJSON() } : { event: 'exited' })
    this.#reports.exited(this, generation, exit)
  }

  /** A start that was given up may still bring forth a child: it is stopped whenever it arrives. */
  #stopLate(arrival: Promise<RunningChild>): Promise<GrabberError | undefined> {
    return this.#bounded(() =>
      arrival.then(
        (child) => child.stop(),
        (error) =>
          this.#deps.logger.debug({ child: this.spec.id, error: toGrabberError(error).line }, 'start given up'),
      ),
    )
  }

  async #bounded(stop: () => Promise<void>): Promise<GrabberError | undefined> {
    try {
      if ((await within(this.#deps.clock, this.spec.shutdownMs, stop())) !== undefined) return undefined
    } catch (error) {
      return toGrabberError(error)
    }
    return new GrabberError('ACT_DEADLINE', `${this.spec.id} did not stop within ${this.spec.shutdownMs} ms`)
  }

  #stopReason(): GrabberError {
    return new GrabberError('ACT_STOPPED', `${this.spec.id} is being stopped`)
  }

  #report(transition: Pick<Transition, 'event' | 'delayMs' | 'error'>): void {
    this.#reports.transition({ child: this.spec.id, attempt: this.#attempt, breaker: this.#breaker(), ...transition })
  }
}
