/** Standing scenes as real encoders send them: what is frozen and what is not. Measured over more: `script/bench picture`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keyPictures } from '../../script/benchmarks/key-pictures.ts'
import { makeStillClip, type StillClip, type StillScene, stillScene } from '../../script/benchmarks/still-clip.ts'
import { PictureHealthModel } from '../../streams/analysis/picture-health.ts'
import { silenceNativeLog } from '../../streams/media/native-log.ts'
import { asl, ClipFolder, hasClips } from './support/clips.ts'

const clips = new ClipFolder()
afterAll(() => clips[Symbol.dispose]())

const x264 = (...rate: string[]) => ['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', ...rate]
const x265 = (params: string) => [
  '-c:v',
  'libx265',
  '-preset',
  'ultrafast',
  '-x265-params',
  `log-level=error:pools=1:${params}`,
]
const mjpeg = ['-c:v', 'mjpeg', '-q:v', '8', '-pix_fmt', 'yuvj420p']

describe.skipIf(!hasClips)('a standing scene', () => {
  let scene: StillScene
  beforeAll(async () => {
    silenceNativeLog()
    scene = await stillScene(asl('book'), 320, 180)
  })

  /** What is said within half a minute, a group a second; frozen means ten. */
  async function judge(name: string, clip: Partial<StillClip>, groups = 30): Promise<string[]> {
    const path = clips.at(`${name}.mkv`)
    await makeStillClip({
      path,
      scene,
      kind: 'fresh',
      sigma: 1,
      fps: 5,
      groupPictures: 5,
      groups,
      encoder: mjpeg,
      ...clip,
    })
    return judgeFile(path)
  }

  async function judgeFile(path: string): Promise<string[]> {
    const model = new PictureHealthModel({ frozenMs: 10_000, blackMs: 5000 })
    const said: string[] = []
    for await (const { luma, ptsMs } of keyPictures(path, 320)) {
      const finding = model.step(luma, { ptsMs, key: true })
      if (finding) said.push(finding.health)
    }
    return said
  }

  it.each<[string, Partial<StillClip>]>([
    ['with fresh noise in every picture', { kind: 'fresh', encoder: x264('-qp', '30') }],
    ['with weak noise, in Motion JPEG', { kind: 'fresh', sigma: 0.5, encoder: mjpeg }],
    [
      'of skipped blocks between I-frames',
      { kind: 'held', encoder: x264('-b:v', '300k', '-maxrate', '300k', '-bufsize', '600k') },
    ],
    ['of skipped blocks, weak noise and a coarse step', { kind: 'held', sigma: 0.5, encoder: x264('-qp', '40') }],
    ['of skipped blocks in H.265', { kind: 'held', sigma: 0.5, encoder: x265('qp=40') }],
    ['that is the same but for a clock', { kind: 'clock', encoder: x264('-qp', '30') }],
  ])('%s is not frozen', async (name, clip) => {
    expect(await judge(name, clip)).toEqual([])
  })

  it.each<[string, Partial<StillClip>, number?]>([
    ['at a fixed step', { encoder: x264('-qp', '36') }],
    ['in Motion JPEG', { encoder: mjpeg }],
    ['by the rate control of H.265', { encoder: x265('bitrate=200:vbv-maxrate=200:vbv-bufsize=400') }, 45],
    [
      'by a rate control that does not settle',
      { encoder: x264('-b:v', '400k', '-maxrate', '400k', '-bufsize', '800k') },
      90,
    ],
  ])('whose very same picture is coded again and again %s is frozen', async (name, clip, groups) => {
    expect(await judge(name, { kind: 'same', ...clip }, groups)).toEqual(['frozen'])
  })

  it('whose coded pictures are sent again is frozen', async () => {
    await judge('group', { kind: 'fresh', encoder: x264('-qp', '30') }, 1)
    const path = clips.at('again.mkv')
    clips.made('again.mkv', '-stream_loop', '20', '-i', clips.at('group.mkv'), '-c', 'copy')
    expect(await judgeFile(path)).toEqual(['frozen'])
  })
})
