/**
 * Whether a folder is a finished result, and of what: by the head of its metadata.json. Runs where jobs run. Reads only.
 */
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { errnoOf } from './output-error.ts'

export const METADATA_FILE = 'metadata.json'
export const IMAGES_FOLDER = 'images'

const headSchema = z.object({
  source: z.object({ file: z.string(), contentHash: z.string() }),
  settings: z.object({ fingerprint: z.string() }),
})

/** A result as its metadata.json says it. */
export interface FinishedResult {
  /** Name of the recording's file. */
  file: string
  contentHash: string
  settings: string
}

/** `undefined` when there is no such folder, or it is not a result of ours. */
export async function readFinished(folder: string): Promise<FinishedResult | undefined> {
  const path = join(folder, METADATA_FILE)
  try {
    const head = headSchema.safeParse((await readFields(path)) ?? parsed(await readFile(path, 'utf8')))
    if (!head.success) return undefined
    const { source, settings } = head.data
    return { file: source.file, contentHash: source.contentHash, settings: settings.fingerprint }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** Pictures in the result. */
export async function countPictures(folder: string): Promise<number> {
  return (await readdir(join(folder, IMAGES_FOLDER)).catch(() => [])).length
}

/**
 * The fields that stand in a line each at the head of the file, as its writer puts them: a file of two hours is 30 MB, and a batch
 * looks at every one. `undefined` when they do not stand so.
 */
async function readFields(path: string): Promise<Record<string, unknown> | undefined> {
  const fields: Record<string, unknown> = {}
  const input = createReadStream(path)
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const name = /^"(source|settings)": /.exec(line)?.[1]
      if (name === undefined) {
        if (line.startsWith('"keyframes"')) return undefined
        continue
      }
      const field = parsed(`{${line.replace(/,$/, '')}}`)
      if (field === undefined) return undefined
      Object.assign(fields, field)
      if ('source' in fields && 'settings' in fields) return fields
    }
    return undefined
  } finally {
    input.destroy()
  }
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
