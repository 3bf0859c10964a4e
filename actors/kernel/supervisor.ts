/**
 * Starts children in order, restarts those that fail, stops them in reverse. Runs in the daemon.
 * Must never be ended by what a child does, unless its specification says `escalate`.
 *
 * Theory (Erlang/OTP, "supervisor", whose words these are, with their meanings):
 *
 * - Children start in the order of their specifications and stop in reverse, each within its `shutdownMs`; those that do
 *   not need each other may do both all at once (`together`, OTP's simple_one_for_one).
 * - A child that ends is restarted according to its restart type. The strategy says who else falls with it: nobody
 *   (one_for_one), everybody (one_for_all), those started after it (rest_for_one). Those that fall are stopped in
 *   reverse order and started in order.
 * - More than `intensity` restarts within `periodMs` are too many: the supervisor stops its children and crashes itself, so
 *   that its own supervisor decides (escalation).
 *
 * Two departures:
 *
 * - Back-off. OTP restarts at once; what a camera or a network breaks does not mend at once. The failed child waits, growing
 *   with each failure and forgotten once it ran `backoffResetMs`. Those that fall with it wait with it. A start that
 *   throws is a crash of that child, not of the supervisor.
 * - Quarantine instead of escalation, where `onExceeded` says so: the child is started once per probe interval until it
 *   survives `backoffResetMs`. This is the circuit breaker as well (Nygard, Release It!): closed, open in quarantine,
 *   half-open under a probe; there is no second one beside it. The tree above never hears of it. Under one_for_one restarts are then counted per child: one
 *   camera's crashes are no evidence against another.
 *
 * Concurrency. What falls together stands in one lane and changes one operation at a time; under one_for_one each child
 * has its own, so that a start that hangs keeps nobody else down. `stop` and `remove` interrupt before they queue.
 */
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { ChildSpec, Exit, RunningChild } from './child.ts'
import { ChildSlot, type SlotReports } from './child-slot.ts'
import { Lane } from './lane.ts'
import { RestartWindow } from './restart-window.ts'
import type { SupervisionNode } from './supervision-node.ts'
import { checkChildSpec, checkSupervisorSpec, type SupervisorDeps, type SupervisorSpec } from './supervisor-spec.ts'

export class Supervisor implements RunningChild {
  readonly exited: Promise<Exit>
  /** Resolves when each child of the specification was tried once, in order. */
  readonly ready: Promise<void>
  readonly #spec: SupervisorSpec
  readonly #deps: SupervisorDeps & { path: string }
  readonly #reports: SlotReports
  readonly #window: RestartWindow
  /** One lane for all when children fall together; otherwise `undefined`, and each has its own. */
  readonly #sharedLane: Lane | undefined
  readonly #settleExit: (exit: Exit) => void
  #slots: ChildSlot[] = []
  #state: SupervisionNode['state'] = 'running'
  /** Restarts of children that are gone. */
  #pastRestarts = 0

  /** Starts the children; throws ACT_DEFECT when the specification is not sound. Await `ready` for their first try. */
  static start(spec: SupervisorSpec, deps: SupervisorDeps): Supervisor {
    checkSupervisorSpec(spec)
    return new Supervisor(spec, deps)
  }

  private constructor(spec: SupervisorSpec, deps: SupervisorDeps) {
    this.#spec = spec
    this.#deps = { ...deps, path: deps.path ?? spec.id }
    this.#reports = {
      exited: (slot, generation, exit) => void slot.lane.run(() => this.#onExit(slot, generation, exit)),
      transition: (transition) => this.#publish(transition),
    }
    this.#window = new RestartWindow(spec.intensity, spec.periodMs)
    this.#sharedLane = spec.strategy === 'one_for_one' ? undefined : new Lane()
    const { promise, resolve } = Promise.withResolvers<Exit>()
    this.exited = promise
    this.#settleExit = resolve
    this.#slots = spec.children.map((child) => this.#slot(child))
    this.ready = this.#startAll()
  }

  has(id: string): boolean {
    return this.#slots.some((slot) => slot.spec.id === id)
  }

  /** Adds a child after the others; resolves when it was tried once. Throws ACT_DEFECT when the id is taken. */
  async add(spec: ChildSpec): Promise<void> {
    checkChildSpec(spec)
    if (this.#state !== 'running') throw new GrabberError('ACT_STOPPED', `${this.#deps.path} is being stopped`)
    if (this.has(spec.id)) throw new GrabberError('ACT_DEFECT', `${this.#deps.path} has a child ${spec.id} already`)
    const slot = this.#slot(spec)
    this.#slots.push(slot)
    await slot.lane.run(async () => {
      // While its group waits to be restarted, the newcomer waits with it.
      const groupIsDown = this.#sharedLane !== undefined && this.#slots.some((other) => other.waiting)
      if (!groupIsDown) await this.#startSlots([slot])
    })
  }

  /** Stops a child and forgets it. Throws ACT_DEFECT when there is none. */
  async remove(id: string): Promise<void> {
    const slot = this.#find(id)
    const others = this.#group(slot).filter((other) => other !== slot)
    const othersWaitForIt = slot.waiting || slot.starting
    slot.interrupt()
    await slot.lane.run(async () => {
      await slot.stop()
      this.#forget(slot)
      if (othersWaitForIt) await this.#startSlots(others)
    })
  }

  /**
   * Stops a child and those that fall with it, forgives its failures, and starts them at once; resolves when they were
   * tried. Throws ACT_DEFECT when there is none.
   */
  async restart(id: string): Promise<void> {
    const slot = this.#find(id)
    slot.interrupt()
    await slot.lane.run(async () => {
      await this.#fell(slot)
      await slot.stop()
      slot.forgive()
      this.#window.clear()
      await this.#startSlots(this.#group(slot))
    })
  }

  /** The child has shown that it is healthy, as `backoffResetMs` would: back-off and quarantine are over. ACT_DEFECT. */
  forgive(id: string): void {
    this.#find(id).recover()
  }

  async stop(): Promise<void> {
    this.#shutDown({ kind: 'shutdown' })
    await this.exited
  }

  inspect(): SupervisionNode {
    return {
      id: this.#spec.id,
      path: this.#deps.path,
      strategy: this.#spec.strategy,
      state: this.#state,
      restarts: this.#slots.reduce((sum, slot) => sum + slot.restarts, this.#pastRestarts),
      children: this.#slots.map((slot) => slot.inspect()),
    }
  }

  async #startAll(): Promise<void> {
    if (this.#sharedLane !== undefined) return this.#sharedLane.run(() => this.#startSlots(this.#slots))
    const start = (slot: ChildSlot) => slot.lane.run(() => this.#startSlots([slot]))
    if (this.#spec.together) await Promise.all(this.#slots.map(start))
    else for (const slot of [...this.#slots]) await start(slot)
  }

  /** In order, those that do not run. A failure ends it: the failed child's own restart raises the rest. */
  async #startSlots(slots: readonly ChildSlot[]): Promise<void> {
    for (const slot of [...slots]) {
      if (this.#state !== 'running' || !this.#slots.includes(slot)) return
      if (slot.idle && !(await slot.start())) return
    }
  }

  async #onExit(slot: ChildSlot, generation: number, exit: Exit): Promise<void> {
    if (this.#state !== 'running' || !slot.isCurrent(generation)) return
    if (!isRestarted(slot.spec, exit)) {
      if (slot.spec.restart === 'temporary') this.#forget(slot)
      return
    }
    const weight = exit.kind === 'crash' ? this.#spec.weigh?.(exit.error) : undefined
    if (!slot.quarantined && this.#windowOf(slot).exceededBy(this.#deps.clock.monotonicMs(), weight)) {
      if (this.#spec.onExceeded === 'escalate')
        return this.#shutDown({ kind: 'crash', error: this.#tooMany(slot, exit) })
      slot.quarantined = true
    }
    await this.#fell(slot)
    if (this.#state !== 'running') return
    slot.wait(this.#delayMs(slot), () => void slot.lane.run(() => this.#onDue(slot)))
  }

  async #onDue(slot: ChildSlot): Promise<void> {
    if (this.#state !== 'running' || !slot.waiting) return
    slot.wake()
    await this.#startSlots(this.#group(slot))
  }

  /** Stops those that fall with `slot`, in reverse order. Temporary ones are gone for good, as in OTP. */
  async #fell(slot: ChildSlot): Promise<void> {
    for (const other of this.#group(slot).reverse()) {
      if (other === slot) continue
      await other.stop()
      if (other.spec.restart === 'temporary') this.#forget(other)
    }
  }

  #group(slot: ChildSlot): ChildSlot[] {
    const index = this.#slots.indexOf(slot)
    if (index < 0 || this.#spec.strategy === 'one_for_one') return [slot]
    return this.#slots.slice(this.#spec.strategy === 'one_for_all' ? 0 : index)
  }

  #windowOf(slot: ChildSlot): RestartWindow {
    return this.#spec.onExceeded !== 'escalate' && this.#sharedLane === undefined ? slot.window : this.#window
  }

  #delayMs(slot: ChildSlot): number {
    if (slot.quarantined && this.#spec.onExceeded !== 'escalate') return this.#spec.onExceeded.quarantineProbeMs
    return Math.max(slot.backoff.nextMs(), this.#spec.leastDelayMs?.() ?? 0)
  }

  #tooMany(slot: ChildSlot, exit: Exit): GrabberError {
    const { intensity, periodMs } = this.#spec
    const cause = exit.kind === 'crash' ? exit.error : undefined
    const last = cause === undefined ? `${slot.spec.id} ended` : cause.message
    return new GrabberError(
      cause?.code ?? 'ACT_DEFECT',
      `${this.#deps.path}: more than ${intensity} restarts in ${periodMs} ms, the last because: ${last}`,
      { cause, context: { path: this.#deps.path, child: slot.spec.id } },
    )
  }

  #shutDown(exit: Exit): void {
    if (this.#state !== 'running') return
    this.#state = 'stopping'
    const slots = [...this.#slots].reverse()
    for (const slot of slots) slot.interrupt()
    void this.#stopAll(slots).then(() => {
      this.#state = 'stopped'
      this.#settleExit(exit)
    })
  }

  async #stopAll(slots: ChildSlot[]): Promise<void> {
    const stop = (slot: ChildSlot) => slot.lane.run(() => slot.stop())
    if (this.#spec.together) await Promise.all(slots.map(stop))
    else for (const slot of slots) await stop(slot)
  }

  #slot(spec: ChildSpec): ChildSlot {
    return new ChildSlot(spec, this.#sharedLane ?? new Lane(), this.#spec, this.#deps, this.#reports)
  }

  #find(id: string): ChildSlot {
    const slot = this.#slots.find((candidate) => candidate.spec.id === id)
    if (slot === undefined) throw new GrabberError('ACT_DEFECT', `${this.#deps.path} has no child ${id}`)
    return slot
  }

  #forget(slot: ChildSlot): void {
    this.#slots = this.#slots.filter((other) => other !== slot)
    this.#pastRestarts += slot.restarts
  }

  #publish(transition: Parameters<SlotReports['transition']>[0]): void {
    const full = { path: this.#deps.path, ...transition }
    const level = transition.event === 'crashed' || transition.error !== undefined ? 'warn' : 'debug'
    this.#deps.logger[level](full, `child ${transition.event}`)
    try {
      this.#deps.onTransition?.(full)
    } catch (error) {
      this.#deps.logger.error({ error: toGrabberError(error).line }, 'a transition listener threw')
    }
  }
}

function isRestarted(spec: ChildSpec, exit: Exit): boolean {
  return spec.restart === 'permanent' || (spec.restart === 'transient' && exit.kind === 'crash')
}
