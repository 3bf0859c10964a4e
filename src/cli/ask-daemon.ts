/**
 * Commands of the running daemon (src/commands), asked for from the command line over its control socket. Runs in commands. Needs
 * no valid configuration: a daemon can be asked while its file is being corrected.
 */
import type { Command } from 'commander'
import { findDataFolder } from '../../config/main-file.ts'
import { GrabberError } from '../../core/errors.ts'
import { askDaemon } from '../http/control-client.ts'
import { findOwner } from '../store/data-dir.ts'
import type { CliContext, GlobalOptions } from './context.ts'

/** Above the daemon's own limit for a command (30 s). */
const ANSWER_TIMEOUT_MS = 35_000

/** The daemon's socket; `undefined` when none runs on the data folder that is meant. CFG_UNREADABLE. */
export function findDaemon(context: CliContext, command: Command): string | undefined {
  return findOwner(dataFolder(context, command))?.controlSocket ?? undefined
}

/** The data of the answer. The daemon's coded error, ACT_STOPPED when there is no daemon, ACT_DEADLINE when it is silent. */
export function runInDaemon(context: CliContext, command: Command, name: string, input: object): Promise<unknown> {
  const socket = findDaemon(context, command)
  if (socket === undefined) {
    throw new GrabberError('ACT_STOPPED', `no grabber runs on ${dataFolder(context, command)}`, {
      remedy: 'start `grabber run`, or name its configuration with -c, or its data folder with GRABBER_DATA',
    })
  }
  const path = `/control/commands/${name}`
  const { signal } = context
  return askDaemon(socket, { method: 'POST', path, body: input, timeoutMs: ANSWER_TIMEOUT_MS, signal })
}

function dataFolder({ env, cwd }: CliContext, command: Command): string {
  const { config: path } = command.optsWithGlobals<GlobalOptions>()
  return findDataFolder({ env, cwd, ...(path === undefined ? {} : { path }) })
}
