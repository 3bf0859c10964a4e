/** What clips are encoded from and judged by: facts of files, filters of pictures, joints, what is wrong with a result. */
import { describe, expect, it } from 'vitest'
import { outputRate } from '../../../src/clips/output-rate.ts'
import { pictureFilter } from '../../../src/clips/picture-filter.ts'
import { clipName } from '../../../src/clips/publish-clips.ts'
import { type SourceFacts, sourceFacts } from '../../../src/clips/source-facts.ts'
import { joinGraph, parseTransitions } from '../../../src/clips/transitions.ts'
import { clipFaults } from '../../../src/clips/verify-clip.ts'
import { ffmpegFailure } from '../../../src/media/ffmpeg-failure.ts'

const VIDEO = {
  ...{
    index: 0,
    codec_type: 'video',
    codec_name: 'h264',
    pix_fmt: 'yuv420p',
    width: 1920,
    height: 1080,
    duration: '20.0',
  },
  ...{
    color_primaries: 'bt709',
    color_transfer: 'bt709',
    color_space: 'bt709',
    color_range: 'tv',
    field_order: 'progressive',
  },
  ...{ avg_frame_rate: '30000/1001', r_frame_rate: '30000/1001', start_time: '0.042', disposition: { default: 1 } },
}
const AUDIO = {
  index: 1,
  codec_type: 'audio',
  codec_name: 'aac',
  channels: 2,
  channel_layout: 'stereo',
  sample_rate: '48000',
}
const FORMAT = { format_name: 'mov,mp4,m4a,3gp,3g2,mj2', start_time: '0.0', duration: '20.1' }

const facts = (video: object = {}, streams: object[] = [AUDIO]): SourceFacts =>
  sourceFacts({ streams: [{ ...VIDEO, ...video }, ...streams], format: FORMAT })

describe('sourceFacts', () => {
  it('takes what ffprobe says, and what is not said as unknown', () => {
    expect(facts()).toMatchObject({
      startMs: 0,
      durationMs: 20_000,
      streams: 2,
      video: { startMs: 42, hdr: null },
      audio: { channels: 2 },
    })
    const bare = sourceFacts({ streams: [{ index: 3, codec_type: 'video' }], format: {} })
    expect(bare).toMatchObject({
      durationMs: 0,
      video: { index: 3, primaries: 'unknown', averageFps: null },
      audio: null,
    })
  })
  it('reads the turn clockwise, and HDR from transfer, primaries or matrix', () => {
    expect(facts({ side_data_list: [{ rotation: -90 }] }).video.rotation).toBe(90)
    expect(facts({ side_data_list: [{ rotation: 90 }, { max_content: 600 }] }).video).toMatchObject({
      rotation: 270,
      peakNits: 600,
    })
    expect(facts({ color_transfer: 'smpte2084' }).video.hdr).toBe('pq')
    expect(facts({ color_transfer: 'arib-std-b67' }).video.hdr).toBe('hlg')
    expect(facts({ color_space: 'bt2020nc' }).video.hdr).toBe('bt2020')
  })
  it('passes over cover pictures, and refuses what is no video', () => {
    const cover = { ...VIDEO, index: 2, width: 9000, disposition: { attached_pic: 1 } }
    expect(facts({}, [cover]).video.index).toBe(0)
    expect(() => sourceFacts({ streams: [AUDIO], format: FORMAT })).toThrow('no video stream')
    expect(() => sourceFacts('nonsense')).toThrow('nothing of it')
  })
})

describe('pictures', () => {
  it('of BT.709 are left as they are; others are brought there from what they say, or are taken for', () => {
    expect(pictureFilter(facts().video)).not.toContain('zscale')
    const untagged = { color_primaries: undefined, color_transfer: undefined, color_space: undefined }
    expect(pictureFilter(facts(untagged).video)).not.toContain('zscale')
    expect(pictureFilter(facts({ ...untagged, width: 720, height: 576 }).video)).toContain(
      'primariesin=bt470bg:transferin=smpte170m:matrixin=smpte170m:rangein=tv:primaries=bt709',
    )
    expect(pictureFilter(facts({ color_range: 'pc' }).video)).toContain('rangein=pc')
    expect(pictureFilter(facts({ ...untagged, pix_fmt: 'gbrp' }).video)).toContain('matrixin=gbr:rangein=')
    expect(pictureFilter(facts({ field_order: 'tt' }).video)).toMatch(/^yadif,/)
  })
  it('of HDR are tone-mapped, of BT.2020 alone only brought into the gamut', () => {
    const pq = { color_transfer: 'smpte2084', color_primaries: 'bt2020', color_space: 'bt2020nc' }
    expect(pictureFilter(facts(pq).video)).toContain(`tonemap=tonemap=mobius:param=0.3:desat=0:peak=${1000 / 203}`)
    expect(pictureFilter(facts({ ...pq, side_data_list: [{ max_content: 406 }] }).video)).toContain('peak=2,')
    expect(pictureFilter(facts({ ...pq, color_transfer: 'bt2020-10' }).video)).not.toContain('tonemap')
  })
  it.each([
    [30000 / 1001, 30, '30000/1001'],
    [25, 25, '25'],
    [24.02, 90_000, '24'],
    [27.4, 90_000, '30000/1001'],
    [7.3, 10, '10'],
    [240, 240, '60'],
    [null, 50, '50'],
    [null, null, '25'],
  ])('at %s (%s) a second become %s', (averageFps, baseFps, rate) => {
    expect(outputRate({ averageFps, baseFps })).toBe(rate)
  })
})

describe('a film', () => {
  it('has a joint between each two, the last kind going on', () => {
    const { chains, lengthS } = joinGraph([15, 20, 30], parseTransitions('fade,cut'), '25', true)
    expect(lengthS).toBe(64)
    expect(chains).toEqual([
      '[v0][v1]xfade=transition=fadeblack:duration=1:offset=14.000[vj1]',
      '[a0][a1]acrossfade=d=1[aj1]',
      '[vj1][aj1][v2][a2]concat=n=2:v=1:a=1[c2][aj2]',
      '[c2]fps=25,settb=AVTB[vj2]',
      '[vj2]null[v]',
      '[aj2]anull[a]',
    ])
    expect(joinGraph([15, 15], parseTransitions('crossfade'), '25', false).chains.join()).not.toContain('a0')
    expect(() => parseTransitions('fade,spin')).toThrow('there is no transition spin')
  })
})

describe('clipFaults', () => {
  const source = facts({ width: 1081, height: 1921, side_data_list: [{ rotation: -90 }] })
  const loudness = { integrated: -16, range: 3, truePeak: -2 }
  const written = { facts: facts({ width: 1920, height: 1080 }), loudness, isFastStart: true }
  const expected = { method: 'reencode' as const, lengthMs: 20_000, source }

  it('finds none in what is right', () => {
    expect(clipFaults(expected, written)).toEqual([])
  })
  it.each([
    ['length', { ...written, facts: facts({ width: 1920, height: 1080, duration: '19.8' }) }],
    ['primaries', { ...written, facts: facts({ width: 1920, height: 1080, color_primaries: 'smpte170m' }) }],
    ['size', { ...written, facts: facts({ width: 1080, height: 1920 }) }],
    ['index', { ...written, isFastStart: false }],
    ['sound', { ...written, facts: facts({ width: 1920, height: 1080 }, []), loudness: null }],
    ['loudness', { ...written, loudness: { ...loudness, integrated: -17 } }],
    ['loudness', { ...written, loudness: null }],
  ])('finds a wrong %s', (_, wrong) => {
    expect(clipFaults(expected, wrong)).not.toEqual([])
  })
  it('compares a copy with what it was copied from', () => {
    const copy = { method: 'copy' as const, lengthMs: 20_000, source: facts() }
    expect(clipFaults(copy, { facts: facts(), loudness: { ...loudness, integrated: -5 }, isFastStart: true })).toEqual(
      [],
    )
    expect(clipFaults(copy, { facts: facts({ pix_fmt: 'yuv444p' }), loudness, isFastStart: true })).toHaveLength(1)
  })
})

describe('ffmpegFailure', () => {
  const task = { purpose: 'encoding the clip', inputs: [], graph: null, options: [], target: '-' }
  const failure = (message: string, ...log: string[]) => ffmpegFailure(task, new Error(message), log).line
  it.each([
    [['Cannot find ffmpeg'], /^ACT_TOOL: ffmpeg is not installed.*apt-get/],
    [['exited', 'av_interleaved_write_frame(): No space left on device', 'frame=  1'], /^STO_FULL/],
    [['exited', 'file:/x.mp4: Read-only file system'], /^STO_OUTPUT/],
    [['exited', "Unknown encoder 'libx264'"], /^ACT_TOOL.*lacks.*Debian/],
    [
      ['exited', '[mov @ 0x5581] moov atom not found', 'Conversion failed!'],
      /^DEC_ENCODE: encoding the clip: mov: moov atom/,
    ],
    [
      ['exited', '[mov,mp4,m4a @ 0x5581] moov atom not found'],
      /^DEC_ENCODE: encoding the clip: mov,mp4,m4a: moov atom/,
    ],
    [
      ['ffmpeg was killed with signal SIGKILL'],
      /^ACT_HOST_DIED: encoding the clip: ffmpeg ended with SIGKILL: .*memory/,
    ],
    [['ffmpeg was killed with signal SIGSEGV'], /^DEC_ENCODE: encoding the clip: ffmpeg was killed/],
  ])('says what %j means', ([message, ...log], line) => {
    expect(failure(message!, ...log)).toMatch(line)
  })
})

it('a clip is named by where it is from', () => {
  expect(clipName('lobby', { fromMs: 3_680_500 })).toBe('lobby-01h01m20s.mp4')
})
