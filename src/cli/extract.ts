/**
 * `grabber extract`: the keyframes of recordings, into a folder each. Runs as a command, beside a daemon or alone.
 */
import type { Command } from 'commander'
import { findRecordings } from '../recordings.ts'
import { type CliContext, openConfig } from './context.ts'
import { type ExtractFlags, withExtractOptions } from './extract-options.ts'
import { extractAll } from './extraction-desk.ts'

export function registerExtract(program: Command, context: CliContext): void {
  withExtractOptions(
    program
      .command('extract <recordings...>')
      .description('keyframes of recorded files, folders or patterns: the pictures that a reconstruction needs'),
  )
    .addHelpText('after', '\nExample:\n  grabber extract walk.mp4 --out keyframes --export colmap')
    .action(async (words: string[], flags: ExtractFlags, command: Command) => {
      const { config } = openConfig(context, command)
      const files = await findRecordings(words, context.cwd)
      await extractAll({ context, config, flags, label: 'extract', known: files, runningText: false })
    })
}
