import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Point } from '../../../../core/geometry.ts'
import type { Landmarks } from '../../../../core/observation.ts'
import { GENERIC_HEAD, headPose } from '../../../../streams/analysis/head-pose.ts'

const radians = (degrees: number) => (degrees * Math.PI) / 180

/** The generic head turned (yaw about y, then pitch about x, then roll in the picture), seen from far away. */
function seen(yaw: number, pitch: number, roll: number, scale = 1, shift = 0): Landmarks {
  const [a, b, c] = [radians(yaw), radians(pitch), radians(roll)]
  return GENERIC_HEAD.map(([px, py, pz]): Point => {
    const [x, z] = [Math.cos(a) * px + Math.sin(a) * pz, -Math.sin(a) * px + Math.cos(a) * pz]
    const y = Math.cos(b) * py - Math.sin(b) * z
    return {
      x: scale * (Math.cos(c) * x - Math.sin(c) * y) + shift,
      y: scale * (Math.sin(c) * x + Math.cos(c) * y) + shift,
    }
  }) as unknown as Landmarks
}

it('is all zero for a frontal face', () => {
  const { yaw, pitch, roll } = headPose(seen(0, 0, 0, 2, 100))
  expect([yaw, pitch, roll].map((value) => Math.abs(value) < 1e-9)).toEqual([true, true, true])
})

it('gives back a turn about one axis, whatever the size and place', () => {
  const angle = fc.double({ min: -80, max: 80, noNaN: true })
  const rest = [fc.double({ min: 0.1, max: 9, noNaN: true }), fc.integer({ min: -999, max: 999 })] as const
  fc.assert(
    fc.property(angle, ...rest, (degrees, scale, shift) => {
      expect(headPose(seen(degrees, 0, 0, scale, shift)).yaw).toBeCloseTo(degrees, 5)
      expect(headPose(seen(0, degrees, 0, scale, shift)).pitch).toBeCloseTo(degrees, 5)
      expect(headPose(seen(0, 0, degrees, scale, shift)).roll).toBeCloseTo(degrees, 5)
    }),
  )
})

it('tells the side: a mirrored face is turned the other way', () => {
  const face = seen(30, 10, 5)
  const mirrored = [1, 0, 2, 4, 3].map((index) => ({ x: -face[index]!.x, y: face[index]!.y })) as unknown as Landmarks
  expect(headPose(mirrored).yaw).toBeCloseTo(-headPose(face).yaw, 5)
  expect(headPose(mirrored).roll).toBeCloseTo(-headPose(face).roll, 5)
})

it('is no number where there is no face', () => {
  const points = Array.from({ length: 5 }, () => ({ x: 3, y: 3 })) as unknown as Landmarks
  expect(headPose(points).yaw).toBeNaN()
})
