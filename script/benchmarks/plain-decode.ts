/**
 * Entry of a process that plainly decodes one RTSP stream: the session host's own input, demuxer and decoder, and nothing behind
 * them. Forked by the benchmark of the cameras; says what it cost from `begin` to `end`, and ends with its parent.
 */
import { systemClock } from '../../core/clock.ts'
import type { LiveSource } from '../../core/wire/session-spec.ts'
import { Decoder } from '../../streams/media/decoder.ts'
import { silenceNativeLog } from '../../streams/media/native-log.ts'
import { dial } from '../../streams/sources/dial.ts'
import type { PlainDecodeSaid } from './decode-process.ts'

const TIMEOUT_MS = 10_000

const say = (said: PlainDecodeSaid) => void process.send?.(said)
let frames = 0
let begun = { frames: 0, cpu: process.cpuUsage() }

process.on('message', (asked) => {
  const { user, system } = process.cpuUsage(begun.cpu)
  if (asked === 'begin') begun = { frames, cpu: process.cpuUsage() }
  else say({ frames: frames - begun.frames, cpuSeconds: (user + system) / 1e6 })
})
// A native read may be under way: nothing is left to be ended in order.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))

silenceNativeLog()
const capture = { width: null, height: null, fps: null, format: null }
const source: LiveSource = {
  kind: 'live',
  protocol: 'rtsp',
  url: process.argv[2]!,
  transport: 'tcp',
  capture,
  readTimeoutMs: TIMEOUT_MS,
  overflow: 'drop-oldest',
}
const { signal } = new AbortController()
const { demuxer } = await dial(source, { openTimeoutMs: TIMEOUT_MS, clock: systemClock, signal })
const decoder = await Decoder.open(demuxer.stream, { threads: 1, callTimeoutMs: TIMEOUT_MS, clock: systemClock })
say({ ready: true })
for (;;) {
  const { packet } = await demuxer.read()
  if (packet === null) break
  for await (const decoded of decoder.decode(packet)) {
    if ('damage' in decoded) continue
    decoded.frame.free()
    frames++
  }
}
