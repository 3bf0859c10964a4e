/**
 * The logger: JSON lines, or short lines for a person at a terminal. Runs in the daemon and in commands
 * (hosts do not log, they report); only importer of pino.
 * Must never let a credential, a person's name or an embedding through (redact-fields).
 */
import { type Logger as Pino, pino, stdTimeFunctions } from 'pino'
import { redactText } from '../../config/redact.ts'
import type { LogLevel } from '../../config/schema.ts'
import type { Logger } from '../../core/ports.ts'
import { humanLine } from './human-line.ts'
import { redactFields } from './redact-fields.ts'

export interface LogStream {
  write(text: string): unknown
}

export interface LoggerOptions {
  level: LogLevel
  /** Usually stderr: stdout is for data. */
  stream: LogStream
  /** Short lines instead of JSON; for terminals. */
  human?: boolean
}

/** A Logger whose level can change, since the configuration is read after the first lines are written. */
export interface RootLogger extends Logger {
  level: LogLevel
}

export function createLogger({ level, stream, human = false }: LoggerOptions): RootLogger {
  const target = human ? { write: (line: string) => stream.write(humanLine(line, true)) } : stream
  const root = pino(
    {
      // Filtering is done by PinoLogger.
      level: 'debug',
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => void target.write(line) },
  )
  return new PinoLogger(root, { value: level })
}

const severity: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** Children share the root's level, so that a change reaches them too (pino copies it when a child is made). */
class PinoLogger implements RootLogger {
  readonly #pino: Pino
  readonly #level: { value: LogLevel }

  constructor(root: Pino, level: { value: LogLevel }) {
    this.#pino = root
    this.#level = level
  }

  get level(): LogLevel {
    return this.#level.value
  }

  set level(level: LogLevel) {
    this.#level.value = level
  }

  debug(fields: object, message: string): void {
    this.#write('debug', fields, message)
  }

  info(fields: object, message: string): void {
    this.#write('info', fields, message)
  }

  warn(fields: object, message: string): void {
    this.#write('warn', fields, message)
  }

  error(fields: object, message: string): void {
    this.#write('error', fields, message)
  }

  child(fields: object): Logger {
    return new PinoLogger(this.#pino.child(redactFields(fields) as Record<string, unknown>), this.#level)
  }

  #write(level: LogLevel, fields: object, message: string): void {
    if (severity[level] < severity[this.#level.value]) return
    this.#pino[level](redactFields(fields), redactText(message))
  }
}
