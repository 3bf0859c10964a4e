/**
 * `grabber run`: the daemon, in the foreground, until SIGINT or SIGTERM; SIGHUP has it take its configuration anew. Runs in the
 * daemon. Everything it is made of is put together in src/daemon.ts.
 */
import type { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import { type CliContext, type GlobalOptions, openConfig } from './context.ts'

export function registerRun(program: Command, context: CliContext): void {
  program
    .command('run')
    .description('the daemon, in the foreground, until it is interrupted')
    .addHelpText('after', '\nExample:\n  grabber run -c grabber.yaml')
    .action(async (_: object, command: Command) => {
      const loaded = openConfig(context, command)
      const { env, cwd, logger, signal } = context
      // The one that was found at the start: a file that is gone for a moment must not leave the defaults.
      const path = loaded.origin.file ?? undefined
      const hangups = new Hangups(context)
      signal.addEventListener('abort', () => logger.info({}, 'stopping'), { once: true })
      // A third of all modules, servers among them, that no other command has to load.
      const { Daemon } = await import('../daemon.ts')
      const daemon = await Daemon.start({
        loaded,
        load: (cameraFile) => loadConfig({ env, cwd, cameraFile, ...(path === undefined ? {} : { path }) }),
        setLogLevel(level) {
          // What the person asked for on the command line stays.
          logger.level = command.optsWithGlobals<GlobalOptions>().logLevel ?? level
        },
        logger,
        signal,
      })
      // What is wrong is in the log already.
      hangups.answer(() => void daemon.reload('SIGHUP').catch(() => undefined))
      const { httpUrl, natsUrl, device, cameras } = daemon.info
      if (!signal.aborted) logger.info({ httpUrl, natsUrl, device, cameras }, 'ready')
      const error = await daemon.ended()
      if (!error) return
      // After a signal the command says that it was interrupted; what went wrong meanwhile must be known all the same.
      logger.error({ code: error.code }, error.line)
      throw error
    })
}

/** SIGHUP ends a process that does not listen: it is listened to from the beginning, and answered as soon as that is possible. */
class Hangups {
  #answer: (() => void) | undefined
  #waiting = false

  constructor({ onHangup }: CliContext) {
    onHangup(() => {
      if (this.#answer) this.#answer()
      else this.#waiting = true
    })
  }

  answer(answer: () => void): void {
    this.#answer = answer
    if (this.#waiting) answer()
  }
}
