/** The decoder by itself, on real recordings: draining, flushing, and hardware that works or does not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { Decoder } from '../../streams/media/decoder.ts'
import { Demuxer } from '../../streams/media/demuxer.ts'
import { silenceNativeLog } from '../../streams/media/native-log.ts'
import { asl, ClipFolder, hasClips } from './support/clips.ts'

const clips = new ClipFolder()
beforeAll(silenceNativeLog)
afterAll(() => clips[Symbol.dispose]())

const options = { threads: 1, callTimeoutMs: 10_000, clock: systemClock }

/** PTS of what `packet` completes. */
async function decoded(decoder: Decoder, packet: Parameters<Decoder['decode']>[0]): Promise<(number | null)[]> {
  const out: (number | null)[] = []
  for await (const item of decoder.decode(packet)) {
    if ('damage' in item) throw new Error(item.damage)
    out.push(item.ptsMs)
    item.frame.free()
  }
  return out
}

describe.skipIf(!hasClips)('Decoder', () => {
  it('takes an I-frame again after a drain and a flush, and gives the picture at once each time', async () => {
    const clip = clips.made('gop.mp4', '-i', asl('book'), '-c:v', 'libx264', '-bf', '2', '-g', '10', '-an')
    await using demuxer = await Demuxer.open(clip, { openTimeoutMs: 10_000 })
    using decoder = await Decoder.open(demuxer.stream, options)
    const seen: (number | null)[] = []
    for (let more = true; more; ) {
      const { packet } = await demuxer.read()
      more = packet !== null
      if (!packet?.isKeyframe) continue
      const pictures = [...(await decoded(decoder, packet)), ...(await decoded(decoder, null))]
      decoder.flush()
      expect(pictures).toHaveLength(1)
      seen.push(...pictures)
    }
    expect(seen.length).toBeGreaterThan(3)
    expect(seen).toEqual([...seen].sort((a, b) => a! - b!))
  })
})
