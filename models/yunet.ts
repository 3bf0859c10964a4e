/**
 * YuNet, the face detector: packing, decoding, non-maximum suppression. Pure; runs in the engine's inference thread
 * (`facesFromResult` in session hosts).
 * Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", MIR 2023; decoding as in OpenCV's FaceDetectorYN.
 */
import { GrabberError } from '../core/errors.ts'
import { type Box, clipBox, iou, type Point, type Size, scaleBox } from '../core/geometry.ts'
import type { DetectedFace } from '../core/observation.ts'
import type { InferResult } from '../core/ports.ts'
import type { ModelAdapter, ModelTensor } from './adapter.ts'
import type { ModelEntry } from './model-entry.ts'
import { wholePictureInput } from './whole-picture.ts'

const STRIDES = [8, 16, 32] as const
/** x, y, width, height, score, five landmarks (x, y). */
const COLUMNS = 15
/** Best candidates that take part in suppression, which is quadratic (OpenCV's own limit). */
const MAX_CANDIDATES = 5000

/** Params of a request, all optional. */
const DEFAULTS = {
  scoreThreshold: 0.7,
  /** IoU above which the weaker of two boxes is dropped. */
  nmsThreshold: 0.3,
  /** At most this many faces, best first. */
  topK: 750,
}

interface Candidate {
  box: Box
  score: number
  /** Ten numbers: x, y of each landmark. */
  landmarks: number[]
}

/**
 * Takes any picture up to 4096 px a side. Answers rows × 15 in px of the picture, best score first. Boxes are clipped to
 * the picture; landmarks are not, because moving one would turn and stretch the alignment made from them.
 * A file of one fixed size gets smaller pictures padded, and larger ones made to fit, which costs it the smallest faces.
 */
export function yunetAdapter(entry: ModelEntry): ModelAdapter {
  const { seenSize, paddedSize, ...input } = wholePictureInput(entry)
  return {
    ...input,
    unpack(outputs, index, picture, params) {
      const { scoreThreshold, nmsThreshold, topK } = { ...DEFAULTS, ...params }
      const seen = seenSize(picture)
      const padded = paddedSize(seen)
      const candidates = STRIDES.flatMap((stride) => decodeStride(outputs, stride, index, padded, scoreThreshold))
      const kept = suppress(candidates, nmsThreshold, topK, seen)
      const [sx, sy] = [picture.width / seen.width, picture.height / seen.height]
      return toRows(sx === 1 && sy === 1 ? kept : kept.map((face) => enlarged(face, sx, sy)), picture)
    },
  }
}

/** The rows of a detector's result as faces. */
export function facesFromResult(result: InferResult): DetectedFace[] {
  if (result.rows > 0 && result.columns !== COLUMNS) {
    throw new GrabberError('ENG_PROTOCOL', `a detection has ${COLUMNS} columns, not ${result.columns}`)
  }
  return Array.from({ length: result.rows }, (_, row) => {
    const at = (column: number) => result.data[row * COLUMNS + column]!
    const point = (n: number): Point => ({ x: at(5 + 2 * n), y: at(6 + 2 * n) })
    return {
      box: { x: at(0), y: at(1), width: at(2), height: at(3) },
      score: at(4),
      landmarks: [point(0), point(1), point(2), point(3), point(4)],
    }
  })
}

function decodeStride(
  outputs: Record<string, ModelTensor>,
  stride: number,
  index: number,
  padded: Size,
  scoreThreshold: number,
): Candidate[] {
  const columns = padded.width / stride
  const cells = columns * (padded.height / stride)
  const slice = (name: string, channels: number): Float32Array => {
    const data = outputs[`${name}_${stride}`]?.data
    const start = index * cells * channels
    if (data === undefined || data.length < start + cells * channels) {
      throw new Error(`output ${name}_${stride} is missing or too short`)
    }
    return data.subarray(start, start + cells * channels)
  }
  const cls = slice('cls', 1)
  const obj = slice('obj', 1)
  const bbox = slice('bbox', 4)
  const kps = slice('kps', 10)
  const found: Candidate[] = []
  for (let cell = 0; cell < cells; cell++) {
    const score = Math.sqrt(unit(cls[cell]!) * unit(obj[cell]!))
    if (!(score >= scoreThreshold)) continue
    const column = cell % columns
    const row = Math.floor(cell / columns)
    const width = Math.exp(bbox[cell * 4 + 2]!) * stride
    const height = Math.exp(bbox[cell * 4 + 3]!) * stride
    const box = {
      x: (column + bbox[cell * 4]!) * stride - width / 2,
      y: (row + bbox[cell * 4 + 1]!) * stride - height / 2,
      width,
      height,
    }
    const landmarks = Array.from(
      { length: 10 },
      (_, n) => (kps[cell * 10 + n]! + (n % 2 === 0 ? column : row)) * stride,
    )
    found.push({ box, score, landmarks })
  }
  return found
}

/** Greedy suppression, best first. Array.sort is stable, so equal scores keep the order of strides and cells. */
function suppress(candidates: Candidate[], nmsThreshold: number, topK: number, picture: Size): Candidate[] {
  const kept: Candidate[] = []
  const best = candidates.sort((a, b) => b.score - a.score).slice(0, MAX_CANDIDATES)
  for (const candidate of best) {
    if (kept.length >= topK) break
    const visible = clipBox(candidate.box, picture)
    // Written so that it is false for numbers that are none.
    const seen = visible.width > 0 && visible.height > 0 && candidate.landmarks.every(Number.isFinite)
    if (!seen) continue
    if (kept.every((other) => iou(other.box, candidate.box) <= nmsThreshold)) kept.push(candidate)
  }
  return kept
}

function enlarged({ box, score, landmarks }: Candidate, sx: number, sy: number): Candidate {
  return { box: scaleBox(box, sx, sy), score, landmarks: landmarks.map((at, n) => at * (n % 2 === 0 ? sx : sy)) }
}

function toRows(faces: Candidate[], picture: Size): InferResult {
  const data = new Float32Array(faces.length * COLUMNS)
  for (const [row, face] of faces.entries()) {
    const box = clipBox(face.box, picture)
    data.set([box.x, box.y, box.width, box.height, face.score, ...face.landmarks], row * COLUMNS)
  }
  return { rows: faces.length, columns: COLUMNS, data }
}

function unit(value: number): number {
  return Math.min(1, Math.max(0, value))
}
