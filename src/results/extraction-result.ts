/**
 * What is known of a recording when its keyframes are chosen: all that metadata.json, the exports and the report are written
 * from. Put together by the job that ran the extraction; plain data. Nothing here looks at a picture or at a clock.
 */
import type { FrameRecord, KeyframeMode, KeyframeRecord } from '../../core/keyframe.ts'
import type { LedgerCounts } from '../../core/ledger.ts'
import type { ShotReport } from '../../core/shot.ts'
import type { StageTimes } from '../../core/wire/control.ts'
import type { PreflightReport } from '../../core/wire/preflight.ts'
import type { KeyframeSpec } from '../../core/wire/session-spec.ts'
import type { Damage, StreamInfo } from '../../core/wire/stream-info.ts'

/** Formats of other programs (`--export`); the pictures and metadata.json are there in any case. */
export const exportFormats = ['colmap', 'nerfstudio', 'alicevision'] as const
export type ExportFormat = (typeof exportFormats)[number]

export interface ExtractionResult {
  source: ResultSource
  settings: ResultSettings
  /** Of this program, such as `0.1.0`. */
  version: string
  /**
   * Every candidate once, the keyframes among them and those that were thinned afterwards (`chosen` false then), in an order
   * that is the same in every run. Read once, from beginning to end, and never held as a whole: two hours have 70 000 of them.
   */
  records: Iterable<FrameRecord> | AsyncIterable<FrameRecord>
  /** Those whose pictures are in `images/`, in order of `seq`. */
  keyframes: readonly KeyframeRecord[]
  /** Where shots were told apart. */
  shots?: readonly ShotReport[]
  /** Where there was a second pass. */
  secondPass?: SecondPassReport
  summary: ResultSummary
  /** What another run on another day would say otherwise. */
  run: ResultRun
}

export interface ResultSource {
  /** Name without its folder: where a recording lies is nobody else's business. */
  file: string
  sizeBytes: number
  /** SHA-256 of the file's bytes, hex. */
  contentHash: string
  /** When the recording began, ms since the epoch, where it says so. */
  recordedAtMs: number | null
  stream: StreamInfo
  /** `null` where none was made. */
  preflight: PreflightReport | null
}

export interface ResultSettings {
  mode: KeyframeMode
  /** `--max-frames`; `null`: all that selection chose. */
  maxFrames: number | null
  /** HDR was mapped to BT.709. */
  tonemap: boolean
  /** Candidates a second of media time (`null`: every frame), and the width of the picture that they are looked at in, px. */
  candidates: { fps: number | null; widthPx: number }
  /** Every figure that selection went by. */
  figures: Omit<KeyframeSpec, 'mode' | 'imagesDir'>
  /** Hash of all settings that change what is selected: two results with the same one and the same content are the same. */
  fingerprint: string
}

/** What a second pass over the keyframes found out. Values by name, as it names them. */
export interface SecondPassReport {
  /** Keyframes before and after. */
  before: number
  after: number
  findings: Readonly<Record<string, number>>
}

export interface ResultSummary {
  /** Of frames of the recording; in a file nothing is dropped. */
  frames: LedgerCounts
  /** Of the media that was read. */
  durationMs: number
  damage: Damage
}

export interface ResultRun {
  startedAtMs: number
  wallSeconds: number
  /** Media seconds per wall second. */
  realtimeFactor: number
  stages: Readonly<Record<string, StageTimes>>
  peakRssBytes: number
  /** Times that a process had to be replaced. */
  restarts: number
}
