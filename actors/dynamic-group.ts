/**
 * A group of the tree whose members come and go while it runs, as OTP's DynamicSupervisor. Runs in the daemon.
 * Its members do not need each other: they start and stop all at once, and one that hangs keeps nobody else waiting.
 */
import type { ChildSpec, RunningChild, StartContext } from './kernel/child.ts'
import { Supervisor } from './kernel/supervisor.ts'
import type { SupervisorDeps } from './kernel/supervisor-spec.ts'
import { groupPolicy } from './policies.ts'

export class DynamicGroup {
  /** Its place in the tree. */
  readonly child: ChildSpec
  readonly #deps: SupervisorDeps
  readonly #members = new Map<string, ChildSpec>()
  #supervisor: Supervisor | undefined

  /** `shutdownMs`: for all members together; above that of the slowest one, so that its own ladder comes first. */
  constructor(id: string, shutdownMs: number, deps: SupervisorDeps) {
    this.#deps = deps
    this.child = { id, restart: 'permanent', shutdownMs, start: (context) => this.#start(context) }
  }

  /** Starts the member, or leaves it for the group's own start; resolves when it was tried once. ACT_DEFECT, ACT_STOPPED. */
  async add(member: ChildSpec): Promise<void> {
    this.#members.set(member.id, member)
    await this.#supervisor?.add(member)
  }

  /** Stops the member and forgets it; nothing when there is none. */
  async remove(id: string): Promise<void> {
    this.#members.delete(id)
    if (this.#supervisor?.has(id)) await this.#supervisor.remove(id)
  }

  /** Stops the member and starts it at once, its failures forgiven; nothing while the group is not up. */
  async restart(id: string): Promise<void> {
    if (this.#supervisor?.has(id)) await this.#supervisor.restart(id)
  }

  async #start({ path }: StartContext): Promise<RunningChild> {
    const supervisor = Supervisor.start(
      { ...groupPolicy, id: this.child.id, together: true, children: [...this.#members.values()] },
      { ...this.#deps, path },
    )
    this.#supervisor = supervisor
    void supervisor.exited.then(() => {
      if (this.#supervisor === supervisor) this.#supervisor = undefined
    })
    await supervisor.ready
    return supervisor
  }
}
