/**
 * `grabber faces enroll`. Runs as a command: looks with an engine of its own, writes through the daemon that owns the data
 * folder. Every picture is judged before the gallery is touched, and every problem is told. Names and embeddings never go
 * to a log.
 */
import type { Command } from 'commander'
import type { Config } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import { diverseEmbeddings, KEPT_EMBEDDINGS } from '../../streams/analysis/diverse-embeddings.ts'
import { type CheckedPicture, checkPicture } from '../enrolment/picture-check.ts'
import { checkSet } from '../enrolment/set-checks.ts'
import { facesSpec } from '../face-models.ts'
import { settleModels } from '../model-choice.ts'
import { checkSubjectId, MAX_NAME_LENGTH } from '../store/embedding.ts'
import { type CliContext, openConfig, usage } from './context.ts'
import { openGallery } from './faces-gallery.ts'
import { lookAt } from './faces-stills.ts'
import { openGallerySnapshot } from './gallery-snapshot.ts'

/** Moments of a video that an enrolment looks at, spread over its length. */
export const ENROL_MOMENTS = 8

interface EnrollOptions {
  name?: string
  json?: boolean
  allowSimilar?: boolean
  allowDifferent?: boolean
}

export function registerFacesEnroll(faces: Command, context: CliContext): void {
  faces
    .command('enroll <subject> <images...>')
    .description('make a person known from pictures or videos with that person alone; all of them, or nothing')
    .option('--name <name>', 'the name to show; the subject is an id of a-z, 0-9, _ and -')
    .option('--allow-similar', 'also when a picture looks like someone else who is enrolled')
    .option('--allow-different', 'also when a picture is unlike the others of the person')
    .option('--json', 'one JSON object: what was taken of each picture, or why nothing')
    .addHelpText('after', '\nExample:\n  grabber faces enroll ada portrait.jpg hallway.mp4 --name "Ada Lovelace"')
    .action(async (subject: string, images: string[], options: EnrollOptions, command: Command) => {
      const config = settleModels(openConfig(context, command).config)
      checkSubjectId(subject)
      const { name } = options
      if (name !== undefined && (name.trim() === '' || name.length > MAX_NAME_LENGTH)) {
        throw usage(`--name takes 1 to ${MAX_NAME_LENGTH} characters`)
      }
      await enroll(context, config, { subject, images, options })
    })
}

interface Enrolment {
  subject: string
  images: readonly string[]
  options: EnrollOptions
}

async function enroll(context: CliContext, config: Config, { subject, images, options }: Enrolment): Promise<void> {
  const { embedder, matchThreshold } = facesSpec(config)
  const each: CheckedPicture[] = []
  await lookAt(context, config, images, { embed: true, moments: ENROL_MOMENTS }, (file, answer) => {
    each.push('error' in answer ? unreadable(file, answer.error) : checkPicture(file, answer.stills, matchThreshold))
  })
  const { allowSimilar = false, allowDifferent = false, json = false } = options
  const limits = { matchThreshold, allowSimilar, allowDifferent }
  const pictures = await checkSet(subject, each, openGallerySnapshot(config, embedder), limits)
  const problems = pictures.flatMap((picture) => picture.problems)
  if (problems.length > 0) {
    for (const problem of problems) context.stderr.write(`${problem.line}\n`)
    if (json) context.stdout.write(resultLine(subject, pictures, 0, null))
    context.exitStatus = problems[0]!.exitStatus
    return
  }
  const faces = pictures.flatMap((picture) => picture.faces)
  const kept = diverseEmbeddings(
    faces.map(({ embedding }) => embedding),
    KEPT_EMBEDDINGS,
    faces.map(({ quality }) => quality),
  )
  await using gallery = await openGallery(context, config, 'write')
  const name = options.name?.trim() ?? null
  const embeddings = kept.map((index) => faces[index]!.embedding)
  const { embeddings: known } = await gallery.enroll(subject, name, embeddings)
  if (json) {
    context.stdout.write(resultLine(subject, pictures, kept.length, known))
    return
  }
  if (pictures.length > 1) {
    for (const { file, faces } of pictures) context.stdout.write(`${file}: taken, ${counted(faces.length)}\n`)
  }
  const fewer = kept.length < faces.length ? ` of ${counted(faces.length)}, the most different,` : ''
  context.stdout.write(`${subject}: ${kept.length}${fewer} enrolled, ${known} known\n`)
}

function unreadable(file: string, error: GrabberError): CheckedPicture {
  const { code, message, remedy } = error
  return { file, faces: [], problems: [new GrabberError(code, `${file}: ${message}`, { remedy, cause: error })] }
}

/** `known` is null when nothing was changed. */
function resultLine(
  subject: string,
  pictures: readonly CheckedPicture[],
  enrolled: number,
  known: number | null,
): string {
  const entries = pictures.map(({ file, faces, problems }) => ({ file, faces: faces.length, problems }))
  return `${JSON.stringify({ subject, enrolled, known, pictures: entries })}\n`
}

function counted(faces: number): string {
  return faces === 1 ? '1 face' : `${faces} faces`
}
