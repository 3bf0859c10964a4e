/**
 * `grabber batch` and `grabber watch`: the keyframes of every recording of a folder, those that are there or those that come. Run as
 * commands, beside a daemon or alone.
 */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { systemClock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import { watchFolder } from '../jobs/folder-watch.ts'
import { findRecordings } from '../recordings.ts'
import { type CliContext, openConfig, usage } from './context.ts'
import { type ExtractFlags, withExtractOptions } from './extract-options.ts'
import { ExtractionDesk, extractAll } from './extraction-desk.ts'

interface WatchFlags extends ExtractFlags {
  quietSeconds?: string
}

export function registerBatch(program: Command, context: CliContext): void {
  withExtractOptions(
    program
      .command('batch <folder>')
      .description('keyframes of every recording in a folder; what is finished is passed over, what was begun goes on'),
  )
    .addHelpText('after', '\nExample:\n  grabber batch recordings --out keyframes --parallel 2')
    .action(async (word: string, flags: ExtractFlags, command: Command) => {
      const { config } = openConfig(context, command)
      const known = await findRecordings([await folderOf(context, word)], context.cwd)
      await extractAll({ context, config, flags, label: 'batch', known, runningText: false })
    })

  withExtractOptions(
    program
      .command('watch <folder>')
      .description('the same for recordings as they come into a folder, until it is interrupted')
      .option(
        '--quiet-seconds <s>',
        'a file is complete when it has not changed for so long (default: jobs.quietSeconds)',
      ),
  )
    .addHelpText('after', '\nExample:\n  grabber watch /srv/uploads --out /srv/keyframes')
    .action(async (word: string, flags: WatchFlags, command: Command) => {
      const { config } = openConfig(context, command)
      const folder = await folderOf(context, word)
      const quietMs = 1000 * quietSeconds(flags.quietSeconds ?? String(config.jobs.quietSeconds))
      await using desk = await ExtractionDesk.open({
        context,
        config,
        flags,
        label: 'watch',
        known: [],
        runningText: true,
      })
      const { signal, logger } = context
      const stop = AbortSignal.any([signal, desk.run.broken])
      const onComplete = (path: string) => desk.run.add(path)
      await watchFolder({ folder, quietMs, clock: systemClock, logger, signal: stop, onComplete })
      await desk.finish()
      // To be interrupted is how it ends; it is one only for what was under way.
      if (desk.run.reports.some(({ outcome }) => outcome === 'interrupted')) signal.throwIfAborted()
    })
}

async function folderOf({ cwd }: CliContext, word: string): Promise<string> {
  const path = resolve(cwd, word)
  const kind = await stat(path).catch(() => undefined)
  if (!kind) throw new GrabberError('SRC_NOT_FOUND', `${word} does not exist`)
  if (!kind.isDirectory()) throw usage(`${word} is no folder; for single recordings there is extract`)
  return path
}

function quietSeconds(text: string): number {
  const value = Number(text)
  if (!(value >= 0.1 && value <= 3600)) throw usage('--quiet-seconds takes 0.1 to 3600')
  return value
}
