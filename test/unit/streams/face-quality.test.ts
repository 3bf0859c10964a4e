import { describe, expect, it } from 'vitest'
import type { DetectedFace } from '../../../core/observation.ts'
import { faceQuality } from '../../../streams/analysis/face-quality.ts'

/** Eyes 32 px apart on a line at `tilt`; the nose `along` it, 20 px beside it. */
function face({ eyes = 32, along = 0.5, score = 1, tilt = 0 } = {}): DetectedFace {
  const [cos, sin] = [Math.cos(tilt), Math.sin(tilt)]
  const at = (u: number, v: number) => ({ x: 100 + u * cos - v * sin, y: 100 + u * sin + v * cos })
  return {
    box: { x: 80, y: 80, width: 80, height: 100 },
    score,
    landmarks: [at(0, 0), at(eyes, 0), at(eyes * along, 20), at(4, 40), at(eyes - 4, 40)],
  }
}

describe('faceQuality', () => {
  it('is 1 for a large, frontal, certain face, however it is tilted', () => {
    expect(faceQuality(face(), 1)).toBe(1)
    expect(faceQuality(face({ tilt: 0.7 }), 1)).toBeCloseTo(1, 10)
    expect(faceQuality(face({ eyes: 200 }), 1)).toBe(1)
  })

  it('falls with the size in px of the full picture', () => {
    expect(faceQuality(face({ eyes: 8 }), 1)).toBe(0.25)
    expect(faceQuality(face({ eyes: 8 }), 3)).toBe(0.75)
  })

  it('falls as the face turns, to 0 in profile and beyond', () => {
    expect(faceQuality(face({ along: 0.25 }), 1)).toBeCloseTo(0.5, 10)
    expect(faceQuality(face({ along: 0.75 }), 1)).toBeCloseTo(0.5, 10)
    expect(faceQuality(face({ along: 0 }), 1)).toBe(0)
    expect(faceQuality(face({ along: 1.4 }), 1)).toBe(0)
  })

  it('falls with the detector’s doubt', () => {
    expect(faceQuality(face({ score: 0.7 }), 1)).toBe(0.7)
  })

  it('is 0 when the landmarks coincide', () => {
    expect(faceQuality(face({ eyes: 0 }), 1)).toBe(0)
  })
})
