/**
 * Takes commands from every door: finds, checks, runs, answers, and writes who asked for what into the log. Runs in the daemon.
 * Must never wait for one command before it takes the next, nor put the input of one into the log: it may hold an address with a
 * password.
 */
import { type ConfigProblem, problemLine, problemsOf } from '../../config/problem.ts'
import { type Clock, within } from '../../core/clock.ts'
import { errorTable } from '../../core/error-table.ts'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import type { Answer, Caller, Command, Refusal } from './command.ts'
import { badRequest, type RawInput, readRequest } from './read-request.ts'
import { freshRequestId, REQUEST_ID_FORM, requestIdOf } from './request-id.ts'

/** More than people and their scripts ask at once; each may hold a camera that is being stopped, or a search of the network. */
const MOST_AT_ONCE = 16
/** Above the time in which a camera is stopped and tried again (7 s and 15 s by default). */
const ANSWER_LIMIT_MS = 30_000

export interface CommandDeskOptions {
  commands: readonly Command[]
  clock: Clock
  logger: Logger
}

/** What a door hands over. */
export interface Call extends Caller {
  headers: Record<string, string | undefined>
  input: RawInput
}

export class CommandDesk {
  readonly commands: readonly Command[]
  readonly #clock: Clock
  readonly #logger: Logger
  #underWay = 0

  constructor({ commands, clock, logger }: CommandDeskOptions) {
    this.commands = commands
    this.#clock = clock
    this.#logger = logger
  }

  /** Never rejects. */
  async answer(name: string, call: Call): Promise<Answer> {
    const startMs = this.#clock.monotonicMs()
    const requestId = requestIdOf(undefined, call.headers) ?? freshRequestId()
    const entry: AuditEntry = { command: name, door: call.door, by: call.peer, requestId }
    try {
      const data = await this.#run(name, call, entry)
      this.#audit({ ...entry, outcome: 'done', durationMs: this.#clock.monotonicMs() - startMs })
      return { ok: true, data: data ?? null, requestId: entry.requestId }
    } catch (error) {
      const refusal = this.#refusal(error, entry)
      this.#audit({ ...entry, outcome: refusal.code, durationMs: this.#clock.monotonicMs() - startMs })
      return { ok: false, error: refusal, requestId: entry.requestId }
    }
  }

  /** Fills in `entry` what becomes known. */
  async #run(name: string, { door, peer, headers, input: raw }: Call, entry: AuditEntry): Promise<unknown> {
    const { requestId, input } = readRequest(raw)
    const id = requestIdOf(requestId, headers)
    if (id === undefined) throw badRequest(`requestId: expected ${REQUEST_ID_FORM}`)
    entry.requestId = id
    const command = this.commands.find((candidate) => candidate.name === name)
    if (command === undefined) throw new GrabberError('API_NOT_FOUND', 'there is no such command')
    entry.changes = command.changes
    const parsed = checked(command, input)
    entry.camera = cameraOf(parsed)
    if (this.#underWay >= MOST_AT_ONCE) {
      throw new GrabberError('API_BUSY', `${MOST_AT_ONCE} commands are under way`)
    }
    this.#underWay++
    try {
      const run = (async () => command.run(parsed, { door, peer }))()
      const ended = await within(this.#clock, ANSWER_LIMIT_MS, run)
      if (ended !== undefined) return ended.value
      throw new GrabberError('ACT_DEADLINE', `${name} is not done after ${ANSWER_LIMIT_MS} ms, and goes on`)
    } finally {
      this.#underWay--
    }
  }

  #refusal(error: unknown, { command, requestId }: AuditEntry): Refusal {
    const { code, message, context } = toGrabberError(error)
    // The words of a defect can hold anything; they are in the log.
    if (code === 'ACT_DEFECT') {
      this.#logger.error({ err: error, command, requestId }, 'a command failed')
      return { code, message: errorTable.ACT_DEFECT.meaning }
    }
    const problems = context.problems as ConfigProblem[] | undefined
    return { code, message, ...(problems && problems.length > 1 ? { problems } : {}) }
  }

  /** Reading is nobody's business unless it fails. */
  #audit({ changes = true, ...entry }: AuditEntry & { outcome: string; durationMs: number }): void {
    const level = changes || entry.outcome !== 'done' ? 'info' : 'debug'
    this.#logger[level]({ ...entry, durationMs: Math.round(entry.durationMs) }, 'command')
  }
}

interface AuditEntry {
  command: string
  door: Caller['door']
  by: string | null
  requestId: string
  changes?: boolean
  camera?: string | undefined
}

/** API_BAD_REQUEST with every mistake, by its path. */
function checked({ input: schema }: Command, input: unknown): unknown {
  const result = schema.safeParse(input, { reportInput: true })
  if (result.success) return result.data
  throw inputError(problemsOf(result.error.issues, schema))
}

/** API_BAD_REQUEST that names all `problems`. */
export function inputError(problems: ConfigProblem[]): GrabberError {
  return new GrabberError('API_BAD_REQUEST', problems.map(problemLine).join('; '), { context: { problems } })
}

function cameraOf(input: unknown): string | undefined {
  const { id } = input as { id?: unknown }
  return typeof id === 'string' ? id : undefined
}
