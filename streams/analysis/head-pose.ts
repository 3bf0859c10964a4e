/**
 * Which way a head is turned, from its five landmarks. Pure; session host.
 * Scaled orthography: the affine camera that lays a generic head onto the landmarks by least squares, made orthonormal
 * (the first step of DeMenthon and Davis, "Model-based object pose in 25 lines of code", IJCV 1995). Heads differ from
 * the generic one by several degrees, in pitch most of all: good for telling a portrait from a profile, not for gaze.
 */
import type { Landmarks } from '../../core/observation.ts'

/** Degrees. ISO/IEC 29794-5 names them HeadPoseYaw, HeadPosePitch and HeadPoseRoll. */
export interface HeadPose {
  /** Positive towards the picture's right. */
  yaw: number
  /** Positive upwards. */
  pitch: number
  /** Positive clockwise as seen in the picture. */
  roll: number
}

type Vector = readonly [number, number, number]

/**
 * mm from the tip of the nose, x right, y down, z towards the camera; order of the landmarks. Inter-pupillary distance 63;
 * heights and the mouth's width as the detector places them on frontal faces (98 photographs: eyes 0.55 and mouth 0.44
 * of the eyes' distance from the nose, mouth 0.88 wide); the nose stands out by 27 from the eyes and 25 from the mouth.
 */
export const GENERIC_HEAD: readonly Vector[] = [
  [-31.5, -34, -27],
  [31.5, -34, -27],
  [0, 0, 0],
  [-27, 28, -25],
  [27, 28, -25],
]

const centred = minusMean(GENERIC_HEAD)
const inverse = normalInverse(centred)

/** Frontal is 0, 0, 0. Landmarks that coincide give no number but NaN. */
export function headPose(landmarks: Landmarks): HeadPose {
  const points = minusMean(landmarks.map(({ x, y }): Vector => [x, y, 0]))
  const across = affineRow(points.map(([x]) => x))
  const i = scaled(across, 1 / length(across))
  const down = affineRow(points.map(([, y]) => y))
  const upright = down.map((value, axis) => value - dot(down, i) * i[axis]!) as unknown as Vector
  const j = scaled(upright, 1 / length(upright))
  // Third column of the rotation: where the head's z axis points in the picture.
  const [x, y, z] = [i[2], j[2], i[0] * j[1] - i[1] * j[0]]
  return { yaw: degrees(Math.atan2(x, z)), pitch: degrees(Math.asin(-y)), roll: degrees(Math.atan2(j[0], i[0])) }
}

/** Least-squares row of the camera for one coordinate of the points; by symmetry x stands alone and y, z go together. */
function affineRow(values: readonly number[]): Vector {
  const sums = [0, 1, 2].map((axis) => values.reduce((sum, value, index) => sum + value * centred[index]![axis]!, 0))
  const [x, y, z] = sums as [number, number, number]
  return [inverse.xx * x, inverse.yy * y + inverse.yz * z, inverse.yz * y + inverse.zz * z]
}

function normalInverse(points: readonly Vector[]) {
  const sum = (a: 0 | 1 | 2, b: 0 | 1 | 2) => points.reduce((total, point) => total + point[a] * point[b], 0)
  const det = sum(1, 1) * sum(2, 2) - sum(1, 2) ** 2
  return { xx: 1 / sum(0, 0), yy: sum(2, 2) / det, yz: -sum(1, 2) / det, zz: sum(1, 1) / det }
}

function minusMean(points: readonly Vector[]): Vector[] {
  const mean = ([0, 1, 2] as const).map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length)
  return points.map(([x, y, z]) => [x - mean[0]!, y - mean[1]!, z - mean[2]!])
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

function length(a: Vector): number {
  return Math.sqrt(dot(a, a))
}

function scaled([x, y, z]: Vector, factor: number): Vector {
  return [x * factor, y * factor, z * factor]
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI
}
