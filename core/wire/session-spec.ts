/**
 * What a session host is told to do: its source, how it decodes, what it looks for. Plain data, put together in src/ from the
 * configuration; sent once, with `start` (core/wire/control).
 */

import type { KeyframeMode, SaliencyPart } from '../keyframe.ts'
import type { Damage } from './stream-info.ts'

/** Where a file's playback stands at a point where the graph holds no state: the beginning of a pass. */
export interface Checkpoint {
  loop: number
  /** seq and PTS of the pass's first frame. */
  seqBase: number
  ptsBaseMs: number
  /** Of an extraction, in the middle of its one pass: the frame after which it goes on, and what selection knew then. */
  selection?: SelectionCheckpoint
}

/** Enough to go on after frame `seq` as if nothing had happened: the frame itself is decoded again. */
export interface SelectionCheckpoint {
  seq: number
  ptsMs: number
  /** SHA-256 of its luma, as in `KeyframeRecord`: by it the frame is known again. */
  pixelHash: string
  /** What tells whether the recording is still the same file. */
  file: FileIdentity
  /** What was damaged up to it. */
  damage: Damage
  /** JSON of the selector's state (streams/analysis/selection) and of what its measures need; nobody else reads it. */
  state: string
}

/** A file by what changes when it is written to or replaced. */
export interface FileIdentity {
  sizeBytes: number
  modifiedMs: number
  inode: number
}

export interface FileSource {
  kind: 'file'
  path: string
  /** Number of passes; `Infinity` loops for ever. */
  passes: number
  /** Media seconds per wall second; `null` runs as fast as it can. */
  speed: number | null
  /** 'wait' loses nothing; 'drop-oldest' plays a camera. */
  overflow: 'wait' | 'drop-oldest'
  from: Checkpoint | null
}

/** What a V4L2 device is asked for; `null` leaves it to the device. */
export interface CaptureFormat {
  width: number | null
  height: number | null
  fps: number | null
  /** Pixel format or codec as FFmpeg names it, such as `yuyv422` or `mjpeg`. */
  format: string | null
}

/**
 * A camera. It is connected at `start`; when it is lost the host says `lost` and waits for `connect`: when to try again is
 * the daemon's business.
 */
export interface LiveSource {
  kind: 'live'
  protocol: 'rtsp' | 'http' | 'v4l2' | 'onvif'
  /** The address with its credentials, or the device's path. Must never reach a log, an event or a message. */
  url: string
  /** Of RTP. `auto`: TCP, and UDP where the camera does not offer TCP. */
  transport: 'auto' | 'tcp' | 'udp'
  /** For V4L2. */
  capture: CaptureFormat
  /** No picture for this long: the connection is given up (`lost`). */
  readTimeoutMs: number
  overflow: 'drop-oldest'
}

export type SourceSpec = FileSource | LiveSource

export interface DecodeSpec {
  /** HDR is mapped to BT.709 SDR before anything looks at it; without, pictures are taken as they are. */
  tonemap: boolean
  /** Whether only I-frames are decoded while nothing happens. Needs the motion gate: without it everything is analysed. */
  gating: boolean
  /** Hardware decoding: `require` refuses the camera without it, `prefer` falls back, `off` does not try. */
  hardware: 'require' | 'prefer' | 'off'
}

/** From when on a picture is not a healthy one. */
export interface PictureSpec {
  /** Nothing but what the codec itself changes, for this long: frozen. */
  frozenMs: number
  /** No light, for this long: black. */
  blackMs: number
}

export interface AnalysisSpec {
  /** Frames analysed per second of media time; `null` analyses every frame. */
  fps: number | null
  /** Width of the analysis picture, px; the height follows the picture's display aspect. */
  widthPx: number
  motion: { enabled: boolean; minAreaRatio: number; pixelThreshold: number; quietMs: number }
}

export interface LivenessModel {
  id: string
  /** The face's box is made larger by this factor, and scaled to a square of `cropPx`. */
  boxScale: number
  cropPx: number
  /** Mean P(live) of a track from which it is live, and up to which it is a spoof. */
  liveThreshold: number
  spoofThreshold: number
}

export interface LivenessSpec {
  /** `require`: only a track that is judged live gets a name confirmed. `report`: the verdict is said and decides nothing. */
  mode: 'require' | 'report'
  /** None where they are not installed: every track then stays unchecked. */
  models: readonly LivenessModel[]
}

export interface FacesSpec {
  detector: string
  embedder: string
  detectThreshold: number
  matchThreshold: number
  minMargin: number
  maxPerFrame: number
  /** Embeddings of a track that must agree before a name is confirmed; at least 2. */
  confirmEmbeddings: number
  /** Whether people without a name are told again: `remember` asks the daemon about them, and tells it of ended tracks. */
  unknown: 'remember' | 'forget'
  /** `null` looks for no liveness. */
  liveness: LivenessSpec | null
  /** Alignment template as fractions of the crop, and the crop's side in px (from the manifest). */
  template: readonly (readonly [number, number])[]
  cropPx: number
}

export interface DenseFeaturesSpec {
  /** Id in the manifest. */
  model: string
  /** Looked at on every n-th candidate; the value in between is the last one. */
  every: number
}

/** Selection of keyframes; the figures of the modes are in config/keyframe-schema. */
export interface KeyframeSpec {
  mode: KeyframeMode
  /** Weights of the parts of a picture's score, by name; they sum to 1. */
  qualityWeights: Readonly<Record<string, number>>
  saliencyWeights: Readonly<Record<SaliencyPart, number>>
  /** A picture below this score is taken only if nothing better is near, 0–1. */
  minScore: number
  /** Share of the picture's diagonal that tracks move from keyframe to keyframe, as aimed at. */
  targetFlowRatio: number
  /** Below this share of the last keyframe's tracks a keyframe is due, whatever the parallax. */
  minOverlapRatio: number
  /** Candidates around the wanted one among which the best is taken, ms. */
  windowMs: number
  /** Points followed at a time. */
  tracks: number
  /** `null`: no model, semantic richness is left out. */
  features: DenseFeaturesSpec | null
  format: 'jpg' | 'png'
  /** Folder of the pictures: `<seq, 8 digits>.<format>`; `null` uses `picturesDir` as other pictures of the camera do. */
  imagesDir: string | null
  /** Of JPEG, FFmpeg's 2 (best) to 31. */
  jpegQuality: number
  /** Between two checkpoints of an extraction, wall time, at least, ms; 2000 when absent. */
  checkpointMs?: number
}

/** What a session host needs to run one camera, recording or set of stills. */
export interface SessionSpec<S extends SourceSpec = SourceSpec> {
  node: string
  camera: string
  /** 0–10: under load the engine serves cameras in proportion to priority + 1. */
  priority: number
  /** Distinguishes playbacks whose seq start at 0; part of every event key. */
  epoch: string
  /** Wall clock of PTS 0, ms; `null` takes the recording's own start, or 0 when it does not say. */
  originMs: number | null
  source: S
  decode: DecodeSpec
  picture: PictureSpec
  analysis: AnalysisSpec
  /** `null` runs without faces. */
  faces: FacesSpec | null
  /** `null` selects none. */
  keyframes: KeyframeSpec | null
  /** Folder for best shots, `null` keeps none. */
  picturesDir: string | null
  openTimeoutMs: number
  /** A request to the engine or the gallery that is not answered within this fails the session. */
  askDeadlineMs: number
}

/** Stills: a picture becomes one answer, a video up to `maxFrames` of them, spread evenly over it. */
export interface StillsSpec {
  files: string[]
  faces: FacesSpec
  embed: boolean
  maxFrames: number
  openTimeoutMs: number
  askDeadlineMs: number
}
