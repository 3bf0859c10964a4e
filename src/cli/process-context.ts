/**
 * The context of the real process: its streams, and its signals as one AbortSignal. Runs in commands and the daemon.
 */
import { toGrabberError } from '../../core/errors.ts'
import { describeError } from './command-line.ts'
import { type CliContext, createContext, Interrupted } from './context.ts'

const EXIT_INTERRUPTED = 130
const EXIT_DEFECT = 1

/** Signals closer together than this are one: a terminal and a wrapper (timeout, npm) both pass on the same Ctrl-C. */
const SAME_SIGNAL_MS = 500

/** Takes over SIGINT, SIGTERM, closed outputs and defects. The second signal ends the process at once. */
export function processContext(process: NodeJS.Process, env: NodeJS.ProcessEnv): CliContext {
  const controller = new AbortController()
  let firstMs: number | undefined
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (firstMs !== undefined && performance.now() - firstMs < SAME_SIGNAL_MS) return
      firstMs ??= performance.now()
      if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED)
      controller.abort(new Interrupted(name))
    })
  }
  // A reader that went away (`| head`) is no error; anything else on an output cannot even be reported.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = EXIT_DEFECT
    controller.abort(new Error('stdout was closed'))
  })
  process.stderr.on('error', () => undefined)
  process.on('uncaughtException', (error) => {
    process.stderr.write(describeError(toGrabberError(error), debug(process.argv, env)))
    process.exit(EXIT_DEFECT)
  })
  return createContext({
    stdout: process.stdout,
    stderr: process.stderr,
    env,
    cwd: process.cwd(),
    isTty: process.stderr.isTTY === true,
    signal: controller.signal,
  })
}

/** An exception outside of any command: only the raw arguments tell whether its stack is wanted. */
function debug(args: readonly string[], env: NodeJS.ProcessEnv): boolean {
  return /--log-level[ =]debug/.test(args.join(' ')) || env.GRABBER_LOG_LEVEL === 'debug'
}
