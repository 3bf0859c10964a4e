/**
 * Handheld clips of rendered scenes whose every camera pose is known. Runs in the test's or benchmark's process and starts Debian's
 * python3 (numpy, OpenCV), which renders, and ffmpeg, which encodes. A scene is rendered once and kept with the other test clips.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kept } from '../../integration/support/clip-cache.ts'

export const scenePaths = ['street', 'orbit', 'room', 'hall'] as const
export type ScenePath = (typeof scenePaths)[number]

/** What the camera does around a frame; `pan` turns fast, `rotation` slowly, both on the spot. */
export type SceneLabel = 'parallax' | 'pan' | 'rotation' | 'pause'

export interface SceneFrame {
  ptsMs: number
  /** World (metres, z up) to camera (x right, y down, z forward), row by row; at the middle of the exposure. */
  rotation: readonly number[]
  translation: readonly number[]
  label: SceneLabel
  /** Way of the picture's points while the shutter was open, px, median. */
  blurPx: number
  /** Of what is seen, median, m. */
  depthM: number
}

export interface SceneTruth {
  path: ScenePath
  fps: number
  /** Principal point in pixel centres: (0, 0) is the middle of the first pixel. */
  intrinsics: { width: number; height: number; focalPx: number; cx: number; cy: number }
  frames: readonly SceneFrame[]
}

export interface SceneOptions {
  /** px; the picture is 16:9. */
  width: number
  fps: number
  /** Part of the path, s. */
  from: number
  seconds: number
}

/** As the benchmark films them. */
export const fullScene: SceneOptions = { width: 960, fps: 30, from: 0, seconds: 22 }
/** For tests: a few seconds, rendered in as many. */
export const tinyScene: SceneOptions = { width: 320, fps: 15, from: 2.8, seconds: 3 }

const SOURCES = ['make.py', 'raster.py', 'geometry.py', 'textures.py', 'paths.py']
const LIMIT_MS = 1_800_000

/** MP4 (H.264) and truth. Throws when python3, its modules or ffmpeg are missing: script/setup --test. */
export function sceneClip(path: ScenePath, options: SceneOptions): { clip: string; truth: SceneTruth } {
  const { width, fps, from, seconds } = options
  const sources = SOURCES.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
  const folder = kept(`scene-${path}`, 'scene', [path, width, fps, from, seconds, ...sources], (unfinished) => {
    mkdirSync(unfinished, { recursive: true })
    const size = ['--width', width, '--height', (width * 9) / 16, '--fps', fps, '--from', from, '--seconds', seconds]
    const out = ['--out', join(unfinished, 'clip.mp4'), '--truth', join(unfinished, 'truth.json')]
    const script = join(import.meta.dirname, 'make.py')
    execFileSync('/usr/bin/python3', ['-B', script, path, ...out, ...size.map(String)], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: LIMIT_MS,
    })
  })
  const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as SceneTruth
  return { clip: join(folder, 'clip.mp4'), truth }
}
