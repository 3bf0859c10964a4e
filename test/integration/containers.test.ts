/**
 * Recordings as they come: every container and codec that is promised, long and single groups of pictures, B-frames, open groups,
 * variable frame rate, a picture on its side. Each is one clip of one face, coded by ffmpeg; each must give every picture that
 * ffprobe decodes, in order, with its place in the ledger, and the one track.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { imbalance } from '../../core/ledger.ts'
import { silenceNativeLog } from '../../streams/media/native-log.ts'
import { FilePass } from '../../streams/sources/file-pass.ts'
import { asl, ClipFolder, hasClips, turned } from './support/clips.ts'
import { Rig, recordingSpec, tracksOf } from './support/session.ts'

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '20', '-sc_threshold', '0']
const H265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-qp', '22', '-x265-params']
const quality = ['-q:v', '3']

/** File, FFmpeg's decoder for it, how ffmpeg makes it. */
const recordings: [file: string, decoder: string, args: string[]][] = [
  ['single-group.mp4', 'h264', [...H264, '-g', '1000']],
  ['b-frames.mp4', 'h264', [...H264, '-g', '30', '-bf', '3']],
  ['open-groups.ts', 'h264', [...H264, '-bf', '3', '-x264-params', 'keyint=15:min-keyint=15:open-gop=1:b-adapt=0']],
  ['intra.mkv', 'h264', [...H264, '-g', '1']],
  ['h264.flv', 'h264', [...H264, '-bf', '2']],
  ['h264.avi', 'h264', [...H264]],
  ['h265.mkv', 'hevc', [...H265, 'log-level=error:keyint=30:bframes=3']],
  ['h265.ts', 'hevc', [...H265, 'log-level=error:keyint=15:bframes=2']],
  ['mpeg4.mov', 'mpeg4', ['-c:v', 'mpeg4', ...quality]],
  ['mpeg4.avi', 'mpeg4', ['-c:v', 'mpeg4', '-bf', '2', ...quality]],
  ['vp9.webm', 'vp9', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-crf', '24', '-b:v', '0']],
  ['av1.mp4', 'libdav1d', ['-c:v', 'libsvtav1', '-preset', '12', '-crf', '30']],
  ['mjpeg.avi', 'mjpeg', ['-c:v', 'mjpeg', ...quality]],
  ['sorenson.flv', 'flv', ['-c:v', 'flv', ...quality]],
  ['wmv2.wmv', 'wmv2', ['-c:v', 'wmv2', ...quality]],
]

const run = promisify(execFile)
const clips = new ClipFolder()
let rig: Rig
beforeAll(async () => {
  silenceNativeLog()
  if (hasClips) rig = await Rig.open()
})
afterAll(async () => {
  clips[Symbol.dispose]()
  await rig?.[Symbol.asyncDispose]()
})

/** What another decoder makes of it. */
async function countedByFfprobe(path: string): Promise<number> {
  const asked = ['-count_frames', '-select_streams', 'v:0', '-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0']
  return Number.parseInt((await run('ffprobe', ['-v', 'error', ...asked, path])).stdout, 10)
}

/** Presentation times of all pictures, ms, in the order in which they come. */
async function timesOf(path: string): Promise<number[]> {
  const damage: string[] = []
  await using pass = await FilePass.open({
    path,
    openTimeoutMs: 10_000,
    tonemap: false,
    threads: 1,
    speed: null,
    room: () => Promise.resolve(),
    signal: new AbortController().signal,
    clock: systemClock,
    loop: 0,
    seqBase: 0,
    ptsBaseMs: 0,
    originMs: 0,
    onDamage: (_, what) => void damage.push(what),
    onUndecoded: () => undefined,
  })
  const times: number[] = []
  await new Promise<unknown>((resolve, reject) => {
    const next = ({ info, full }: { info: { ptsMs: number }; full: Disposable & { free(): void } }) => {
      times.push(info.ptsMs)
      full.free()
    }
    pass.frames(null).subscribe({ next, error: reject, complete: () => resolve(null) })
  })
  expect(damage).toEqual([])
  return times
}

async function expectWhole(path: string, decoder: string): Promise<void> {
  const frames = await countedByFfprobe(path)
  const spec = recordingSpec(path)
  const { outcome, stream, events } = await rig.replay({ ...spec, decode: { ...spec.decode, gating: false } })
  const { ledger, tracks } = outcome.totals
  expect([stream.codec, outcome.damage.count, outcome.leases]).toEqual([decoder, 0, 0])
  expect([ledger.captured, imbalance(ledger), ledger.inFlight, ledger.dropped]).toEqual([frames, 0, 0, {}])
  expect([tracks, tracksOf(events, 'end').length]).toEqual([1, 1])
  const times = await timesOf(path)
  expect(times.length).toBe(frames)
  const steps = times.slice(1).map((time, index) => time - times[index]!)
  // 30 pictures a second, or every third of them: a step of nearly nothing would be a repaired clock.
  expect(Math.min(...steps)).toBeGreaterThan(30)
  expect(Math.max(...steps)).toBeLessThan(105)
}

/** Small and short: what takes long is to code and to decode it 17 times over. */
const PICTURE = 'scale=320:240'
const PICTURES = '40'

function made(file: string, coding: string[], filter = PICTURE): string {
  return clips.made(file, '-i', asl('help'), '-frames:v', PICTURES, '-vf', filter, '-pix_fmt', 'yuv420p', ...coding)
}

// Several at a time: most of the time goes into starting processes.
describe.skipIf(!hasClips)('recordings of every kind', () => {
  it.concurrent.each(recordings)('%s (%s)', async (file, decoder, coding) => {
    await expectWhole(made(file, coding), decoder)
  })

  it.concurrent('variable-rate.mp4', async () => {
    const thinned = `${PICTURE},select='lt(n,12)+not(mod(n,3))'`
    await expectWhole(made('variable-rate.mp4', ['-fps_mode', 'vfr', ...H264], thinned), 'h264')
  })

  it.concurrent('rotated.mp4: stored on its side', async () => {
    const stored = made('lying.mp4', H264, `${PICTURE},transpose=cclock`)
    await expectWhole(
      clips.edited('rotated.mp4', stored, (bytes) => turned(bytes, 90)),
      'h264',
    )
  })
})
