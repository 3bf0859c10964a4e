/**
 * The cameras that were added by command, put under those of the main file. Pure.
 */
import { type CameraFile, type CameraFileText, parseCameraFile } from './camera-file.ts'
import type { ConfigProblem, Path } from './problem.ts'

export interface AddedCameras {
  /** The document with the added cameras in it, their references resolved. */
  document: unknown
  /** Those that count, as written and masked. */
  cameras: CameraFile['cameras']
  stopped: readonly string[]
  /** Cameras that are in the main file as well: that one counts. */
  shadowed: readonly string[]
  /** Of the form of the file. */
  problems: ConfigProblem[]
  /** A problem of an added camera, with its place in this file; any other as it is. */
  locate(problem: ConfigProblem): ConfigProblem
}

/** `document` has its references and overrides resolved; `resolve` does the same to what is added to it. */
export function addCameras(
  document: unknown,
  { path, text }: CameraFileText,
  resolve: (value: unknown, path: Path) => unknown,
): AddedCameras {
  const { file, problems, lineOf } = parseCameraFile(text)
  const place = (problem: ConfigProblem): ConfigProblem => {
    const line = problem.line ?? lineOf(problem.path.split('.'))
    return { ...problem, file: path, ...(line === undefined ? {} : { line }) }
  }
  const own = camerasOf(document)
  const ids = Object.keys(file.cameras)
  const shadowed = ids.filter((id) => own !== undefined && Object.hasOwn(own, id))
  const cameras = Object.fromEntries(Object.entries(file.cameras).filter(([id]) => !shadowed.includes(id)))
  const resolved = Object.fromEntries(
    Object.entries(cameras).map(([id, camera]) => [id, resolve(camera, ['cameras', id])]),
  )
  return {
    // Cameras that are no mapping are left for the schema to complain about.
    document: own === undefined ? document : { ...(document as object), cameras: { ...own, ...resolved } },
    cameras,
    stopped: file.stopped,
    shadowed,
    problems: problems.map(place),
    locate(problem) {
      const [section, id] = problem.path.split('.')
      return section === 'cameras' && id !== undefined && Object.hasOwn(cameras, id) ? place(problem) : problem
    },
  }
}

function camerasOf(document: unknown): Record<string, unknown> | undefined {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return undefined
  const { cameras = {} } = document as { cameras?: unknown }
  return typeof cameras === 'object' && cameras !== null && !Array.isArray(cameras)
    ? (cameras as Record<string, unknown>)
    : undefined
}
