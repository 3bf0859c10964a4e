/**
 * Decoding and scaling alone: the session host's own demuxer, decoder and scaler, and nothing behind them. Runs in the
 * benchmark's process.
 */
import { systemClock } from '../../core/clock.ts'
import type { RgbPicture } from '../../core/frame.ts'
import { Decoder } from '../../streams/media/decoder.ts'
import { Demuxer } from '../../streams/media/demuxer.ts'
import { silenceNativeLog } from '../../streams/media/native-log.ts'
import { analysisSize, PictureScaler } from '../../streams/media/picture-scaler.ts'
import { type Cost, costOf } from './kit.ts'

const OPEN_TIMEOUT_MS = 10_000
/** One picture kept out of so many: what the inference is measured on. */
const KEEP_EVERY = 20

export interface DecodeCost extends Cost {
  frames: number
  /** Analysis pictures from all over the clip. */
  pictures: RgbPicture[]
}

/** Every frame of `path` to the RGB picture that the detector gets. `threads` 0 lets FFmpeg choose. */
export async function decodeAlone(path: string, widthPx: number, threads: number): Promise<DecodeCost> {
  silenceNativeLog()
  await using demuxer = await Demuxer.open(path, { openTimeoutMs: OPEN_TIMEOUT_MS })
  using decoder = await Decoder.open(demuxer.stream, { threads, callTimeoutMs: OPEN_TIMEOUT_MS, clock: systemClock })
  const { width, height } = demuxer.stream.codecpar
  using scaler = new PictureScaler(analysisSize({ width, height }, widthPx))
  const pictures: RgbPicture[] = []
  let frames = 0
  const cost = await costOf(async () => {
    for (let more = true; more; ) {
      const { packet } = await demuxer.read()
      for await (const decoded of decoder.decode(packet)) {
        if ('damage' in decoded) continue
        using frame = decoded.frame
        using small = scaler.small(frame)
        const picture = scaler.rgb(small)
        if (frames++ % KEEP_EVERY === 0) pictures.push(picture)
      }
      more = packet !== null
    }
  })
  return { ...cost, frames, pictures }
}
