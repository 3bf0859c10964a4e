/**
 * What a face and the clothes below it look like, cheap enough for every detection and at once: evidence for the tracker,
 * which cannot wait for embeddings (docs/decisions.md). Pure; reads the analysis picture.
 * Two descriptors of our own in the place of DeepSORT's network (Wojke et al., ICIP 2017): an 8×8 signature of the face's
 * luma, compared by zero-mean normalised cross-correlation (light cancels), and a colour histogram of the chest, compared by the
 * Bhattacharyya distance (Comaniciu et al., CVPR 2000).
 */
import type { YuvView } from '../../core/frame.ts'
import type { Box, Size } from '../../core/geometry.ts'

const FACE_SIDE = 8
/** Looks inside each cell of the signature, along each side. */
const CELL_LOOKS = 2
/** Looks into the chest, along each side. */
const CHEST_SIDE = 16
/** A chest of which less than this is in the picture says nothing, share. */
const MIN_CHEST = 0.25
const LUMA_BINS = 8
const CHROMA_BINS = 4
/** Chroma lies near its zero of 128: bins of 16 levels, the outer ones open. */
const CHROMA_STEP = 16

/**
 * Half-way distances: over the eight clips the faces and clothes of one person stay below 0.8 of these in 99 of 100 looks
 * 1.2 s apart, those of two people lie above 0.9 (docs/decisions.md).
 */
const FACE_HALFWAY = 0.25
const CHEST_HALFWAY = 0.55
/** One part alone (a hand before the face, a coat put on, the light going out) is not proof of another person. */
const MAX_PART = 1.2
/** Of a chest that cannot be compared: what one person's usually comes to. */
const UNKNOWN_PART = 0.4

export interface Appearance {
  /** `[8, 8]` float32, zero mean, unit length. All zero for a face without contrast. */
  face: Float32Array
  /** `[8, 4, 4]` float32 over luma, Cb, Cr; sum 1. `undefined` when the chest is out of the picture. */
  chest: Float32Array | undefined
  /** It may be half a face, or half of another one's: somebody is near, or the picture's edge is. */
  doubtful: boolean
}

/** Looks of all faces of one picture, in their order. Boxes in px of the picture. */
export function describeFaces(picture: YuvView, boxes: readonly Box[]): Appearance[] {
  const bodies = boxes.map(bodyOf)
  return boxes.map((box, index) => ({
    face: signature(picture, box),
    chest: histogram(picture, chestOf(box)),
    doubtful:
      !isWhole(box, picture.luma) || bodies.some((body, other) => other !== index && overlaps(body, bodies[index]!)),
  }))
}

/** Where the chest is, for a face's box: two faces wide, one and a half high. */
function chestOf({ x, y, width, height }: Box): Box {
  return { x: x - 0.5 * width, y: y + 1.3 * height, width: 2 * width, height: 1.5 * height }
}

/** Where head and shoulders are: four faces wide. */
function bodyOf({ x, y, width, height }: Box): Box {
  return { x: x - 1.5 * width, y: y - 0.5 * height, width: 4 * width, height: 3.5 * height }
}

/** A face that comes in from the side is boxed as far as it is seen: half a face off the edge it is whole. */
function isWhole({ x, y, width, height }: Box, picture: Size): boolean {
  return x >= 0.5 * width && y >= 0 && x + 1.5 * width <= picture.width && y + height <= picture.height
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/** 0 (the same) to 1 (the inverse): half of one minus the correlation; 0.5 for what has nothing in common. */
export function faceDistance(a: Float32Array, b: Float32Array): number {
  let dot = 0
  for (let i = 0; i < a.length; i++) dot += a[i]! * b[i]!
  return (1 - dot) / 2
}

/** 0 (the same) to 1 (no colour in common). */
export function chestDistance(a: Float32Array, b: Float32Array): number {
  let overlap = 0
  for (let i = 0; i < a.length; i++) overlap += Math.sqrt(a[i]! * b[i]!)
  return Math.sqrt(Math.max(0, 1 - overlap))
}

/**
 * How different two looks are: 0 the same, up to 2.4. One person's stay below 1.5, two people's above 1.9; see
 * docs/decisions.md for where these were measured.
 */
export function difference(memory: Appearance, seen: Appearance): number {
  const face = faceDistance(memory.face, seen.face) / FACE_HALFWAY
  const chest = memory.chest && seen.chest ? chestDistance(memory.chest, seen.chest) / CHEST_HALFWAY : UNKNOWN_PART
  return Math.min(MAX_PART, face) + Math.min(MAX_PART, chest)
}

/** `memory` moved towards `seen` by `share` (0–1): an exponential mean. What `seen` lacks stays. */
export function blend(memory: Appearance, seen: Appearance, share: number): Appearance {
  const mix = (a: Float32Array, b: Float32Array) => a.map((value, i) => value + share * (b[i]! - value))
  return {
    face: unit(mix(memory.face, seen.face)),
    chest: memory.chest && seen.chest ? mix(memory.chest, seen.chest) : (seen.chest ?? memory.chest),
    doubtful: seen.doubtful,
  }
}

function signature({ luma }: YuvView, box: Box): Float32Array {
  const { data, stride, width, height } = luma
  const cells = new Float32Array(FACE_SIDE * FACE_SIDE)
  const looks = FACE_SIDE * CELL_LOOKS
  let sum = 0
  for (let row = 0; row < looks; row++) {
    const y = Math.max(0, Math.min(height - 1, Math.floor(box.y + ((row + 0.5) / looks) * box.height)))
    const cellRow = Math.floor(row / CELL_LOOKS) * FACE_SIDE
    for (let column = 0; column < looks; column++) {
      const x = Math.max(0, Math.min(width - 1, Math.floor(box.x + ((column + 0.5) / looks) * box.width)))
      const value = data[y * stride + x]!
      const cell = cellRow + Math.floor(column / CELL_LOOKS)
      cells[cell] = cells[cell]! + value
      sum += value
    }
  }
  const mean = sum / cells.length
  for (let i = 0; i < cells.length; i++) cells[i] = cells[i]! - mean
  return unit(cells)
}

function histogram({ luma, chroma }: YuvView, box: Box): Float32Array | undefined {
  const bins = new Float32Array(LUMA_BINS * CHROMA_BINS * CHROMA_BINS)
  let looks = 0
  for (let row = 0; row < CHEST_SIDE; row++) {
    const y = Math.floor(box.y + ((row + 0.5) / CHEST_SIDE) * box.height)
    if (y < 0 || y >= luma.height) continue
    for (let column = 0; column < CHEST_SIDE; column++) {
      const x = Math.floor(box.x + ((column + 0.5) / CHEST_SIDE) * box.width)
      if (x < 0 || x >= luma.width) continue
      const at = (y >> 1) * chroma.stride + (x >> 1)
      const light = (luma.data[y * luma.stride + x]! * LUMA_BINS) >> 8
      const bin = (light * CHROMA_BINS + chromaBin(chroma.cb[at]!)) * CHROMA_BINS + chromaBin(chroma.cr[at]!)
      bins[bin] = bins[bin]! + 1
      looks++
    }
  }
  if (looks < MIN_CHEST * CHEST_SIDE * CHEST_SIDE) return undefined
  for (let i = 0; i < bins.length; i++) bins[i] = bins[i]! / looks
  return bins
}

function chromaBin(value: number): number {
  return Math.max(0, Math.min(CHROMA_BINS - 1, Math.floor((value - 128) / CHROMA_STEP) + CHROMA_BINS / 2))
}

/** In place. */
function unit(vector: Float32Array): Float32Array {
  let squares = 0
  for (const value of vector) squares += value * value
  const length = Math.sqrt(squares)
  if (length > 0) for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! / length
  return vector
}
