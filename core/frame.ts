/**
 * The words for pictures and frames that every floor speaks. Types only: the pixels live in session hosts
 * (streams/frames), and never enter the daemon.
 */
import type { Size } from './geometry.ts'

export interface FrameInfo extends Size {
  /** Counts every decoded frame of the source, from 0, across loops. */
  seq: number
  /** Media time in ms from the start of playback; goes on counting across loops. */
  ptsMs: number
  /** Which pass over a looping file, from 0. */
  loop: number
  /** Wall-clock time at which the light hit the sensor, as well as known; ms since the epoch. */
  capturedAtMs: number
}

/**
 * Planar 8-bit RGB, `[3, height, width]` uint8 in the order R, G, B, full range 0–255, rows without padding.
 * The one pixel layout between processes; a model's adapter converts it to what the model wants.
 */
export interface RgbPicture extends Size {
  data: Uint8Array
}

/** `[height, width]` uint8 luma, rows `stride` bytes apart. A view: valid only while its frame's lease is held. */
export interface LumaView extends Size {
  data: Uint8Array
  stride: number
}

/** Cb and Cr of a 4:2:0 picture, `[height / 2, width / 2]` uint8 each, rows `stride` bytes apart. A view, as `LumaView`. */
export interface ChromaView {
  cb: Uint8Array
  cr: Uint8Array
  stride: number
}

/** A whole 4:2:0 picture; a view. */
export interface YuvView {
  luma: LumaView
  chroma: ChromaView
}
