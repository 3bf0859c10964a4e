/** Where moments come from: events, scores, times that are given. */
import { describe, expect, it } from 'vitest'
import { eventMoments } from '../../../src/clips/event-moments.ts'
import { clipsAt } from '../../../src/clips/given-times.ts'
import { scoreMoments } from '../../../src/clips/score-moments.ts'

const frame = (ptsMs: number) => ({ seq: Math.round(ptsMs / 40), ptsMs, width: 640, height: 360 })
const line = (type: string, data: object, subject = 'hall') => JSON.stringify({ type, subject, data })

function face(trackId: string, phase: string, ptsMs: number, status: string, quality: number): string {
  return line('face.track', {
    ...{
      phase,
      trackId,
      revision: 0,
      box: { x: 0, y: 0, width: 0.1, height: 0.1 },
      frame: frame(ptsMs),
      score: 0.9,
      quality,
    },
    identity: { status, subject: 'p-17', name: 'Somebody Secret' },
    liveness: { verdict: 'unchecked' },
    ...{ firstSeen: '1970-01-01T00:00:00Z', lastSeen: '1970-01-01T00:00:00Z' },
  })
}

describe('eventMoments', () => {
  it('makes a moment of each track, movement and keyframe, without anybody’s name', () => {
    const text = [
      face('hall/1', 'new', 1000, 'unknown', 0.2),
      face('hall/1', 'update', 4000, 'confirmed', 0.8),
      face('hall/1', 'end', 9000, 'confirmed', 0.5),
      line('motion', { phase: 'start', areaRatio: 0.5, frame: frame(500) }),
      line('motion', { phase: 'end', areaRatio: 0, frame: frame(9500) }),
      line('motion', { phase: 'start', areaRatio: 0.1, frame: frame(20_000) }),
      line('keyframe', { frame: frame(3000), score: 0.5, scores: {}, reason: 'trigger', file: 'x.jpg' }),
      line('camera.state', { anything: true }),
      '',
    ].join('\n')
    const moments = eventMoments(text, 'hall')
    expect(moments.map(({ fromMs, toMs, peakMs, what }) => [fromMs, toMs, peakMs, what])).toEqual([
      [1000, 9000, 4000, 'a known face for 8.0 s'],
      [500, 9500, 500, 'movement in 50 % of the picture for 9.0 s'],
      [20_000, 25_000, 20_000, 'movement in 10 % of the picture for 5.0 s'],
      [3000, 3000, 3000, 'a keyframe of score 0.50'],
    ])
    expect(moments.map(({ weight }) => weight.toFixed(3))).toEqual(['0.810', '0.150', '0.110', '0.150'])
    expect(JSON.stringify(moments)).not.toMatch(/Secret|p-17/)
  })

  it('takes the camera of the recording, the only one there is, or asks which', () => {
    const start = (subject: string) => line('motion', { phase: 'start', areaRatio: 1, frame: frame(0) }, subject)
    expect(eventMoments(start('yard'), 'hall')).toHaveLength(1)
    expect(eventMoments(`${start('yard')}\n${start('hall')}`, 'hall')).toHaveLength(1)
    expect(() => eventMoments(`${start('yard')}\n${start('gate')}`, 'hall')).toThrow(/gate, yard; name one/)
  })

  it('refuses what is no event', () => {
    expect(() => eventMoments('{"type":"motion"', 'hall')).toThrow('line 1 is no event')
    expect(() => eventMoments(`\n${line('motion', { phase: 'middle' })}`, 'hall')).toThrow(/motion is not what/)
  })
})

describe('scoreMoments', () => {
  const rows = Array.from({ length: 100 }, (_, i) => [
    i,
    i * 1000,
    i >= 40 && i < 60 ? 0.9 : 0.3,
    i >= 40 && i < 60 ? 0.7 : null,
  ])
  const metadata = JSON.stringify({
    source: { sizeBytes: 1234 },
    candidates: { columns: ['seq', 'ptsMs', 'score', 'saliency'], rows },
  })

  it('finds the stretch with the best pictures', () => {
    const [best, next] = scoreMoments(metadata, 1234, 20_000, 2)
    expect(best).toMatchObject({ fromMs: 40_000, toMs: 60_000, peakMs: 50_000 })
    expect(best?.weight).toBeCloseTo(0.8, 10)
    expect(next?.weight).toBeCloseTo(0.3, 10)
    expect(best?.what).toBe('pictures worth 0.80 on average, of the whole 0.40')
  })

  it('refuses another recording’s scores, and what are none', () => {
    expect(() => scoreMoments(metadata, 99, 20_000, 2)).toThrow(/1234 bytes, and this one has 99/)
    expect(() => scoreMoments('[]', 1234, 20_000, 2)).toThrow(
      /takes the metadata.json of an extraction, and this is none/,
    )
    const bare = JSON.stringify({ source: { sizeBytes: 1 }, candidates: { columns: ['seq'], rows: [[1]] } })
    expect(() => scoreMoments(bare, 1, 20_000, 2)).toThrow(/no scores/)
  })
})

describe('clipsAt', () => {
  const limits = { count: 5, minMs: 15_000, maxMs: 60_000, padMs: 0, durationMs: 120_000 }
  const at = (...words: string[]) => clipsAt(words, limits).map(({ fromMs, toMs }) => [fromMs, toMs])

  it('reads times as people write them', () => {
    expect(at('00:01:20', '5', '0:30.5,20')).toEqual([
      [5000, 20_000],
      [30_500, 50_500],
      [80_000, 95_000],
    ])
  })

  it('joins what overlaps, and moves a clip at the end forward', () => {
    expect(at('10,20', '25,20')).toEqual([[10_000, 45_000]])
    expect(at('1:55')).toEqual([[105_000, 120_000]])
  })

  it.each([
    [['soon'], /takes a time as 00:01:20/],
    [['1:75'], /takes a time as 00:01:20/],
    [['10,'], /takes a time as 00:01:20/],
    [['10,14'], /lasts 14 s, not 15 s to 60 s/],
    [['10,61'], /lasts 61 s/],
    [['0,40', '39,40'], /lasts 79 s/],
    [['2:00'], /is after the end, 120 s/],
    [['0', '15', '30', '45', '60', '75'], /6 times are given; at most 5/],
  ])('refuses %j', (words, message) => {
    expect(() => at(...words)).toThrow(message)
  })
})
