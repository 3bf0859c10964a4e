/**
 * The camera's own wall clock on a packet: FFmpeg's RTP demuxer works it out of the last RTCP sender report and puts it beside
 * the packet (libavformat/rtpdec.c). Session host only. Whether it can be believed is not decided here (sources/sender-clock).
 */
import type { Packet } from 'node-av'
import { AV_PKT_DATA_PRFT } from 'node-av/constants'

/** AVProducerReferenceTime: int64 wallclock in µs since the Unix epoch, int flags; in the machine's order of bytes. */
const WALLCLOCK_BYTES = 8

/** When the camera says the packet's picture was captured, ms since the epoch; `null` before the first sender report. */
export function senderTimeMs(packet: Packet): number | null {
  const side = packet.getSideData(AV_PKT_DATA_PRFT)
  if (!side || side.length < WALLCLOCK_BYTES) return null
  return Number(side.readBigInt64LE(0)) / 1000
}
