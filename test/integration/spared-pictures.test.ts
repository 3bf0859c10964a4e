/** An extraction's pass leaves pictures out; what comes out of it is what comes out when everything is decoded. Real encoders' streams. */
import { execFileSync } from 'node:child_process'
import { beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { FullLuma, pixelHash } from '../../streams/media/full-luma.ts'
import { silenceNativeLog } from '../../streams/media/native-log.ts'
import { sampleSlot } from '../../streams/operators/sample-fps.ts'
import { FilePass } from '../../streams/sources/file-pass.ts'
import { kept } from './support/clip-cache.ts'

beforeAll(silenceNativeLog)

interface Seen {
  seq: number
  ptsMs: number
  hash: string
}

/** 4 s of a turning pattern at 24 fps. */
function clip(name: string, extension: string, coding: string[]): string {
  const source = 'testsrc2=size=320x180:rate=24:duration=4,noise=alls=6:allf=t:all_seed=3'
  return kept(`spared-${name}`, extension, [source, ...coding], (path) => {
    const output = [...coding, '-f', extension === 'ts' ? 'mpegts' : 'mp4', path]
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', source, '-pix_fmt', 'yuv420p', ...output])
  })
}

async function pass(path: string, fps: number | null): Promise<{ seen: Seen[]; left: number; nextSeq: number }> {
  let left = 0
  await using pass = await FilePass.open({
    path,
    openTimeoutMs: 10_000,
    tonemap: false,
    threads: 2,
    speed: null,
    room: () => Promise.resolve(),
    signal: new AbortController().signal,
    clock: systemClock,
    loop: 0,
    seqBase: 5,
    ptsBaseMs: 1000,
    originMs: 0,
    onDamage: (_, what) => expect.unreachable(what),
    onUndecoded: (pictures, why) => {
      expect(why).toBe('rate')
      left += pictures
    },
    ...(fps === null ? {} : { slotOf: sampleSlot(fps) }),
  })
  using luma = new FullLuma()
  const seen: Seen[] = []
  await new Promise<void>((resolve, reject) => {
    pass.frames(null).subscribe({
      next({ info: { seq, ptsMs }, full }) {
        seen.push({ seq, ptsMs, hash: pixelHash(luma.of(full)) })
        full.free()
      },
      error: reject,
      complete: resolve,
    })
  })
  return { seen, left, nextSeq: pass.next.seqBase }
}

/** The first picture of each slot. */
function firsts(seen: readonly Seen[], fps: number): Seen[] {
  const slot = sampleSlot(fps)
  return seen.filter(({ ptsMs }, n) => n === 0 || slot(ptsMs) > slot(seen[n - 1]!.ptsMs))
}

const x264 = (...params: string[]) => ['-c:v', 'libx264', '-preset', 'veryfast', '-x264-params', params.join(':')]
const x265 = (...params: string[]) => {
  const all = ['log-level=none', 'pools=1', ...params].join(':')
  return ['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1', '-x265-params', all]
}

describe.each([
  ['H.264 in MP4', 'mp4', x264('bframes=3', 'keyint=24', 'open-gop=1'), true],
  ['H.264 with start codes', 'ts', x264('bframes=2', 'b-pyramid=none', 'keyint=40'), true],
  ['HEVC in MP4', 'mp4', x265('bframes=3', 'keyint=24'), true],
  ['HEVC with sub-layers and start codes', 'ts', x265('bframes=4', 'temporal-layers=1', 'keyint=48'), true],
  ['interlaced H.264', 'mp4', x264('bframes=3', 'tff=1', 'keyint=24'), false],
  ['H.264 in which every picture is leant on', 'mp4', x264('bframes=0', 'keyint=24'), false],
])('%s', (name, extension, coding, spares) => {
  it(spares ? 'is decoded in part, to the same candidates' : 'is decoded as a whole', async () => {
    const path = clip(name.replaceAll(/\W/g, '-'), extension, coding)
    const whole = await pass(path, null)
    expect(whole.seen.length).toBe(96)
    for (const fps of [5, 10, 24]) {
      const { seen, left, nextSeq } = await pass(path, fps)
      expect(firsts(seen, fps)).toEqual(firsts(whole.seen, fps))
      const numbers = new Set(whole.seen.map((one) => JSON.stringify(one)))
      expect(seen.filter((one) => !numbers.has(JSON.stringify(one)))).toEqual([])
      expect({ sum: seen.length + left, nextSeq }).toEqual({ sum: 96, nextSeq: whole.nextSeq })
      if (fps === 5) expect(left > 96 / 5).toBe(spares)
      if (fps === 24) expect(left).toBe(0)
    }
  })
})
