/**
 * Pictures whose people are known beforehand: a folder with a sub-folder for each person. Runs in commands.
 */
import { type Dirent, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import type { CalibratedPerson, CalibrationData } from '../calibration/calibration-data.ts'
import { type CheckedPicture, checkPicture } from '../enrolment/picture-check.ts'
import { checkSet } from '../enrolment/set-checks.ts'
import { facesSpec } from '../face-models.ts'
import type { CliContext } from './context.ts'
import { ENROL_MOMENTS } from './faces-enroll.ts'
import { lookAt } from './faces-stills.ts'

const nobody = { list: () => [], search: () => [] }

/**
 * The sub-folder's name is the subject. Pictures that `faces enroll` would refuse on their own, or for being there twice,
 * are left out and said on stderr. SRC_NOT_FOUND, SRC_EMPTY, MDL_*, ENG_*.
 */
export async function lookAtFolders(context: CliContext, config: Config, folder: string): Promise<CalibrationData> {
  const subjects = new Map<string, string>()
  for (const person of entriesOf(context, folder).filter((entry) => entry.isDirectory())) {
    for (const entry of entriesOf(context, join(folder, person.name))) {
      if (entry.isFile() && !entry.name.startsWith('.'))
        subjects.set(join(folder, person.name, entry.name), person.name)
    }
  }
  if (subjects.size === 0) {
    const remedy = 'give a folder that has one sub-folder of pictures for each person'
    throw new GrabberError('SRC_EMPTY', `${folder}: no sub-folder of it has a picture`, { remedy })
  }
  const { matchThreshold } = facesSpec(config.defaults.faces)
  const pictures = new Map<string, CheckedPicture[]>()
  const leaveOut = ({ line }: GrabberError) => void context.stderr.write(`left out: ${line}\n`)
  await lookAt(context, config, [...subjects.keys()], { embed: true, moments: ENROL_MOMENTS }, (file, answer) => {
    if ('error' in answer) {
      leaveOut(new GrabberError(answer.error.code, `${file}: ${answer.error.message}`))
      return
    }
    const subject = subjects.get(file)!
    const theirs = pictures.get(subject) ?? []
    pictures.set(subject, theirs)
    theirs.push(checkPicture(file, answer.stills, matchThreshold))
  })
  const people: CalibratedPerson[] = []
  for (const [subject, theirs] of pictures) {
    const limits = { matchThreshold, allowSimilar: true, allowDifferent: true }
    const checked = await checkSet(subject, theirs, nobody, limits)
    for (const problem of checked.flatMap(({ problems }) => problems)) leaveOut(problem)
    const faces = checked.flatMap(({ file, faces }) => faces.map(({ embedding }) => ({ embedding, source: file })))
    if (faces.length === 0) continue
    people.push({
      subject,
      embeddings: faces.map(({ embedding }) => embedding),
      sources: faces.map(({ source }) => source),
    })
  }
  return { people, tracks: [] }
}

/** In order of name. */
function entriesOf(context: CliContext, folder: string): Dirent[] {
  try {
    const entries = readdirSync(resolve(context.cwd, folder), { withFileTypes: true })
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new GrabberError('SRC_NOT_FOUND', `${folder}: it is no folder that can be read (${code})`, { cause: error })
  }
}
