/**
 * Children that a test lets live and die as it likes, and a supervisor over them on virtual time. Test support.
 */

import type { ChildSpec, Exit, RestartType, RunningChild, StartContext } from '../../../actors/kernel/child.ts'
import type { ChildState, Transition } from '../../../actors/kernel/supervision-node.ts'
import { Supervisor } from '../../../actors/kernel/supervisor.ts'
import type { SupervisorSpec } from '../../../actors/kernel/supervisor-spec.ts'
import { GrabberError } from '../../../core/errors.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { settle, VirtualClock } from '../virtual-clock.ts'

export interface Life {
  context: StartContext
  /** Ends this life from inside. */
  exit(exit: Exit): void
}

export interface ChildOptions {
  restart?: RestartType
  shutdownMs?: number
  /** `stop()` never resolves. */
  stubborn?: boolean
  /** Called at each start with its number, from 1; a throw fails the start, a promise delays it. */
  onStart?: (start: number) => void | Promise<void>
}

export const crash = (message = 'boom'): Exit => ({ kind: 'crash', error: new GrabberError('SRC_TIMEOUT', message) })

export class Nursery {
  readonly clock = new VirtualClock()
  readonly logger = new RecordingLogger()
  /** `+a` when a started, `-a` when a was told to stop. */
  readonly log: string[] = []
  readonly transitions: Transition[] = []
  readonly lives = new Map<string, Life[]>()

  child(id: string, options: ChildOptions = {}): ChildSpec {
    const lives: Life[] = []
    this.lives.set(id, lives)
    let starts = 0
    return {
      id,
      restart: options.restart ?? 'permanent',
      shutdownMs: options.shutdownMs ?? 1000,
      start: async (context): Promise<RunningChild> => {
        await options.onStart?.(++starts)
        this.log.push(`+${id}`)
        const { promise, resolve } = Promise.withResolvers<Exit>()
        lives.push({ context, exit: resolve })
        return {
          exited: promise,
          stop: async () => {
            this.log.push(`-${id}`)
            if (options.stubborn) return new Promise(() => {})
            resolve({ kind: 'shutdown' })
          },
        }
      },
    }
  }

  /** The present life of a child. */
  life(id: string): Life {
    return this.lives.get(id)!.at(-1)!
  }

  starts(id: string): number {
    return this.lives.get(id)!.length
  }

  /** Crashes a child and lets the supervisor see it. */
  async crash(id: string, message?: string): Promise<void> {
    this.life(id).exit(crash(message))
    await settle()
  }

  /** Delays are 100, 200, 400, 800, 1000, 1000 … ms, without jitter. */
  spec(children: ChildSpec[], overrides: Partial<SupervisorSpec> = {}): SupervisorSpec {
    return {
      id: 'top',
      strategy: 'one_for_one',
      intensity: 3,
      periodMs: 60_000,
      backoff: { minMs: 100, maxMs: 1000, factor: 2, jitterRatio: 0 },
      backoffResetMs: 10_000,
      onExceeded: 'escalate',
      children,
      ...overrides,
    }
  }

  async start(children: ChildSpec[], overrides: Partial<SupervisorSpec> = {}): Promise<Supervisor> {
    const supervisor = Supervisor.start(this.spec(children, overrides), {
      clock: this.clock,
      logger: this.logger,
      onTransition: (transition) => this.transitions.push(transition),
    })
    await settle()
    return supervisor
  }

  /** What happened to a child, in order. */
  story(id: string): string[] {
    return this.transitions.filter((transition) => transition.child === id).map((transition) => transition.event)
  }
}

export function states(supervisor: Supervisor): Record<string, ChildState> {
  return Object.fromEntries(supervisor.inspect().children.map((child) => [child.id, child.state]))
}

/** The exit when it has happened, otherwise `undefined`. */
export async function exitNow(child: RunningChild): Promise<Exit | undefined> {
  await settle()
  return Promise.race([child.exited, Promise.resolve(undefined)])
}
