/**
 * Where a face will be, and how surprising it is to see it somewhere else. Pure.
 * All lengths are relative to the face's side, as in DeepSORT (Wojke et al., ICIP 2017): a face that is twice as near is twice
 * as large and moves twice as many px.
 */
import type { Box, Point } from '../../core/geometry.ts'
import { correctKalman, type KalmanState, predictKalman, startKalman } from './kalman.ts'

/** Noise of a detected box's centre, in sides of the face. */
const NOISE = 0.08
/**
 * Velocities of faces (standard deviation along one axis), in sides of the face a second; walking past a camera is about 9.
 * With 4, a face that sets off is lost at 5 frames a second; 8 is no better (docs/decisions.md).
 */
const SPEED = 6
/** Mahalanobis distance, squared, that 99.9 % of true pairs stay below (chi-square, 2 degrees of freedom). */
const GATE = 13.8
/** A face does not change its area more than this between two looks. */
const MAX_AREA_RATIO = 3

/** Of the box's centre, px and seconds. */
export interface FaceMotion {
  x: KalmanState
  y: KalmanState
}

export function startMotion(box: Box): FaceMotion {
  const { x, y } = centreOf(box)
  const side = sideOf(box)
  return { x: startKalman(x, NOISE * side, SPEED * side), y: startKalman(y, NOISE * side, SPEED * side) }
}

/** `box`: the face's last one. */
export function predictMotion({ x, y }: FaceMotion, box: Box, seconds: number): FaceMotion {
  const speed = SPEED * sideOf(box)
  return { x: predictKalman(x, seconds, speed), y: predictKalman(y, seconds, speed) }
}

export function correctMotion({ x, y }: FaceMotion, box: Box): FaceMotion {
  const centre = centreOf(box)
  const noise = NOISE * sideOf(box)
  return { x: correctKalman(x, centre.x, noise), y: correctKalman(y, centre.y, noise) }
}

/**
 * Twice the negative log-likelihood of seeing `box` where `expected` says, up to a constant: the squared Mahalanobis
 * distance, and the logarithm of the area it is measured in, so that a track which was seen just now comes before one that may
 * be anywhere. Infinity beyond the gate. `last`: the track's last box.
 */
export function motionCost(expected: FaceMotion, last: Box, box: Box): number {
  // Written so that a box without a size, or without numbers, is out of the question too.
  if (!(areaRatio(last, box) <= MAX_AREA_RATIO)) return Number.POSITIVE_INFINITY
  const at = centreOf(box)
  const side = sideOf(last)
  const noise = (NOISE * side) ** 2
  const sx = expected.x.positionVariance + noise
  const sy = expected.y.positionVariance + noise
  const distance = (at.x - expected.x.position) ** 2 / sx + (at.y - expected.y.position) ** 2 / sy
  return distance <= GATE ? distance + Math.log((sx * sy) / side ** 4) : Number.POSITIVE_INFINITY
}

function centreOf({ x, y, width, height }: Box): Point {
  return { x: x + width / 2, y: y + height / 2 }
}

/** Of a square of the box's area, px; at least 1. */
function sideOf({ width, height }: Box): number {
  return Math.max(1, Math.sqrt(width * height))
}

function areaRatio(a: Box, b: Box): number {
  const ratio = (a.width * a.height) / (b.width * b.height)
  return Math.max(ratio, 1 / ratio)
}
