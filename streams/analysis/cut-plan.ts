/**
 * Which packets of a recording make a piece of it, so that the piece decodes to the very frames of the whole. Pure.
 *
 * Theory. A piece begins at a picture that can be decoded without anything before it; pictures that follow it in the file and
 * are shown before it (leading pictures) refer to what is not there, and are left out. It ends at a clean break: a place in
 * decoding order where everything before is shown before everything after. At any other place a picture would be there
 * only because others refer to it, with a hole in front of it. Nothing that is kept refers to what comes later in decoding
 * order, so nothing that is kept misses anything.
 */

/** A packet of the video stream, in the order of the file. Times in ticks of the stream. */
export interface VideoPacket {
  /** `null`: the container does not say. */
  pts: number | null
  dts: number | null
  duration: number
  /** Decoding can begin here. */
  entry: boolean
  /** Damaged, or not to be shown (an edit list): it cannot be taken over. */
  unusable: boolean
}

export interface WantedCut {
  from: number
  to: number
  /** The start may be so much earlier. */
  tolerance: number
  /** The piece is not longer. */
  max: number
}

export type VideoCut =
  /** Packets `first` ≤ i < `end` except the leading ones (pts < start). It is shown from `start` until before `stop`. */
  { kind: 'cut'; first: number; end: number; start: number; stop: number } | { kind: 'refused'; reason: string }

/** Pictures that a decoder may hold back to reorder them (H.264 A.3.1, H.265 A.4.2): so far ahead a break is certain. */
export const REORDER_LIMIT = 16

const refused = (reason: string): VideoCut => ({ kind: 'refused', reason })

/** `packets` reach at least `REORDER_LIMIT` packets beyond the end that is wanted, or to the end of the stream. */
export function planVideoCut(packets: readonly VideoPacket[], wanted: WantedCut): VideoCut {
  const first = entryFor(packets, wanted)
  if (typeof first === 'string') return refused(first)
  const start = packets[first]!.pts!
  const kept: { at: number; pts: number; end: number }[] = []
  for (let at = first; at < packets.length; at++) {
    const { pts, dts, duration, unusable } = packets[at]!
    if (pts === null || dts === null) return refused('the container gives no times of its pictures')
    if (pts < start) continue
    if (unusable && pts < wanted.to) return refused('damaged or hidden pictures are in it')
    kept.push({ at, pts, end: pts + duration })
  }
  const found = chooseBreak(kept, start, wanted)
  if (!found) return refused('its end cannot be separated from what follows')
  return { kind: 'cut', first, start, ...found }
}

/** Index of the packet the piece begins with, or why there is none. */
function entryFor(packets: readonly VideoPacket[], { from, tolerance }: WantedCut): number | string {
  let best: number | undefined
  let isEarlier = false
  for (const [at, { pts, entry }] of packets.entries()) {
    if (!entry || pts === null) continue
    if (pts <= from) {
      best = at
      isEarlier = true
    } else if (!isEarlier && best === undefined) best = at
  }
  if (best === undefined) return 'no picture can be decoded by itself near its start'
  const distance = packets[best]!.pts! - from
  if (-distance > tolerance) return 'the I-frame before its start is too early'
  // Later than asked for only where there is nothing before: at the beginning of the recording.
  if (distance > 0 && (best > 0 || distance > tolerance)) return 'no I-frame is before its start'
  return best
}

/** The first clean break that has all that is wanted; where that becomes too long, the last one that does not. */
function chooseBreak(
  kept: readonly { at: number; pts: number; end: number }[],
  start: number,
  { to, max }: WantedCut,
): { end: number; stop: number } | undefined {
  const laterMin = new Array<number>(kept.length + 1).fill(Number.POSITIVE_INFINITY)
  for (let i = kept.length - 1; i >= 0; i--) laterMin[i] = Math.min(laterMin[i + 1]!, kept[i]!.pts)
  let shownLast = Number.NEGATIVE_INFINITY
  let stop = start
  let chosen: { end: number; stop: number } | undefined
  for (const [i, { at, pts, end }] of kept.entries()) {
    if (pts > shownLast) {
      shownLast = pts
      stop = end
    }
    const next = laterMin[i + 1]!
    if (shownLast >= next) continue
    // What is shown until the next picture comes, where durations are not to be had.
    const until = next === Number.POSITIVE_INFINITY ? stop : next
    if (until - start > max) break
    chosen = { end: at + 1, stop: until }
    if (until >= to) break
  }
  return chosen
}

/** A packet of the sound; ticks of its own stream. */
export interface AudioPacket {
  pts: number
  duration: number
}

/**
 * Range of the packets of the sound for a piece from `start` to `stop` (ticks of the sound). It begins one packet before the one
 * that sounds at `start`: a transform codec needs the packet before to make the first one whole, and the edit list of the
 * file hides what is too early.
 */
export function planAudioCut(
  packets: readonly AudioPacket[],
  start: number,
  stop: number,
): [first: number, end: number] {
  const sounding = packets.findIndex(({ pts, duration }) => pts + duration > start)
  if (sounding < 0) return [0, 0]
  const after = packets.findIndex(({ pts }, at) => at >= sounding && pts >= stop)
  const end = after < 0 ? packets.length : after
  return end <= sounding ? [0, 0] : [Math.max(0, sounding - 1), end]
}
