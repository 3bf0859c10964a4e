/** A logger that keeps what it is told, for tests. Children write to the same list. */
import type { Logger } from '../../core/ports.ts'

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  message: string
  fields: object
}

export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = []

  debug(fields: object, message: string): void {
    this.lines.push({ level: 'debug', message, fields })
  }

  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', message, fields })
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', message, fields })
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', message, fields })
  }

  child(): Logger {
    return this
  }
}
