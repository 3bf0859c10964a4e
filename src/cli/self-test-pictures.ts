/**
 * The pictures that a self-test measures with: a folder with a folder for each person. Runs in commands; opens no picture.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { GrabberError } from '../../core/errors.ts'

const PICTURE = /\.(jpe?g|png|webp|bmp|tiff?|avif|heic)$/i
/** More make a report slower, not surer. */
const MAX_PER_PERSON = 12
const MAX_PEOPLE = 12

export interface PersonPicture {
  file: string
  /** Counts from 0. */
  person: number
}

/** Sorted by name, the first of each person; pictures that lie in `folder` itself belong to one person. SRC_*. */
export async function personPictures(folder: string): Promise<PersonPicture[]> {
  const found = await list(folder)
  const people = found.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name))
  const groups = await Promise.all((people.length > 0 ? people : [folder]).sort().map(picturesIn))
  const pictures = groups
    .filter((files) => files.length > 0)
    .slice(0, MAX_PEOPLE)
    .flatMap((files, person) => files.slice(0, MAX_PER_PERSON).map((file) => ({ file, person })))
  if (pictures.length > 0) return pictures
  throw new GrabberError('SRC_EMPTY', `${folder} holds no picture`, {
    remedy: 'give a folder with a folder of pictures for each person',
  })
}

async function picturesIn(folder: string): Promise<string[]> {
  const files = (await list(folder)).filter((entry) => !entry.isDirectory() && PICTURE.test(entry.name))
  return files.map(({ name }) => join(folder, name)).sort()
}

async function list(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (cause) {
    throw new GrabberError('SRC_NOT_FOUND', `${folder} cannot be read`, { cause })
  }
}
