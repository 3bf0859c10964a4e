/**
 * What cameras see and how they code it: clips for the servers of the tests, made from real pictures by ffmpeg when one is first
 * asked for, and kept. Every clip can be played in a loop. Key frames stand where `gop` says and nowhere else, as a camera's do.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { kept, stamped } from './clip-cache.ts'
import { asl, videos } from './clips.ts'
import { drawNumber } from './numbered-clip.ts'

/**
 * - `quiet`: a room in which nothing moves; sensor noise in every picture;
 * - `visit`: the same room; a person comes in at 6 s, stays in sight, is out again at 10 s; 16 s;
 * - `person`: a face in sight all the time, the room behind it;
 * - `skipped`: the room as a thrifty camera codes it: fresh noise in key frames, every other picture says "as before";
 * - `frozen`: the room in one picture for ever: not even the noise moves;
 * - `black`: no light; the sensor's noise is just there.
 */
export type Scene = 'quiet' | 'visit' | 'person' | 'skipped' | 'frozen' | 'black'
export type ClipCodec = 'h264' | 'hevc' | 'mpeg4' | 'mjpeg' | 'vp9' | 'av1'

/** When the person of `visit` comes and goes, s; half a second each for the way. */
export const VISIT = { fromS: 6, toS: 10, seconds: 16 } as const

export interface ClipOptions {
  /** h264 unless told otherwise. */
  codec?: ClipCodec
  /** 15 unless told otherwise. */
  fps?: number
  /** 640 unless told otherwise; 16:9. */
  width?: number
  /** 8 unless told otherwise; `visit` always takes 16. */
  seconds?: number
  /** Pictures from key frame to key frame; two seconds' unless told otherwise. 1: key frames only. Infinity: one a pass. */
  gop?: number
  /** Between two others; none unless told otherwise. */
  bFrames?: number
  /** B-frames refer across key frames (h264, hevc). */
  openGop?: boolean
  /** Amplitude of the sensor's noise, in steps of luma; 7 unless told otherwise. A visitor makes packets 15 times larger at 5, 4 times at 7. */
  noise?: number
  /** Bit rate; constant quality unless told otherwise. */
  kbps?: number
  /** Each picture carries its number; see numbered-clip.ts. */
  numbered?: boolean
}

/** An mp4. */
export function cameraClip(scene: Scene, options: ClipOptions = {}): string {
  const { codec = 'h264', fps = 15, width = 640 } = options
  const seconds = scene === 'visit' ? VISIT.seconds : (options.seconds ?? 8)
  const frames = Math.round(seconds * fps)
  const gop = Math.min(options.gop ?? 2 * fps, frames)
  const inputs = [join(videos, 'one-by-one-person-detection.mp4'), asl('walk')]
  const picture = sceneGraph(scene, { fps, width, gop, seconds, noise: options.noise ?? 7 })
  const graph = options.numbered ? `${picture}[scene];${drawNumber('scene', 'v', width, fps)}` : `${picture}[v]`
  const coding = [...encoders[codec]({ ...options, gop }), ...(options.kbps === undefined ? [] : rate(options.kbps))]
  const output = ['-map', '[v]', '-frames:v', String(frames), '-an', '-pix_fmt', 'yuv420p', ...coding, '-f', 'mp4']
  const parts = [...inputs.map(stamped), graph, ...output]
  return kept(`camera-${scene}-${codec}`, 'mp4', parts, (path) => {
    const sources = inputs.flatMap((input) => ['-i', input])
    const args = ['-v', 'error', '-y', ...sources, '-filter_complex', graph, ...output, path]
    execFileSync('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 120_000 })
  })
}

interface Shape {
  fps: number
  width: number
  gop: number
  seconds: number
  noise: number
}

/** A graph without its last label; input 0 begins with the empty room, input 1 is a person. */
function sceneGraph(scene: Scene, { fps, width, gop, seconds, noise: amplitude }: Shape): string {
  const height = Math.round((width * 9) / 32) * 2
  const still = `[0:v]trim=end_frame=1,scale=${width}:${height},setsar=1,format=yuv420p`
  const room = `${still},loop=-1:1,setpts=N/${fps}/TB,fps=${fps}`
  const noise = `noise=alls=${amplitude}:allf=t`
  // Cut out around the person, forth and back without a cut, as high as the room.
  const forthAndBack = '[1:v]crop=300:480:170:0,split[f][b];[b]reverse[r];[f][r]concat,loop=-1:178:0'
  const person = `${forthAndBack},fps=${fps},scale=-2:${height},setsar=1`
  const place = Math.round(width * 0.5)
  switch (scene) {
    case 'quiet':
      return `${room},${noise}`
    case 'visit': {
      const { fromS, toS } = VISIT
      const shown = `min(1,min(t-${fromS},${toS}-t)/0.5)`
      const way = `x='W-(W-${place})*${shown}':y=0:enable='between(t,${fromS},${toS})'`
      return `${room}[room];${person}[who];[room][who]overlay=${way},${noise}`
    }
    case 'person':
      return `${room}[room];${person}[who];[room][who]overlay=x=${place}:y=0,trim=duration=${seconds},${noise}`
    case 'skipped':
      return `${still},loop=-1:1,setpts=N*${gop}/${fps}/TB,${noise},fps=${fps}`
    case 'frozen':
      return `${still},noise=alls=${amplitude},loop=-1:1,setpts=N/${fps}/TB,fps=${fps}`
    case 'black':
      return `color=black:s=${width}x${height}:r=${fps},format=yuv420p,noise=c0s=3:c0f=t`
  }
}

type Coding = ClipOptions & { gop: number }

const encoders: Record<ClipCodec, (coding: Coding) => string[]> = {
  // A quantiser that does not change: a picture that does not change is then coded as one that does not.
  h264: ({ gop, bFrames = 0, openGop, kbps }) => [
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-bf',
      String(bFrames),
      ...(kbps === undefined ? ['-qp', '28'] : []),
    ],
    ...['-x264-params', `keyint=${gop}:min-keyint=${gop}:scenecut=0:b-adapt=0:open-gop=${openGop ? 1 : 0}`],
  ],
  hevc: ({ gop, bFrames = 0, openGop, kbps }) => [
    ...['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1', '-x265-params'],
    `log-level=error${kbps === undefined ? ':qp=28' : ''}:keyint=${gop}:min-keyint=${gop}:scenecut=0:b-adapt=0:bframes=${bFrames}:open-gop=${openGop ? 1 : 0}`,
  ],
  mpeg4: ({ gop, bFrames = 0 }) => [
    '-c:v',
    'mpeg4',
    '-q:v',
    '4',
    '-g',
    String(gop),
    '-bf',
    String(bFrames),
    '-sc_threshold',
    '1000000000',
  ],
  // RTP has no room for Huffman tables other than the usual ones (RFC 2435, 3.1).
  mjpeg: () => ['-c:v', 'mjpeg', '-q:v', '4', '-huffman', 'default'],
  vp9: ({ gop }) => [
    '-c:v',
    'libvpx-vp9',
    '-deadline',
    'realtime',
    '-cpu-used',
    '8',
    '-g',
    String(gop),
    '-crf',
    '34',
    '-b:v',
    '0',
  ],
  av1: ({ gop }) => ['-c:v', 'libsvtav1', '-preset', '12', '-crf', '40', '-g', String(gop)],
}

const rate = (kbps: number) => ['-b:v', `${kbps}k`, '-maxrate', `${kbps}k`, '-bufsize', `${2 * kbps}k`]
