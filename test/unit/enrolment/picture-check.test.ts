import { describe, expect, it } from 'vitest'
import type { StillFace } from '../../../core/wire/control.ts'
import type { Embedded } from '../../../src/enrolment/capture-checks.ts'
import { checkPicture } from '../../../src/enrolment/picture-check.ts'
import { faceAt } from './faces.ts'

const moment = (...faces: StillFace[]) => ({ faces })
const moments = (...degrees: number[]) => degrees.map((each) => moment(faceAt(each)))
const check = (...seen: { faces: StillFace[] }[]) => checkPicture('x.jpg', seen, 0.6)
const enrolled = (...seen: { faces: StillFace[] }[]) => check(...seen).faces.length
const refusal = (...seen: { faces: StillFace[] }[]) => {
  const { faces, problems } = check(...seen)
  expect(faces).toEqual([])
  return problems.map(({ code }) => code).join(' ')
}
const poor = (degrees: number, quality: number) => faceAt(degrees, { quality })
const dim: Embedded['crop'] = { blur: 0.9, highLuma: 10, overexposedRatio: 0 }

describe('a picture', () => {
  it('gives its one face', () => {
    const one = faceAt(0)
    expect(check(moment(one))).toEqual({ file: 'x.jpg', faces: [one], problems: [] })
  })

  it('is refused without a face', () => {
    expect(refusal(moment())).toBe('GAL_NO_FACE')
    const { embedding: _, crop: __, ...cutOff } = faceAt(0)
    expect(refusal(moment(cutOff))).toBe('GAL_NO_FACE')
  })

  it('is refused with a second face, however poor: the wrong one might be meant', () => {
    expect(refusal(moment(faceAt(0), poor(0, 0.01)))).toBe('GAL_SEVERAL_FACES')
  })

  it('is refused with every reason at once', () => {
    expect(refusal(moment(faceAt(0, { crop: dim })))).toBe('GAL_BLURRED GAL_TOO_DARK')
  })

  it('names the file', () => {
    expect(checkPicture('dir/y.jpg', [moment()], 0.6).problems[0]!.message).toMatch(/^dir\/y\.jpg: /)
  })
})

describe('a video', () => {
  it('gives the face of each moment that has one', () => {
    expect(enrolled(moment(), ...moments(0, 10, 20))).toBe(3)
  })

  it('leaves out a moment that is no good', () => {
    expect(enrolled(...moments(0, 10), moment(faceAt(5, { crop: dim })))).toBe(2)
  })

  it('is refused when no moment is good, with what is wrong with the best', () => {
    const dark = { ...dim, blur: 0.5 }
    const seen = [moment(faceAt(0, { crop: dim })), moment(faceAt(5, { crop: dark })), moment(faceAt(5, { crop: dim }))]
    expect(refusal(...seen)).toBe('GAL_TOO_DARK')
  })

  it('leaves out a moment with a second face that cannot be recognised', () => {
    expect(enrolled(...moments(0, 10), moment(faceAt(5), poor(90, 0)))).toBe(2)
  })

  it('is refused when a moment shows two that can', () => {
    expect(refusal(...moments(0, 10), moment(faceAt(5), poor(90, 0.2)))).toBe('GAL_SEVERAL_FACES')
  })

  it('leaves out who passes through', () => {
    expect(enrolled(...moments(0, 5, 10, 90))).toBe(3)
  })

  it('is refused when it shows one person and then another', () => {
    expect(refusal(...moments(0, 5, 10, 90, 95))).toBe('GAL_SEVERAL_FACES')
    expect(refusal(...moments(0, 90))).toBe('GAL_SEVERAL_FACES')
  })
})
