/**
 * Opens and decodes an input as a session host does, and says what came of it and how large the process grew. Argument: its
 * path.
 */
import { systemClock } from '../../../core/clock.ts'
import { GrabberError } from '../../../core/errors.ts'
import { Decoder } from '../../../streams/media/decoder.ts'
import { Demuxer } from '../../../streams/media/demuxer.ts'
import { silenceNativeLog } from '../../../streams/media/native-log.ts'

const LIMIT_MS = 60_000

async function pictures(path: string): Promise<number> {
  await using demuxer = await Demuxer.open(path, { openTimeoutMs: LIMIT_MS })
  using decoder = await Decoder.open(demuxer.stream, { threads: 1, callTimeoutMs: LIMIT_MS, clock: systemClock })
  let decoded = 0
  for (let more = true; more; ) {
    const { packet } = await demuxer.read()
    for await (const item of decoder.decode(packet)) {
      if ('damage' in item) continue
      decoded++
      item.frame.free()
    }
    more = packet !== null
  }
  return decoded
}

silenceNativeLog()
const [path] = process.argv.slice(2) as [string]
let end: string | number
try {
  end = await pictures(path)
} catch (error) {
  end = error instanceof GrabberError ? error.code : String(error)
}
process.stdout.write(JSON.stringify({ end, peakRssBytes: 1024 * process.resourceUsage().maxRSS }))
