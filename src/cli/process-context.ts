/**
 * The context of the real process: its streams, and its signals as one AbortSignal. Runs in commands and the daemon.
 */
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import { describeError } from './command-line.ts'
import { type CliContext, createContext, Interrupted } from './context.ts'

const EXIT_INTERRUPTED = 130
const EXIT_DEFECT = 1

/** Signals closer together than this are one: a terminal and a wrapper (timeout, npm) both pass on the same Ctrl-C. */
const SAME_SIGNAL_MS = 500

/**
 * From the first signal to the end, in total; above what the parts of an orderly end are given where one or two of them hang, and
 * below the 30 s after which systemd (deploy/grabber.service) and Kubernetes end a process.
 */
const STOP_LIMIT_MS = 25_000

/**
 * Takes over SIGINT, SIGTERM, closed outputs and defects. The second signal ends the process at once, and so does an end that
 * takes too long: its children end with it (docs/protocol.md).
 */
export function processContext(process: NodeJS.Process, env: NodeJS.ProcessEnv): CliContext {
  const controller = new AbortController()
  let firstMs: number | undefined
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (firstMs !== undefined && performance.now() - firstMs < SAME_SIGNAL_MS) return
      firstMs ??= performance.now()
      if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED)
      controller.abort(new Interrupted(name))
      // It must not keep the process alive itself.
      setTimeout(() => giveUp(process), STOP_LIMIT_MS).unref()
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
    onHangup: (listener) => void process.on('SIGHUP', listener),
  })
}

function giveUp(process: NodeJS.Process): void {
  const error = new GrabberError('ACT_DEADLINE', `it had not ended ${STOP_LIMIT_MS / 1000} s after it was told to`)
  process.stderr.write(describeError(error, false))
  process.exit(error.exitStatus)
}

/** An exception outside of any command: only the raw arguments tell whether its stack is wanted. */
function debug(args: readonly string[], env: NodeJS.ProcessEnv): boolean {
  return /--log-level[ =]debug/.test(args.join(' ')) || env.GRABBER_LOG_LEVEL === 'debug'
}
