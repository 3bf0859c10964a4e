/**
 * What is known of a recording before a job works on it: looked at in a session host (hostile input), judged in src/. Plain data.
 */
import type { Damage, StreamInfo } from './stream-info.ts'

export interface ColourInfo {
  /** FFmpeg's names, `unknown` where the file does not say. */
  primaries: string
  transfer: string
  matrix: string
  range: string
  bitDepth: number
  /** PQ (SMPTE ST 2084), HLG (ARIB STD-B67), or BT.2020 primaries with an SDR transfer; `null`: none of them. */
  hdr: 'pq' | 'hlg' | 'bt2020' | null
}

export interface AudioInfo {
  codec: string
  channels: number
  sampleRate: number
}

/** A position in a file where something is wrong; `byte` is `null` where the container does not tell. */
export interface DamageAt {
  ptsMs: number
  byte: number | null
  what: string
}

export interface PreflightReport {
  stream: StreamInfo
  sizeBytes: number
  colour: ColourInfo
  audio: AudioInfo | null
  /** Of the packets of the whole file. */
  packets: number
  iframes: number
  /** Distances of pictures differ by more than a tenth of their median. */
  variableFrameRate: boolean
  damage: Damage & { at: readonly DamageAt[] }
}
