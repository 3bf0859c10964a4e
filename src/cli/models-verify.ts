/**
 * `grabber models verify`: hashes, and with `--self-test` whether what an entry states about a model's input is true. Runs as
 * a command.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import { knownModels } from '../../models/manifest.ts'
import type { ModelEntry } from '../../models/model-entry.ts'
import { installedPath, verifyModel } from '../../models/model-files.ts'
import { facesSpec, modelIds, modelsDir } from '../face-models.ts'
import { settleModels } from '../model-choice.ts'
import { type CliContext, openConfig, usage } from './context.ts'
import { eachModel, namedModels } from './models-named.ts'
import { type SelfTestReport, selfTest } from './models-self-test.ts'
import { personPictures } from './self-test-pictures.ts'
import { selfTestText } from './self-test-text.ts'

interface VerifyFlags {
  selfTest?: true
  pictures?: string
  json?: true
}

const TESTABLE: readonly ModelEntry['kind'][] = ['face-detector', 'face-embedder']

export function registerVerify(models: Command, context: CliContext): void {
  models
    .command('verify [ids...]')
    .description('check the hash of every installed file, and that those in use are installed')
    .option('--self-test', 'also measure whether colour order, value range and alignment are as the manifest states')
    .option('--pictures <folder>', 'for the self-test: a folder with a folder of pictures for each person')
    .option('--json', 'the self-test as one JSON array')
    .addHelpText(
      'after',
      '\nA self-test without pictures only sees whether a model answers numbers, the same each time, alone and in a batch.\n' +
        'With pictures (2 people or more, 3 pictures each or more) it runs the model as its entry states and in the usual other\n' +
        'ways, and compares how well each tells the people apart. It says so when the pictures do not decide.\n' +
        '\nExample:\n  grabber models verify sface --self-test --pictures ./people',
    )
    .action(async (ids: string[], flags: VerifyFlags, command: Command) => {
      if (!flags.selfTest && (flags.pictures || flags.json)) throw usage('--pictures and --json go with --self-test')
      const config = settleModels(openConfig(context, command).config)
      const folder = modelsDir(config)
      const entries = ids.length > 0 ? namedModels(config, ids) : installedOrUsed(config)
      if (!flags.selfTest) {
        await eachModel(context, entries, async (entry) => {
          await verifyModel(folder, entry)
          return 'ok'
        })
        return
      }
      const pictures = flags.pictures === undefined ? [] : await personPictures(resolve(context.cwd, flags.pictures))
      const reports: SelfTestReport[] = []
      for (const entry of entries) {
        await verifyModel(folder, entry)
        if (!TESTABLE.includes(entry.kind)) {
          context.stderr.write(`${entry.id}: its hash is right; there is no self-test for ${entry.kind} models\n`)
          continue
        }
        const report = await selfTest(context, config, entry, pictures)
        reports.push(report)
        if (!flags.json) context.stdout.write(selfTestText(report))
      }
      if (flags.json) context.stdout.write(`${JSON.stringify(reports, null, 2)}\n`)
      const wrong = reports.filter(({ verdict }) => verdict === 'wrong')
      if (wrong.length > 0) {
        const what = wrong.map(({ model, why }) => `${model}: ${why}`).join('; ')
        throw new GrabberError('MDL_CONVENTION', what)
      }
    })
}

function installedOrUsed(config: Config): ModelEntry[] {
  const folder = modelsDir(config)
  const used = modelIds(facesSpec(config))
  return knownModels(folder)
    .map(({ entry }) => entry)
    .filter((entry) => used.includes(entry.id) || existsSync(installedPath(folder, entry)))
}
