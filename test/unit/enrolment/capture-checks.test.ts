import { expect, it } from 'vitest'
import { captureProblems, type Embedded } from '../../../src/enrolment/capture-checks.ts'
import { GENERIC_HEAD } from '../../../streams/analysis/head-pose.ts'
import { faceAt } from './faces.ts'

const good: Embedded['crop'] = { blur: 0.7, highLuma: 40, overexposedRatio: 0.3 }
const codes = (rest: Partial<Embedded>) => captureProblems('x.jpg', faceAt(0, rest)).map(({ code }) => code)
const scaledBy = (factor: number) => faceAt(0).landmarks.map(([x, y]) => [x * factor, y * factor] as const)

/** The generic head turned about the vertical axis, then tilted in the picture. */
function turned(yaw: number, roll = 0): Embedded['landmarks'] {
  const [y, r] = [(yaw * Math.PI) / 180, (roll * Math.PI) / 180]
  return GENERIC_HEAD.map(([px, py, pz]) => {
    const x = Math.cos(y) * px + Math.sin(y) * pz
    return [200 + Math.cos(r) * x - Math.sin(r) * py, 200 + Math.sin(r) * x + Math.cos(r) * py] as const
  })
}

it.each<[string, Partial<Embedded>, string[]]>([
  ['a good face', { crop: good }, []],
  ['21 px between the eyes', { landmarks: scaledBy(21 / 60) }, []],
  ['19 px between the eyes', { landmarks: scaledBy(19 / 60) }, ['GAL_TOO_SMALL']],
  ['a blurred one', { crop: { ...good, blur: 0.76 } }, ['GAL_BLURRED']],
  ['30° to the left', { landmarks: turned(-30) }, []],
  ['40° to the left', { landmarks: turned(-40) }, ['GAL_TURNED']],
  ['40° to the right', { landmarks: turned(40) }, ['GAL_TURNED']],
  ['tilted by 40°', { landmarks: turned(0, 40) }, []],
  ['tilted by 50°', { landmarks: turned(0, -50) }, ['GAL_TURNED']],
  ['dark', { crop: { ...good, highLuma: 31 } }, ['GAL_TOO_DARK']],
  ['overexposed', { crop: { ...good, overexposedRatio: 0.41 } }, ['GAL_TOO_BRIGHT']],
  [
    'all of it',
    { landmarks: scaledBy(0.2), crop: { blur: 0.9, highLuma: 10, overexposedRatio: 0 } },
    ['GAL_TOO_SMALL', 'GAL_BLURRED', 'GAL_TOO_DARK'],
  ],
])('%s', (_, rest, expected) => expect(codes(rest)).toEqual(expected))

it('refuses landmarks that make no face', () => {
  expect(codes({ landmarks: faceAt(0).landmarks.map(() => [5, 5] as const) })).toContain('GAL_TURNED')
})

it('says in one line what is wrong, where, and what to do', () => {
  const [problem] = captureProblems('a.jpg', faceAt(0, { landmarks: scaledBy(0.25) }))
  expect(problem!.line).toMatch(
    /^GAL_TOO_SMALL: a\.jpg: the eyes are 15\.0 px apart, not 20: take the picture from nearer/,
  )
})
