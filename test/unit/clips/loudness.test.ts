/** What ffmpeg's meters report, and how an aim follows from it. */
import { describe, expect, it } from 'vitest'
import { type LoudnessScan, loudnessFaults, readMeter, readScan, spreadOf } from '../../../src/clips/loudness.ts'
import { applyFilter, firstAim, limited, nextAim, preparation } from '../../../src/clips/loudness-aim.ts'

const SCAN_LOG = `Input #0, wav, from 'a{b}.wav':
[Parsed_loudnorm_0 @ 0x55d5b1300580]
{
	"input_i" : "-21.12",
	"input_tp" : "-10.69",
	"input_lra" : "4.90",
	"input_thresh" : "-34.22",
	"output_i" : "-15.91",
	"normalization_type" : "dynamic",
	"target_offset" : "-0.09"
}`.split('\n')

const METER_LOG = `[Parsed_ebur128_0 @ 0x1] t: 1.0 TARGET:-23 LUFS M: -9.0 S:-120.7 I:  -9.0 LUFS LRA: 0.0 LU
[Parsed_ebur128_0 @ 0x1] Summary:

  Integrated loudness:
    I:         -16.3 LUFS
    Threshold: -26.4 LUFS

  Loudness range:
    LRA:         2.9 LU
    Threshold: -36.4 LUFS

  True peak:
    Peak:       -4.8 dBFS`.split('\n')

const scan: LoudnessScan = { integrated: -21.12, range: 4.9, truePeak: -10.69, threshold: -34.22 }

describe('what is read', () => {
  it('is the report at the end of the log', () => {
    expect(readScan(SCAN_LOG)).toEqual(scan)
    expect(readMeter(METER_LOG)).toEqual({ integrated: -16.3, range: 2.9, truePeak: -4.8 })
    expect(readScan(['nothing'])).toBeUndefined()
    expect(readMeter(['nothing'])).toBeUndefined()
  })

  it('tells silence from a level', () => {
    const silent = SCAN_LOG.map((line) => line.replace('-21.12', '-inf').replace('-10.69', '-inf'))
    expect(readScan(silent)).toMatchObject({ integrated: null, truePeak: null })
    const gated = METER_LOG.map((line) => line.replace('-16.3', '-70.0').replace('-4.8', '-inf'))
    expect(readMeter(gated)).toMatchObject({ integrated: null, truePeak: null })
  })
})

describe('what will do', () => {
  const sound = { integrated: -16.3, range: 2.9, truePeak: -4.8 }
  it('is near the target, below the peak, within the range; or silence', () => {
    expect(loudnessFaults(sound)).toEqual([])
    expect(loudnessFaults({ integrated: null, range: 20, truePeak: null })).toEqual([])
    expect(loudnessFaults({ ...sound, integrated: -16.8 })).toHaveLength(1)
    expect(loudnessFaults({ ...sound, integrated: -15.2, truePeak: -0.9, range: 7.6 })).toHaveLength(3)
  })
  it('makes the spread of a run hold: two that each will do are near enough to each other', () => {
    expect(spreadOf([sound, { ...sound, integrated: -15.3 }, { ...sound, integrated: null }])).toBeCloseTo(1, 10)
    expect(spreadOf([sound])).toBe(0)
    const extremes = [-16.75, -15.25].map((integrated) => ({ ...sound, integrated }))
    expect(extremes.flatMap(loudnessFaults)).toEqual([])
    expect(spreadOf(extremes)).toBeLessThanOrEqual(1.5)
  })
})

describe('the aim', () => {
  const aim = firstAim(scan)

  it('is the target, with room for the codec; a wide range is compressed first', () => {
    expect(aim).toEqual({ truePeak: -1.5, compressor: null, limiter: null })
    expect(preparation(aim)).toEqual([])
    const wide = firstAim({ ...scan, range: 20 })
    expect(wide.compressor).toEqual({ thresholdDb: expect.closeTo(-51.12, 10), ratio: 4 })
    expect(preparation(wide)).toEqual(['acompressor=threshold=0.002780:ratio=4.00:attack=20:release=400'])
  })

  it('has a limiter where the peaks forbid to raise it plainly, with a gain that comes to the target', () => {
    expect(limited(aim, scan)).toBeUndefined()
    const first = limited(aim, { ...scan, integrated: -30, truePeak: -3 })
    expect(first?.limiter).toEqual({ gainDb: 14 })
    expect(preparation(first!)).toEqual([
      'volume=14.00dB:precision=double',
      'alimiter=limit=0.794328:attack=5:release=50:level=disabled',
    ])
    const second = limited(first!, { ...scan, integrated: -18, truePeak: -1.5 })
    expect(second?.limiter).toEqual({ gainDb: 16 })
    expect(limited(second!, { ...scan, integrated: -16.2, truePeak: -1.4 })).toBeUndefined()
  })

  it('is applied with the figures of the first pass, within what the filter takes', () => {
    expect(applyFilter(aim, scan)).toEqual([
      'loudnorm=I=-16:TP=-1.50:LRA=7:measured_I=-21.12:measured_TP=-10.69:measured_LRA=4.90:measured_thresh=-34.22:linear=true',
      'aformat=sample_rates=48000:channel_layouts=stereo',
    ])
    const [volume, loudnorm] = applyFilter(aim, { integrated: 3, range: 0, truePeak: 4, threshold: -7 })
    expect(volume).toBe('volume=-4.00dB')
    expect(loudnorm).toContain('measured_I=-1.00:measured_TP=0.00:measured_LRA=0.01:measured_thresh=-11.00')
  })

  it('is corrected by what the result misses, and left when that is near enough', () => {
    const good = { integrated: -16.2, range: 5, truePeak: -1.4 }
    expect(nextAim(aim, good, scan)).toBeUndefined()
    expect(nextAim(aim, { ...good, integrated: null }, scan)).toBeUndefined()
    expect(nextAim(aim, { ...good, truePeak: -0.5 }, scan)).toMatchObject({
      truePeak: expect.closeTo(-2.2, 10),
      limiter: { gainDb: expect.closeTo(5.12, 10) },
    })
    expect(nextAim(aim, { ...good, range: 10 }, scan)?.compressor?.ratio).toBe(2)
  })
})
