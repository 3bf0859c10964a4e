/**
 * `grabber faces name`: a person without a name gets one. Runs as a command: through the daemon that owns the data folder,
 * alone when there is none. Must never log the name.
 */
import type { Command } from 'commander'
import { settleModels } from '../model-choice.ts'
import { checkSubjectId, MAX_NAME_LENGTH } from '../store/embedding.ts'
import { type CliContext, openConfig, usage } from './context.ts'
import { openGallery } from './faces-gallery.ts'

interface NameOptions {
  name?: string
  allowSimilar?: boolean
  allowDifferent?: boolean
}

export function registerFacesName(faces: Command, context: CliContext): void {
  faces
    .command('name <unknown> <subject>')
    .description('make a person known who was seen without a name; their tracks in the history get it as well')
    .option('--name <name>', 'the name to show; the subject is an id of a-z, 0-9, _ and -')
    .option('--allow-similar', 'also when this person looks like someone else who is enrolled')
    .option('--allow-different', 'also when this person is unlike what is enrolled of the subject')
    .addHelpText('after', '\nExample:\n  grabber faces name anon-k4wzr3m2qa ada --name "Ada Lovelace"')
    .action(async (unknown: string, subject: string, options: NameOptions, command: Command) => {
      const { name, allowSimilar = false, allowDifferent = false } = options
      const config = settleModels(openConfig(context, command).config)
      checkSubjectId(subject)
      if (name !== undefined && (name.trim() === '' || name.length > MAX_NAME_LENGTH)) {
        throw usage(`--name takes 1 to ${MAX_NAME_LENGTH} characters`)
      }
      await using gallery = await openGallery(context, config, 'write')
      const { embeddings } = await gallery.name(unknown, {
        subject,
        name: name?.trim() ?? null,
        allowSimilar,
        allowDifferent,
      })
      context.stdout.write(`${unknown}: is ${subject} now, ${embeddings} known\n`)
    })
}
