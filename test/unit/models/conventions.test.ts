import { describe, expect, test } from 'vitest'
import { judge, verdicts } from '../../../models/convention-verdict.ts'
import { ARCFACE_TEMPLATE, alternatives, declared } from '../../../models/conventions.ts'
import { findModel } from '../../../models/manifest.ts'
import type { ModelEntry } from '../../../models/model-entry.ts'

const reid = findModel('face-reid-0095')
const sface = findModel('sface')
const names = (entry: ModelEntry) => alternatives(entry).map(({ aspect, name }) => `${aspect} ${name}`)
const withInput = (input: Partial<ModelEntry['input']>): ModelEntry => ({
  ...sface,
  input: { ...sface.input, ...input },
})

describe('alternatives', () => {
  test('to an entry are everything usual but itself', () => {
    expect(names(sface)).toEqual([
      'colour BGR',
      'range 0 to 1',
      'range -1 to 1',
      'range -127.5 to 127.5',
      'alignment Open Model Zoo 0095',
      'alignment a wider crop',
      'alignment a closer crop',
      'alignment left and right exchanged',
    ])
    expect(names(reid)).toContain('alignment ArcFace')
    expect(names(reid)).not.toContain('alignment Open Model Zoo 0095')
    expect(names(findModel('yunet')).some((name) => name.startsWith('alignment'))).toBe(false)
  })

  test('(x − 127.5) ÷ 128 is not told from (x − 127.5) ÷ 127.5, which no picture can', () => {
    const entry = withInput({ mean: [127.5, 127.5, 127.5], scale: 1 / 128 })
    expect(names(entry)).not.toContain('range -1 to 1')
    expect(names(entry)).toContain('range 0 to 255')
    expect(declared(entry)).toEqual({ colour: 'RGB', range: '-1 to 1', alignment: 'ArcFace' })
  })

  test('change one thing, and means go with their colours', () => {
    const entry = withInput({ mean: [104, 117, 123] })
    const [swapped] = alternatives(entry)
    expect(swapped!.entry).toEqual({ ...entry, input: { ...entry.input, colour: 'BGR', mean: [123, 117, 104] } })
    for (const { aspect, entry: other } of alternatives(reid)) {
      if (aspect !== 'alignment') expect(other.alignment).toEqual(reid.alignment)
      if (aspect !== 'range') expect(other.input.scale).toBe(reid.input.scale)
    }
  })

  test('the manifest has the ArcFace template as OpenCV publishes it', () => {
    for (const [index, [x, y]] of sface.alignment!.template.entries()) {
      expect(x).toBeCloseTo(ARCFACE_TEMPLATE[index]![0], 6)
      expect(y).toBeCloseTo(ARCFACE_TEMPLATE[index]![1], 6)
    }
  })
})

describe('verdicts', () => {
  const figure = (name: string, judgement: 'worse' | 'better' | 'not told apart', value = 1) => ({
    ...{ name, figure: value, judgement, difference: { value: 0, low: 0, high: 0 } },
  })
  const of = (...judgements: ReturnType<typeof figure>[]) => {
    const ranges = alternatives(sface).filter(({ aspect }) => aspect === 'range')
    return verdicts(
      sface,
      judgements.map((one, index) => ({ alternative: ranges[index]!, figure: one })),
    )[0]
  }

  test('an entry is right when every alternative is worse', () => {
    expect(of(figure('a', 'worse'), figure('b', 'worse'))).toMatchObject({ verdict: 'right', declared: '0 to 255' })
  })

  test('it is wrong when one is better, which is named first', () => {
    const found = of(figure('a', 'worse', 1), figure('b', 'not told apart', 2), figure('c', 'better', 3))
    expect(found).toMatchObject({ verdict: 'wrong', why: 'c is better' })
    expect(found!.alternatives.map(({ name }) => name)).toEqual(['c', 'b', 'a'])
  })

  test('else it says from what it cannot be told', () => {
    expect(of(figure('a', 'worse'), figure('b', 'not told apart'))).toMatchObject({
      verdict: 'cannot tell',
      why: 'these pictures do not tell it from b',
    })
  })

  test.for<[string, number, [number, number], string]>([
    ['surely worse', 5, [0.1, 2], 'worse'],
    ['perhaps worse', 5.9, [-0.1, 0.3], 'not told apart'],
    ['surely better', 7, [-2, -0.5], 'better'],
    ['surely better, by next to nothing', 6.1, [-0.2, -0.01], 'not told apart'],
  ])('%s', ([, value, [low, high], judgement]) => {
    expect(judge('alignment', 6, value, { value: 6 - value, low, high })).toBe(judgement)
  })
})
