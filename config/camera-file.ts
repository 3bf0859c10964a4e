/**
 * `cameras.yaml` in the data folder: the cameras that were added by command, and the cameras of either file that were
 * stopped by one. Its text and its meaning; pure. Written by the daemon alone (src/store/camera-file). Passwords are in it
 * as references only, as in the main file.
 */
import { z } from 'zod'
import { GrabberError } from '../core/errors.ts'
import { type ConfigProblem, problemLine, problemsOf } from './problem.ts'
import { idSchema } from './schema.ts'
import { maskReferences, unmaskReferences } from './secrets.ts'
import { readYaml, writeYaml, type YamlFile } from './yaml-file.ts'

export const CAMERA_FILE = 'cameras.yaml'

const HEADER = '# Cameras added and stopped by command. Written by grabber: change them with `grabber cameras`.\n'

export interface CameraFileText {
  /** Absolute; for messages. */
  path: string
  /** Empty when there is no such file. */
  text: string
}

/** Only the outer form: the cameras are checked together with those of the main file. */
const fileSchema = z.strictObject({
  cameras: z.record(z.string(), z.unknown()).default({}),
  stopped: z.array(idSchema).default([]),
})

/** As written: `${…}` stand as they are. */
export interface CameraFile {
  cameras: Record<string, unknown>
  stopped: string[]
}

export interface ParsedCameraFile extends Pick<YamlFile, 'lineOf'> {
  /** With problems: what can be read of it, for its cameras to be checked as well. */
  file: CameraFile
  /** Of its form; not of the cameras in it. */
  problems: ConfigProblem[]
}

/** The cameras' values are masked (secrets.ts), for their references to be substituted. */
export function parseCameraFile(text: string): ParsedCameraFile {
  const yaml = readYaml(maskReferences(text))
  const empty: CameraFile = { cameras: {}, stopped: [] }
  if (yaml.problems.length > 0) return { file: empty, problems: yaml.problems, lineOf: yaml.lineOf }
  // A key without a value is an empty section, as in the main file.
  const given = withoutNulls(yaml.value ?? {})
  const parsed = fileSchema.safeParse(given, { reportInput: true })
  if (parsed.success) return { file: parsed.data, problems: [], lineOf: yaml.lineOf }
  const cameras = camerasIn(given)
  const problems = problemsOf(parsed.error.issues, fileSchema)
  return { file: { cameras, stopped: [] }, problems, lineOf: yaml.lineOf }
}

/** What is written, for changing it. CFG_INVALID where its form is wrong: what cannot be read would be lost. */
export function readCameraFile({ path, text }: CameraFileText): CameraFile {
  const { file, problems } = parseCameraFile(text)
  const [first] = problems
  if (first === undefined) return unmaskReferences(file)
  const message = `${path}: ${problemLine(first)}`
  throw new GrabberError('CFG_INVALID', message, {
    context: { problems: problems.map((each) => ({ ...each, file: path })) },
  })
}

/** The text that `parseCameraFile` reads. Ids are in order, so that the same cameras are the same text. */
export function cameraFileText({ cameras, stopped }: CameraFile): string {
  const sorted = Object.fromEntries(Object.entries(cameras).sort(([a], [b]) => (a < b ? -1 : 1)))
  return HEADER + writeYaml({ cameras: sorted, stopped: [...new Set(stopped)].sort() })
}

function camerasIn(value: unknown): CameraFile['cameras'] {
  const parsed = z.looseObject({ cameras: fileSchema.shape.cameras }).safeParse(value)
  return parsed.success ? parsed.data.cameras : {}
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null))
}
