/**
 * What every command gets: streams, environment, logger, the signal that ends it. Runs in commands and the daemon.
 * Commands use nothing of `process` themselves, so that tests can run them with streams of their own.
 */
import type { Command } from 'commander'
import { type LoadedConfig, loadConfig } from '../../config/load.ts'
import { GrabberError } from '../../core/errors.ts'
import { createLogger, type RootLogger } from '../ops/logger.ts'

export interface Output {
  write(text: string): unknown
  /** Whether a person reads it. */
  readonly isTTY?: boolean
}

export interface CliContext {
  /** Data only. */
  stdout: Output
  /** Progress, logs and errors. */
  stderr: Output
  env: Record<string, string | undefined>
  cwd: string
  /** Whether stderr is a terminal: progress bars and short log lines instead of JSON. */
  isTty: boolean
  logger: RootLogger
  /**
   * Aborted by SIGINT, SIGTERM or a reader of stdout that went away. A command that ends normally afterwards has done
   * what was asked (the daemon stopped); one that could not finish throws `signal.reason`.
   */
  signal: AbortSignal
  /** From the first listener on, SIGHUP does not end the process. */
  onHangup(listener: () => void): void
  /** What a command that ends normally exits with; 0 unless the command sets it. */
  exitStatus: number
}

/** A module of commands: adds itself to the program. */
export type Register = (program: Command, context: CliContext) => void

/** Options that every command takes. */
export interface GlobalOptions {
  config?: string
  logLevel?: LogLevelName
}

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
type LogLevelName = (typeof logLevels)[number]

type ContextParts = Pick<CliContext, 'stdout' | 'stderr' | 'env' | 'cwd' | 'isTty' | 'signal'> &
  Partial<Pick<CliContext, 'onHangup'>>

export function createContext(parts: ContextParts): CliContext {
  const logger = createLogger({ level: 'info', stream: parts.stderr, human: parts.isTty })
  return { onHangup: () => undefined, ...parts, logger, exitStatus: 0 }
}

/**
 * The configuration that `-c` or its default means, with the log level applied (option, environment, file, in this
 * order). Throws CFG_*.
 */
export function openConfig(context: CliContext, command: Command): LoadedConfig {
  const { config: path, logLevel } = command.optsWithGlobals<GlobalOptions>()
  const loaded = loadConfig({ env: context.env, cwd: context.cwd, ...(path === undefined ? {} : { path }) })
  context.logger.level = logLevel ?? loaded.config.log.level
  return loaded
}

/** The reason of `context.signal` when the user interrupts: exit status 130. */
export class Interrupted extends Error {
  constructor(signalName: string) {
    super(`interrupted by ${signalName}`)
    this.name = 'Interrupted'
  }
}

/** A usage error that commander cannot see. */
export function usage(message: string): GrabberError {
  return new GrabberError('CFG_USAGE', message)
}
