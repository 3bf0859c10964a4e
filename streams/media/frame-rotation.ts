/**
 * Orientation that a still carries in itself: FFmpeg turns EXIF's into a display matrix on the frame. Session host only.
 */
import type { Frame } from 'node-av'
import { AV_FRAME_DATA_DISPLAYMATRIX } from 'node-av/constants'

export type Rotation = 0 | 90 | 180 | 270

/** Clockwise turn that makes the picture upright; 3×3 of 16.16 fixed point, row by row (libavutil/display.c). */
export function rotationOf(matrix: Buffer | null): Rotation {
  if (!matrix || matrix.length < 36) return 0
  const angle = (-Math.atan2(matrix.readInt32LE(4), matrix.readInt32LE(0)) * 180) / Math.PI
  const turn = ((Math.round(-angle / 90) % 4) + 4) % 4
  return ([0, 90, 180, 270] as const)[turn]!
}

/** Whether the picture is mirrored as well: the matrix turns the plane over. */
function isMirrored(matrix: Buffer | null): boolean {
  if (!matrix || matrix.length < 36) return false
  const [a, b, c, d] = [0, 4, 12, 16].map((at) => matrix.readInt32LE(at) / 65536)
  return a! * d! - b! * c! < 0
}

export function frameMirrored(frame: Frame): boolean {
  return isMirrored(frame.getSideData(AV_FRAME_DATA_DISPLAYMATRIX))
}

export function frameRotation(frame: Frame): Rotation {
  return rotationOf(frame.getSideData(AV_FRAME_DATA_DISPLAYMATRIX))
}
