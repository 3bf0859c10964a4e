/**
 * What an active camera of the benchmark sees: the room of camera-clips, and always somebody in it who moves; every four seconds it is
 * somebody else at another place, so that there is news to tell. Every picture carries its number. Made once, by ffmpeg.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { kept, stamped } from '../../test/integration/support/clip-cache.ts'
import { asl, videos } from '../../test/integration/support/clips.ts'
import { drawNumber } from '../../test/integration/support/numbered-clip.ts'

/** Each is in the picture for half of the clip. */
const PEOPLE = [
  { name: 'walk', atRatio: 0.08, lastFrame: 178 },
  { name: 'eat', atRatio: 0.58, lastFrame: 94 },
]
/** As quiet clips have it. */
const NOISE = 7
const QP = 28

export interface MovingClip {
  fps: number
  width: number
  seconds: number
  /** Pictures from key frame to key frame. */
  gop: number
}

/** An mp4. */
export function movingClip({ fps, width, seconds, gop }: MovingClip): string {
  const height = Math.round((width * 9) / 32) * 2
  const inputs = [join(videos, 'one-by-one-person-detection.mp4'), ...PEOPLE.map(({ name }) => asl(name))]
  const room = `[0:v]trim=end_frame=1,scale=${width}:${height},setsar=1,format=yuv420p,loop=-1:1,setpts=N/${fps}/TB,fps=${fps}[s0]`
  const people = PEOPLE.flatMap(({ atRatio, lastFrame }, n) => {
    const place = `x=${Math.round(width * atRatio)}:y=0`
    const turn = `eq(floor(mod(t,${seconds})/${seconds / PEOPLE.length}),${n})`
    return [
      // Cut out around the person, forth and back without a cut, as high as the room.
      `[${n + 1}:v]crop=300:480:170:0,split[f${n}][b${n}];[b${n}]reverse[r${n}];[f${n}][r${n}]concat,loop=-1:${lastFrame}:0,fps=${fps},scale=-2:${height},setsar=1[p${n}]`,
      `[s${n}][p${n}]overlay=${place}:enable='${turn}'[s${n + 1}]`,
    ]
  })
  const scene = `[s${PEOPLE.length}]trim=duration=${seconds},noise=alls=${NOISE}:allf=t[scene]`
  const graph = [room, ...people, scene, drawNumber('scene', 'v', width, fps)].join(';')
  const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', String(QP), '-bf', '0']
  const groups = ['-x264-params', `keyint=${gop}:min-keyint=${gop}:scenecut=0`]
  const frames = ['-frames:v', String(Math.round(fps * seconds)), '-pix_fmt', 'yuv420p']
  const output = ['-map', '[v]', '-an', ...frames, ...x264, ...groups, '-f', 'mp4']
  return kept('camera-moving', 'mp4', [...inputs.map(stamped), graph, ...output], (path) => {
    const sources = inputs.flatMap((input) => ['-i', input])
    const args = ['-v', 'error', '-y', ...sources, '-filter_complex', graph, ...output, path]
    execFileSync('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 120_000 })
  })
}
