/**
 * The one error type that crosses a boundary, and the table of its codes (core/error-table.ts).
 * Anything else that is thrown is a defect and crashes its actor. Messages never hold secrets, names or embeddings.
 */
import { type ErrorCode, errorTable } from './error-table.ts'

export interface GrabberErrorOptions {
  cause?: unknown
  /** Structured evidence for logs: paths, counts, durations. */
  context?: Record<string, unknown>
  /** What the person should do; the table's general advice when absent. */
  remedy?: string
}

export class GrabberError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly context: Record<string, unknown>
  readonly remedy: string

  constructor(code: ErrorCode, message: string, options: GrabberErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GrabberError'
    const row = errorTable[code]
    this.code = code
    this.retryable = row.retryable
    this.context = options.context ?? {}
    this.remedy = options.remedy ?? row.person
  }

  get exitStatus(): number {
    return errorTable[this.code].exit
  }

  /** `CODE: what happened: what to do`, on one line. */
  get line(): string {
    return `${this.code}: ${this.message}: ${this.remedy}`.replaceAll(/\s*[\r\n\u2028\u2029]\s*/g, ' ')
  }

  toJSON(): CodedError {
    return { code: this.code, message: this.message, remedy: this.remedy }
  }
}

/** An error as it travels between processes and in answers. */
export interface CodedError {
  code: ErrorCode
  message: string
  remedy: string
}

export function fromCoded(error: CodedError): GrabberError {
  return new GrabberError(error.code, error.message, { remedy: error.remedy })
}

/** The error as a coded one; a defect becomes ACT_DEFECT with its message. */
export function toGrabberError(error: unknown): GrabberError {
  if (error instanceof GrabberError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new GrabberError('ACT_DEFECT', message, { cause: error })
}
