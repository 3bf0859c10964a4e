/**
 * What one camera runs with: the defaults and its own overrides, merged. Pure.
 */
import { GrabberError } from '../core/errors.ts'
import type { CaptureFormat } from '../core/wire/session-spec.ts'
import type { Config } from './schema.ts'
import { type CameraSource, parseSource } from './source.ts'

const noFormat: CaptureFormat = { width: null, height: null, fps: null, format: null }

type Defaults = Config['defaults']

export interface CameraConfig extends Omit<Defaults, 'gating'> {
  id: string
  enabled: boolean
  /** The substream where there is one: what is analysed. */
  source: CameraSource
  gating: boolean
  capture: CaptureFormat
  /** 0–10; weight under load. */
  priority: number
  /** Passes over a file; `Infinity` plays for ever. */
  passes: number
}

/** Throws CFG_INVALID when there is no camera `id`. */
export function cameraConfig(config: Config, id: string): CameraConfig {
  const camera = Object.hasOwn(config.cameras, id) ? config.cameras[id] : undefined
  const source = camera && parseSource(camera.substream ?? camera.source)
  if (!source) throw new GrabberError('CFG_INVALID', `there is no camera ${id} in the configuration`)
  const { analysis, motion, faces, picture, keyframes, transport, gating, hardware } = config.defaults
  const wanted = camera.gating ?? gating
  return {
    id,
    enabled: camera.enabled,
    source,
    transport: camera.transport ?? transport,
    gating: wanted === true || wanted === 'on',
    hardware: camera.hardware ?? hardware,
    capture: { ...noFormat, ...written(camera.capture) },
    priority: camera.priority,
    passes: camera.loop === true ? Number.POSITIVE_INFINITY : Number(camera.loop) || 1,
    analysis: { ...analysis, ...written(camera.analysis) },
    motion: { ...motion, ...written(camera.motion) },
    faces: { ...faces, ...written(camera.faces) },
    picture: { ...picture, ...written(camera.picture) },
    keyframes: { ...keyframes, ...written(camera.keyframes) },
  }
}

type Written<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** An override without fields that are present but undefined: spreading those would erase the default. */
function written<T extends object>(override: T | undefined): Written<T> {
  return Object.fromEntries(Object.entries(override ?? {}).filter(([, value]) => value !== undefined)) as Written<T>
}
