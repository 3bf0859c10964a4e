import { describe, expect, it } from 'vitest'
import type { FrameRecord } from '../../../../../core/keyframe.ts'
import { type FrameMeasures, measureNames } from '../../../../../core/measures.ts'
import type { ComplexityMetric, FrameLook } from '../../../../../core/shot.ts'
import { ShotMeter } from '../../../../../streams/analysis/shots/shot-meter.ts'

interface Change {
  look?: Partial<FrameLook>
  measures?: Partial<FrameMeasures>
  sharpness?: number
  chosen?: boolean
}

const STEP_MS = 100

function record(seq: number, { look, measures, sharpness = 0.75, chosen = false }: Change = {}): FrameRecord {
  return {
    seq,
    ptsMs: seq * STEP_MS,
    scene: 0,
    measures: { ...(Object.fromEntries(measureNames.map((name) => [name, 0])) as FrameMeasures), ...measures },
    score: { score: 0.5, parts: { sharpness }, faults: [] },
    saliency: { score: 0.5, parts: {} },
    view: null,
    chosen,
    reason: 'near',
    evidence: '',
    look: {
      ...{ shot: 0, begins: null, stepMs: STEP_MS, dx: 0, dy: 0, flow: 0, shake: 0, unexplained: 0, brightness: 0 },
      directions: new Array<number>(8).fill(0),
      ...look,
    },
  }
}

const first = (seq: number, change: Change = {}) =>
  record(seq, { ...change, look: { begins: seq === 0 ? 'start' : 'cut', stepMs: 0, ...change.look } })

function metricsOf(change: Change) {
  const meter = new ShotMeter()
  meter.add(first(0, { ...change, look: { ...change.look, begins: 'start', stepMs: 0, brightness: 0 } }))
  for (let seq = 1; seq <= 10; seq++) meter.add(record(seq, change))
  return meter.finish()[0]!.metrics
}

/** Which metrics differ from those of a shot in which nothing happens. */
function raised(change: Change): [ComplexityMetric, number][] {
  const calm = metricsOf({})
  const names = Object.keys(calm) as ComplexityMetric[]
  const metrics = metricsOf(change)
  return names.filter((name) => metrics[name] !== calm[name]).map((name) => [name, Number(metrics[name].toFixed(6))])
}

describe('ShotMeter', () => {
  it.each<[string, Change, [ComplexityMetric, number][]]>([
    ['motion', { look: { flow: 0.02 } }, [['motion', 0.2]]],
    ['directions', { look: { directions: [1, 0, 1, 0, 1, 0, 1, 0] } }, [['motionVariety', 0.666667]]],
    ['shake', { look: { shake: 0.3 } }, [['shake', 0.3]]],
    ['blur', { sharpness: 0.25 }, [['blur', 0.75]]],
    ['texture', { measures: { lbpEntropy: 6 } }, [['texture', 0.75]]],
    ['edges', { measures: { edgeDensity: 0.1 } }, [['edges', 0.1]]],
    ['colours', { measures: { colourfulness: 40 } }, [['colourVariety', 40]]],
    ['light', { look: { brightness: -30 } }, [['brightnessChange', 30]]],
    ['crowding', { look: { unexplained: 0.4 } }, [['crowding', 0.4]]],
  ])('%s raises its own metric alone', (_what, change, expected) => {
    expect(raised(change)).toEqual(expected)
  })

  it('one direction is no variety', () => {
    expect(raised({ look: { directions: [0, 0, 5, 0, 0, 0, 0, 0] } })).toEqual([])
  })

  it('tells shots apart by their looks, in whatever order candidates were decided', () => {
    const records = [
      first(0, { chosen: true }),
      ...[1, 2, 3].map((seq) => record(seq)),
      first(4, { look: { shot: 1, begins: 'dissolve', stepMs: 0 } }),
      ...[5, 6].map((seq) => record(seq, { look: { shot: 1 }, chosen: seq === 6 })),
    ]
    const shuffled = [5, 0, 6, 2, 4, 1, 3].map((n) => records[n]!)
    const reports = [records, shuffled].map((order) => {
      const meter = new ShotMeter()
      for (const each of order) meter.add(each)
      return meter.finish()
    })
    expect(reports[1]).toEqual(reports[0])
    expect(reports[0]).toMatchObject([
      { index: 0, begins: 'start', fromSeq: 0, toSeq: 3, fromMs: 0, toMs: 300, candidates: 4, keyframes: 1 },
      { index: 1, begins: 'dissolve', fromSeq: 4, toSeq: 6, fromMs: 400, toMs: 600, candidates: 3, keyframes: 1 },
    ])
  })

  it('a shot of one candidate is part of the one that it interrupts', () => {
    const meter = new ShotMeter()
    meter.add(first(0))
    for (const seq of [1, 2, 3]) meter.add(record(seq))
    meter.add(first(4, { look: { shot: 1, stepMs: 0 }, chosen: true }))
    for (const seq of [5, 6]) meter.add(record(seq))
    for (const seq of [7, 8]) meter.add(record(seq, { look: { shot: 2, begins: seq === 7 ? 'cut' : null } }))
    expect(meter.finish()).toMatchObject([
      { index: 0, begins: 'start', fromSeq: 0, toSeq: 6, candidates: 7, keyframes: 1 },
      { index: 1, begins: 'cut', fromSeq: 7, toSeq: 8, candidates: 2 },
    ])
  })

  it('forecasts nothing for a shot of a few candidates, and for one in which nothing could be followed', () => {
    const meter = new ShotMeter()
    meter.add(first(0))
    for (let seq = 1; seq < 5; seq++) meter.add(record(seq))
    for (let seq = 5; seq < 20; seq++) meter.add(record(seq, { look: { shot: 1, stepMs: 0 } }))
    expect(meter.finish().map(({ forecast }) => forecast)).toEqual([null, null])
    meter.add(record(30))
    expect(meter.finish()[0]!.forecast).not.toBeNull()
  })

  it('says nothing without looks', () => {
    const meter = new ShotMeter()
    const { look: _, ...old } = record(0)
    meter.add(old)
    expect(meter.finish()).toEqual([])
  })
})
