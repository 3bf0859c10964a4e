/**
 * Runs one command: options, errors as one line, exit status. Runs in commands and the daemon; must never call
 * process.exit, so that buffered output is written.
 */
import { Command, CommanderError, Option } from 'commander'
import { type ConfigProblem, problemLine } from '../../config/problem.ts'
import { redactText } from '../../config/redact.ts'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import { type CliContext, type GlobalOptions, Interrupted, logLevels, type Register } from './context.ts'

const EXIT_INTERRUPTED = 130

export interface ProgramInfo {
  version: string
  description: string
}

/** Runs `args` (without node and script) and answers the exit status. Never rejects. */
export async function runCommandLine(
  args: readonly string[],
  context: CliContext,
  commands: readonly Register[],
  info: ProgramInfo,
): Promise<number> {
  const program = createProgram(context, info)
  for (const register of commands) register(program, context)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return context.exitStatus
  } catch (error) {
    return reportError(error, context, program.opts<GlobalOptions>())
  }
}

function createProgram(context: CliContext, { version, description }: ProgramInfo): Command {
  return new Command('grabber')
    .description(description)
    .version(version, '-V, --version', 'print the version')
    .option('-c, --config <file>', 'configuration file (default: ./grabber.yaml when it exists)')
    .addOption(new Option('--log-level <level>', 'least severe log lines that are written').choices(logLevels))
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
      // Errors are written by reportError, as one line.
      outputError: () => undefined,
    })
    .hook('preAction', (_, action) => {
      const { logLevel } = action.optsWithGlobals<GlobalOptions>()
      if (logLevel !== undefined) context.logger.level = logLevel
    })
}

function reportError(error: unknown, context: CliContext, { logLevel }: GlobalOptions): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  const { reason } = context.signal
  if (context.signal.aborted) {
    // A reader that went away (`| head`) has what it wanted.
    if (!(reason instanceof Interrupted)) return 0
    context.stderr.write(`${reason.message}\n`)
    return EXIT_INTERRUPTED
  }
  const coded = error instanceof CommanderError ? usageError(error) : toGrabberError(error)
  context.stderr.write(describeError(coded, (logLevel ?? context.logger.level) === 'debug'))
  return coded.exitStatus
}

/** The error as its line; an input or a configuration with several problems has one line more for each of them. */
export function describeError(error: GrabberError, withStack: boolean): string {
  const problems = problemsIn(error)
  const lines = problems.length > 1 ? problems.map(problemLine) : []
  lines.push(error.line)
  if (withStack) lines.push(stackOf(error))
  return lines.map((line) => `${redactText(line)}\n`).join('')
}

function usageError(error: CommanderError): GrabberError {
  // A command group without its command has written its help already.
  const text = error.code === 'commander.help' ? 'a command is missing' : error.message.replace(/^error: |\.$/g, '')
  return new GrabberError('CFG_USAGE', text.replaceAll(/\s*\n\s*/g, ' '), { cause: error })
}

function problemsIn(error: GrabberError): ConfigProblem[] {
  return (error.context.problems as ConfigProblem[] | undefined) ?? []
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}
