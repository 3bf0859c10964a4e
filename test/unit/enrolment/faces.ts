/** Faces as the engine describes them, good enough to be enrolled unless told otherwise. Test support. */
import type { Embedded } from '../../../src/enrolment/capture-checks.ts'

/** A frontal face, 60 px between the eyes. */
const frontal: Embedded['landmarks'] = [
  [100, 100],
  [160, 100],
  [130, 132],
  [104, 159],
  [156, 159],
]

/** Angles of a person's faces in the plane: 30 degrees apart is the same person (0.87), 90 another. */
export function faceAt(degrees: number, rest: Partial<Embedded> = {}): Embedded {
  const angle = (degrees * Math.PI) / 180
  return {
    box: [80, 60, 100, 130],
    score: 0.9,
    landmarks: frontal,
    quality: 0.8,
    embedding: Float32Array.of(Math.cos(angle), Math.sin(angle)),
    crop: { blur: 0.5, highLuma: 190, overexposedRatio: 0 },
    ...rest,
  }
}
