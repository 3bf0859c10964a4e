/**
 * What is known of an open stream, and where it was damaged. Plain data.
 */

export interface StreamInfo {
  codec: string
  /** `software`, or the kind of hardware that decodes, such as `vaapi` or `cuda`. */
  decoder: string
  /** Hardware that was tried and does not decode this stream. */
  refused: { device: string; reason: string }[]
  /** `rtsp` over `tcp` or `udp`; `null` for everything else. */
  transport: 'tcp' | 'udp' | null
  container: string
  /** Upright display size, px. */
  width: number
  height: number
  fps: number | null
  durationMs: number | null
  rotation: 0 | 90 | 180 | 270
  recordedAtMs: number | null
}

/** Where the stream was damaged. At most 20 positions are kept; `count` goes on. */
export interface Damage {
  count: number
  positions: { ptsMs: number; what: string }[]
}
