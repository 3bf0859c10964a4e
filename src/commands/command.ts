/**
 * What a command is: a name, the schema of its input, its effect. And what is answered. Types and their one constructor; runs
 * in the daemon and, for the answers, in commands.
 */
import type { z } from 'zod'
import type { ConfigProblem } from '../../config/problem.ts'
import type { ErrorCode } from '../../core/error-table.ts'

/** By which way a command came in. */
export type Door = 'nats' | 'control' | 'http'

export interface Caller {
  door: Door
  /** As far as the door knows: an address. Where it knows nothing, whoever may use that door. */
  peer: string | null
}

export interface Command {
  /** Such as `cameras.start`: the end of its subject, and its name for people. */
  name: string
  /** For people who look around with NATS's tools. */
  description: string
  /** Strict: a key that is not known is refused. */
  input: z.ZodType
  /** Whether it changes what runs; reading is logged at debug level only. */
  changes: boolean
  /** `input` has been parsed. Throws coded errors. */
  run(input: unknown, caller: Caller): unknown
}

/** The same, with the types of its input checked against its schema. */
export function command<S extends z.ZodType>(
  made: Omit<Command, 'input' | 'run'> & { input: S; run(input: z.output<S>, caller: Caller): unknown },
): Command {
  return { ...made, run: (input, caller) => made.run(input as z.output<S>, caller) }
}

export interface Refusal {
  code: ErrorCode
  message: string
  /** One for each mistake, where there are several. */
  problems?: ConfigProblem[]
}

export type Answer = { requestId: string } & ({ ok: true; data: unknown } | { ok: false; error: Refusal })
