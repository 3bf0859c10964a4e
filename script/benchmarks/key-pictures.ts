/**
 * The analysis pictures of a clip's I-frames, as the session host has them while a camera is idle. Runs in the benchmark's
 * process, and in tests.
 */
import { systemClock } from '../../core/clock.ts'
import type { LumaView } from '../../core/frame.ts'
import { Decoder } from '../../streams/media/decoder.ts'
import { Demuxer } from '../../streams/media/demuxer.ts'
import { analysisSize, PictureScaler } from '../../streams/media/picture-scaler.ts'

const OPEN_TIMEOUT_MS = 10_000

export interface KeyPicture {
  /** Valid until the next one is asked for. */
  luma: LumaView
  ptsMs: number
}

export async function* keyPictures(path: string, widthPx: number): AsyncGenerator<KeyPicture> {
  await using demuxer = await Demuxer.open(path, { openTimeoutMs: OPEN_TIMEOUT_MS })
  using decoder = await Decoder.open(demuxer.stream, {
    threads: 1,
    callTimeoutMs: OPEN_TIMEOUT_MS,
    clock: systemClock,
  })
  using scaler = new PictureScaler(analysisSize(demuxer.stream.codecpar, widthPx))
  for (let { packet } = await demuxer.read(); packet; { packet } = await demuxer.read()) {
    if (!packet.isKeyframe) continue
    for (const part of [packet, null]) {
      for await (const item of decoder.decode(part)) {
        if ('damage' in item) continue
        using frame = item.frame
        using small = scaler.small(frame)
        yield { luma: small.yuv.luma, ptsMs: item.ptsMs ?? 0 }
      }
    }
    decoder.flush()
  }
}
