/**
 * What one camera runs with: the defaults and its own overrides, merged. Pure.
 */
import { GrabberError } from '../core/errors.ts'
import type { Config } from './schema.ts'
import { type CameraSource, parseSource } from './source.ts'

type Defaults = Config['defaults']

export interface CameraConfig extends Defaults {
  id: string
  source: CameraSource
  /** 0–10; weight under load. */
  priority: number
  /** Passes over a file; `Infinity` plays for ever. */
  passes: number
}

/** Throws CFG_INVALID when there is no camera `id`. */
export function cameraConfig(config: Config, id: string): CameraConfig {
  const camera = Object.hasOwn(config.cameras, id) ? config.cameras[id] : undefined
  const source = camera && parseSource(camera.source)
  if (!source) throw new GrabberError('CFG_INVALID', `there is no camera ${id} in the configuration`)
  const { analysis, motion, faces } = config.defaults
  return {
    id,
    source,
    priority: camera.priority,
    passes: camera.loop === true ? Number.POSITIVE_INFINITY : Number(camera.loop) || 1,
    analysis: { ...analysis, ...written(camera.analysis) },
    motion: { ...motion, ...written(camera.motion) },
    faces: { ...faces, ...written(camera.faces) },
  }
}

type Written<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** An override without fields that are present but undefined: spreading those would erase the default. */
function written<T extends object>(override: T | undefined): Written<T> {
  return Object.fromEntries(Object.entries(override ?? {}).filter(([, value]) => value !== undefined)) as Written<T>
}
