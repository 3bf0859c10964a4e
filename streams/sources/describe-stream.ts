/**
 * What is said of an opened stream. Pure; session host only.
 */
import type { StreamInfo } from '../../core/wire/stream-info.ts'
import type { Decoder } from '../media/decoder.ts'
import type { Demuxer } from '../media/demuxer.ts'

export function describeStream(demuxer: Demuxer, decoder: Decoder): StreamInfo {
  const { codecpar } = demuxer.stream
  const turned = demuxer.rotation === 90 || demuxer.rotation === 270
  const { num, den } = codecpar.sampleAspectRatio
  // Width in square pixels.
  const width = num > 0 && den > 0 ? Math.round((codecpar.width * num) / den) : codecpar.width
  return {
    codec: decoder.name,
    decoder: decoder.device ?? 'software',
    refused: [...decoder.refused],
    transport: null,
    container: demuxer.container,
    width: turned ? codecpar.height : width,
    height: turned ? width : codecpar.height,
    fps: demuxer.fps,
    durationMs: demuxer.durationMs,
    rotation: demuxer.rotation,
    recordedAtMs: demuxer.recordedAtMs,
  }
}
