/**
 * `grabber run`: the daemon, in the foreground, until SIGINT or SIGTERM. Runs in the daemon. Everything it is made of is put
 * together in src/daemon.ts.
 */
import type { Command } from 'commander'
import { type CliContext, openConfig } from './context.ts'

export function registerRun(program: Command, context: CliContext): void {
  program
    .command('run')
    .description('the daemon, in the foreground, until it is interrupted')
    .addHelpText('after', '\nExample:\n  grabber run -c grabber.yaml')
    .action(async (_: object, command: Command) => {
      const { config } = openConfig(context, command)
      const { logger, signal } = context
      // A third of all modules, servers among them, that no other command has to load.
      const { Daemon } = await import('../daemon.ts')
      const daemon = await Daemon.start(config, logger)
      const stop = () => {
        logger.info({}, 'stopping')
        void daemon.stop()
      }
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
      logger.info({ ...daemon.info, cameras: Object.keys(config.cameras).length }, 'ready')
      const error = await daemon.ended()
      if (error) throw error
    })
}
