import { describe, expect, it } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import type { StillFace } from '../../../core/wire/control.ts'
import { enrolmentOf } from '../../../src/cli/faces-enrolment.ts'

/** Angles of a person's faces in the plane: 30 degrees apart is the same person (0.87), 90 another. */
function face(degrees: number, quality = 0.8): StillFace {
  const angle = (degrees * Math.PI) / 180
  const embedding = Float32Array.of(Math.cos(angle), Math.sin(angle))
  return { box: [0, 0, 10, 10], score: 0.9, landmarks: [], quality, embedding }
}

const moment = (...faces: StillFace[]) => ({ faces })
const moments = (...degrees: number[]) => degrees.map((each) => moment(face(each)))
const enrolled = (...seen: { faces: StillFace[] }[]) => enrolmentOf('x.jpg', seen, 0.6).length

function refusal(...seen: { faces: StillFace[] }[]): string {
  try {
    enrolmentOf('x.jpg', seen, 0.6)
  } catch (error) {
    if (error instanceof GrabberError) return error.code
    throw error
  }
  return 'none'
}

describe('a picture', () => {
  it('gives its one face', () => {
    const one = face(0)
    expect(enrolmentOf('x.jpg', [moment(one)], 0.6)).toEqual([one.embedding])
  })

  it('is refused without a face that can be recognised', () => {
    expect(refusal(moment())).toBe('GAL_NO_FACE')
    expect(refusal(moment(face(0, 0.1)))).toBe('GAL_NO_FACE')
    const { embedding: _, ...cutOff } = face(0)
    expect(refusal(moment(cutOff))).toBe('GAL_NO_FACE')
  })

  it('is refused with a second face, however poor: the wrong one might be meant', () => {
    expect(refusal(moment(face(0), face(0, 0.01)))).toBe('GAL_SEVERAL_FACES')
  })

  it('names the file', () => {
    expect(() => enrolmentOf('dir/y.jpg', [moment()], 0.6)).toThrow(/^dir\/y\.jpg: /)
  })
})

describe('a video', () => {
  it('gives the face of each moment that has one', () => {
    expect(enrolled(moment(), ...moments(0, 10, 20))).toBe(3)
  })

  it('leaves out a moment with a second face that cannot be recognised', () => {
    expect(enrolled(...moments(0, 10), moment(face(5), face(90, 0)))).toBe(2)
  })

  it('is refused when a moment shows two that can', () => {
    expect(refusal(...moments(0, 10), moment(face(5), face(90, 0.2)))).toBe('GAL_SEVERAL_FACES')
  })

  it('leaves out who passes through', () => {
    expect(enrolled(...moments(0, 5, 10, 90))).toBe(3)
  })

  it('is refused when it shows one person and then another', () => {
    expect(refusal(...moments(0, 5, 10, 90, 95))).toBe('GAL_SEVERAL_FACES')
    expect(refusal(...moments(0, 90))).toBe('GAL_SEVERAL_FACES')
  })
})
