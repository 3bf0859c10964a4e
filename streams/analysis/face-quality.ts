/**
 * How well a face can be recognised, 0–1, from its geometry. Pure.
 * Product of size (inter-ocular distance against 32 px, the template's own at 128 px being 47), frontality (the nose between
 * the eyes; a profile has it at one of them) and the detector's score. A ranking within a track, not a probability.
 */
import type { DetectedFace } from '../../core/observation.ts'

const FULL_SIZE_EYE_DISTANCE_PX = 32

/** `pxScale`: full-resolution px per px of the landmarks' picture. */
export function faceQuality(face: DetectedFace, pxScale: number): number {
  const [left, right, nose] = face.landmarks
  const dx = right.x - left.x
  const dy = right.y - left.y
  const eyes = Math.hypot(dx, dy)
  if (eyes < 1e-6) return 0
  const size = Math.min(1, (eyes * pxScale) / FULL_SIZE_EYE_DISTANCE_PX)
  // Position of the nose along the line of the eyes: 0.5 is frontal, 0 or 1 a profile.
  const along = ((nose.x - left.x) * dx + (nose.y - left.y) * dy) / (eyes * eyes)
  const frontal = Math.max(0, 1 - 2 * Math.abs(along - 0.5))
  return size * frontal * face.score
}
