/**
 * `grabber events tail · dead`. Runs as a command.
 */
import type { Command } from 'commander'
import type { CliContext } from './context.ts'
import { registerDead } from './events-dead.ts'
import { registerTail } from './events-tail.ts'

export function registerEvents(program: Command, context: CliContext): void {
  const events = program.command('events').description('the events: what subscribers see, and the dead letters')
  registerTail(events, context)
  registerDead(events, context)
}
