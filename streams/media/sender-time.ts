/**
 * The camera's own time of a packet, from RTCP sender reports. Pure; session host only.
 */

/**
 * FFmpeg's AVProducerReferenceTime (libavutil or libavcodec/defs.h): int64 µs since the epoch, int32 flags, little endian. The
 * RTP demuxer makes it of the last sender report (RFC 3550, 6.4.1); `null` before the first one.
 */
export function senderTimeMs(reference: Buffer | null): number | null {
  return reference === null || reference.length < 8 ? null : Number(reference.readBigInt64LE(0)) / 1000
}
