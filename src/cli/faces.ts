/**
 * `grabber faces detect · identify · list · remove`, and the group that `enroll`, `name` and `calibrate` are in. Runs as a
 * command, beside a daemon or alone: inference with an engine of its own, the gallery through the daemon that owns the data folder. Names and embeddings never go to a log.
 */
import type { Command } from 'commander'
import type { StillAnswer } from '../../actors/stills-job.ts'
import type { Config } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import { facesSpec } from '../face-models.ts'
import { checkGalleryModel, settleModels } from '../model-choice.ts'
import { type CliContext, openConfig } from './context.ts'
import { registerFacesCalibrate } from './faces-calibrate.ts'
import { registerFacesEnroll } from './faces-enroll.ts'
import { openGallery, subjectsTable, visitorsTable } from './faces-gallery.ts'
import { stillLine } from './faces-line.ts'
import { registerFacesName } from './faces-name.ts'
import { lookAt } from './faces-stills.ts'
import { openGallerySnapshot, visitorsOf } from './gallery-snapshot.ts'

export function registerFaces(program: Command, context: CliContext): void {
  const faces = program.command('faces').description('faces of pictures, and the people who are known')
  registerFacesName(faces, context)

  faces
    .command('detect <images...>')
    .description('the faces of each picture, one JSON line a picture')
    .option('--embed', 'with the embedding of each face')
    .addHelpText('after', '\nExample:\n  grabber faces detect party/*.jpg | jq -r ".file, (.faces | length)"')
    .action(async (images: string[], { embed = false }: { embed?: boolean }, command: Command) => {
      const config = settleModels(openConfig(context, command).config)
      await eachPicture(context, config, images, embed, (file, still) => stillLine(file, still, { embed }))
    })

  faces
    .command('identify <images...>')
    .description('who is in each picture, one JSON line a picture')
    .option('--embed', 'with the embedding of each face')
    .option('--unknown', 'with who it is among the people without a name')
    .addHelpText('after', '\nExample:\n  grabber faces identify party/*.jpg | jq ".faces[].match.subject"')
    .action(async (images: string[], options: { embed?: boolean; unknown?: boolean }, command: Command) => {
      const { embed = false, unknown = false } = options
      const config = settleModels(openConfig(context, command).config)
      const { embedder, matchThreshold, minMargin } = facesSpec(config)
      checkGalleryModel(config, embedder)
      const gallery = openGallerySnapshot(config, embedder)
      const among = unknown ? { visitors: visitorsOf(gallery, config) } : {}
      const identify = { gallery, matchThreshold, minMargin, ...among }
      await eachPicture(context, config, images, true, (file, still) => stillLine(file, still, { embed, identify }))
    })

  registerFacesEnroll(faces, context)
  registerFacesCalibrate(faces, context)

  faces
    .command('list')
    .description('the people who are known')
    .option('--unknown', 'the people without a name instead')
    .option('--json', 'one JSON array')
    .addHelpText('after', '\nExample:\n  grabber faces list')
    .action(async ({ json, unknown }: { json?: boolean; unknown?: boolean }, command: Command) => {
      const config = settleModels(openConfig(context, command).config)
      await using gallery = await openGallery(context, config, 'read')
      const [list, text] = unknown
        ? await listed(gallery.visitors(), visitorsTable)
        : await listed(gallery.list(), subjectsTable)
      context.stdout.write(json ? `${JSON.stringify(list, null, 2)}\n` : text)
    })

  faces
    .command('remove <subject>')
    .description('forget a person, with or without a name: every embedding, and what was kept of their tracks')
    .addHelpText('after', '\nExample:\n  grabber faces remove ada')
    .action(async (subject: string, _, command: Command) => {
      const config = settleModels(openConfig(context, command).config)
      await using gallery = await openGallery(context, config, 'write')
      await gallery.remove(subject)
      context.stdout.write(`${subject}: removed\n`)
    })
}

async function listed<T>(people: Promise<T[]>, table: (people: T[]) => string): Promise<[T[], string]> {
  const list = await people
  return [list, table(list)]
}

type Picture = Extract<StillAnswer, { stills: unknown }>['stills'][number]

/** One line a picture; one that fails is said on stderr, and the exit status tells it in the end. */
async function eachPicture(
  context: CliContext,
  config: Config,
  images: readonly string[],
  embed: boolean,
  line: (file: string, still: Picture) => Promise<object>,
): Promise<void> {
  let written: Promise<void> = Promise.resolve()
  const write = async (before: Promise<void>, object: Promise<object>) => {
    await before
    context.stdout.write(`${JSON.stringify(await object)}\n`)
  }
  await lookAt(context, config, images, { embed, moments: 1 }, (file, answer) => {
    if ('error' in answer) {
      const { code, message, remedy, exitStatus } = answer.error
      context.stderr.write(`${new GrabberError(code, `${file}: ${message}`, { remedy }).line}\n`)
      context.exitStatus ||= exitStatus
      return
    }
    for (const still of answer.stills) written = write(written, line(file, still))
  })
  await written
}
