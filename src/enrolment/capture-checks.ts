/**
 * Whether a face is captured well enough to make a person known by it, reason by reason. Pure.
 * A camera's face may be worse: it is compared, these are what is compared with. Limits were measured on 98 photographs
 * and copies of them that were blurred, reduced, darkened and overexposed (docs/decisions.md).
 */
import type { ErrorCode } from '../../core/error-table.ts'
import { GrabberError } from '../../core/errors.ts'
import type { Point } from '../../core/geometry.ts'
import type { Landmarks } from '../../core/observation.ts'
import type { StillFace } from '../../core/wire/control.ts'
import { headPose } from '../../streams/analysis/head-pose.ts'

/** Between the eyes (OFIQ: InterEyeDistance), px of the original. At 16 px a face is 0.91 like itself, at 12 px 0.81. */
export const MIN_EYE_DISTANCE_PX = 20
/** A blur of 0.04 of the eyes' distance leaves a face 0.96 like itself, one of 0.08 only 0.76; this lies between. */
export const MAX_BLUR = 0.755
/** Degrees from the camera. Roll is undone by the alignment, as far as the detector finds a tilted face at all. */
export const MAX_YAW = 35
export const MAX_PITCH = 25
export const MAX_ROLL = 45
/** A face at an eighth of its light is below, at a quarter above (then it still is 0.94 like itself). */
export const MIN_HIGH_LUMA = 32
/** Faces beyond it are 0.71 like themselves (median of 104), faces below 0.93. */
export const MAX_OVEREXPOSED_RATIO = 0.4

/** A face with what is measured on its crop. */
export type Embedded = StillFace & Required<Pick<StillFace, 'embedding' | 'crop'>>

export function isEmbedded(face: StillFace): face is Embedded {
  return face.embedding !== undefined && face.crop !== undefined
}

/** Why the face of `file` is not good enough; empty when it is. GAL_TOO_SMALL, _BLURRED, _TURNED, _TOO_DARK, _TOO_BRIGHT. */
export function captureProblems(file: string, face: Embedded): GrabberError[] {
  const landmarks = face.landmarks.map(([x, y]): Point => ({ x, y })) as unknown as Landmarks
  const [left, right] = landmarks
  const eyesPx = Math.hypot(right.x - left.x, right.y - left.y)
  const { yaw, pitch, roll } = headPose(landmarks)
  const { blur, highLuma, overexposedRatio } = face.crop
  const found: [boolean, ErrorCode, string][] = [
    [
      eyesPx < MIN_EYE_DISTANCE_PX,
      'GAL_TOO_SMALL',
      `the eyes are ${eyesPx.toFixed(1)} px apart, not ${MIN_EYE_DISTANCE_PX}`,
    ],
    [blur > MAX_BLUR, 'GAL_BLURRED', `the face is blurred: ${blur.toFixed(3)}, at most ${MAX_BLUR}`],
    [!(Math.abs(yaw) <= MAX_YAW), 'GAL_TURNED', `the face is turned ${aside(yaw)}, at most ${MAX_YAW}°`],
    [!(Math.abs(pitch) <= MAX_PITCH), 'GAL_TURNED', `the face is turned ${updown(pitch)}, at most ${MAX_PITCH}°`],
    [
      !(Math.abs(roll) <= MAX_ROLL),
      'GAL_TURNED',
      `the face is tilted by ${Math.abs(roll).toFixed(0)}°, at most ${MAX_ROLL}°`,
    ],
    [
      highLuma < MIN_HIGH_LUMA,
      'GAL_TOO_DARK',
      `the face is dark: its brightest parts have ${highLuma.toFixed(0)} of 255, not ${MIN_HIGH_LUMA}`,
    ],
    [
      overexposedRatio > MAX_OVEREXPOSED_RATIO,
      'GAL_TOO_BRIGHT',
      `${percent(overexposedRatio)} of the face is overexposed, at most ${percent(MAX_OVEREXPOSED_RATIO)}`,
    ],
  ]
  return found.filter(([bad]) => bad).map(([, code, what]) => new GrabberError(code, `${file}: ${what}`))
}

const aside = (degrees: number) => `${Math.abs(degrees).toFixed(0)}° to the side`
const updown = (degrees: number) => `${Math.abs(degrees).toFixed(0)}° ${degrees > 0 ? 'up' : 'down'}`
const percent = (ratio: number) => `${Math.round(100 * ratio)} %`
