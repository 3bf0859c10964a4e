/**
 * `grabber models verify`: hashes. Runs as a command.
 */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { Config } from '../../config/schema.ts'
import { knownModels } from '../../models/manifest.ts'
import type { ModelEntry } from '../../models/model-entry.ts'
import { installedPath, verifyModel } from '../../models/model-files.ts'
import { facesSpec, modelsDir } from '../face-models.ts'
import { settleModels } from '../model-choice.ts'
import { type CliContext, openConfig } from './context.ts'
import { eachModel, namedModels } from './models-named.ts'

export function registerVerify(models: Command, context: CliContext): void {
  models
    .command('verify [ids...]')
    .description('check the hash of every installed file, and that those in use are installed')
    .addHelpText('after', '\nExample:\n  grabber models verify')
    .action(async (ids: string[], _flags: object, command: Command) => {
      const config = settleModels(openConfig(context, command).config)
      const entries = ids.length > 0 ? namedModels(config, ids) : installedOrUsed(config)
      await eachModel(context, entries, async (entry) => {
        await verifyModel(modelsDir(config), entry)
        return 'ok'
      })
    })
}

function installedOrUsed(config: Config): ModelEntry[] {
  const folder = modelsDir(config)
  const { detector, embedder } = facesSpec(config)
  return knownModels(folder)
    .map(({ entry }) => entry)
    .filter((entry) => entry.id === detector || entry.id === embedder || existsSync(installedPath(folder, entry)))
}
