/**
 * Whether a file that was written is what it has to be. Pure: judges what ffprobe and the meter say of the file itself.
 */
import { type Loudness, loudnessFaults } from './loudness.ts'
import type { SourceFacts } from './source-facts.ts'

export interface ExpectedClip {
  method: 'copy' | 'reencode'
  lengthMs: number
  /** Facts of the recording it is made of. */
  source: SourceFacts
}

export interface WrittenClip {
  facts: SourceFacts
  /** `null` without sound. */
  loudness: Loudness | null
  /** The index is before the pictures: a player can begin before all of it is there. */
  isFastStart: boolean
}

/** A packet of sound and a picture at 10 a second may stand out, ms. */
const LENGTH_TOLERANCE_MS = 150

/** What it misses, in words; empty when it is right. */
export function clipFaults(
  { method, lengthMs, source }: ExpectedClip,
  { facts, loudness, isFastStart }: WrittenClip,
): string[] {
  const { video, audio } = facts
  const faults = wrong([
    ['container', facts.container.includes('mp4'), true],
    ['number of streams', facts.streams, source.audio ? 2 : 1],
    ['sound', audio !== null, source.audio !== null],
    ['index at the front', isFastStart, true],
  ])
  if (Math.abs(facts.durationMs - lengthMs) > LENGTH_TOLERANCE_MS)
    faults.push(`it lasts ${Math.round(facts.durationMs)} ms, not ${Math.round(lengthMs)}`)
  if (method === 'copy') {
    const { codec, pixelFormat, width, height, rotation } = source.video
    faults.push(
      ...wrong([
        ['codec', video.codec, codec],
        ['pixel format', video.pixelFormat, pixelFormat],
        ['size', `${video.width}×${video.height}`, `${width}×${height}`],
        ['rotation', video.rotation, rotation],
        ['codec of the sound', audio?.codec, source.audio?.codec],
      ]),
    )
    return faults
  }
  const { width, height } = encodedSize(source.video)
  faults.push(
    ...wrong([
      ['codec', video.codec, 'h264'],
      ['pixel format', video.pixelFormat, 'yuv420p'],
      ['size', `${video.width}×${video.height}`, `${width}×${height}`],
      ['rotation', video.rotation, 0],
      ['primaries', video.primaries, 'bt709'],
      ['transfer', video.transfer, 'bt709'],
      ['matrix', video.matrix, 'bt709'],
      ['range', video.range, 'tv'],
    ]),
  )
  if (!audio) return faults
  faults.push(
    ...wrong([
      ['codec of the sound', audio.codec, 'aac'],
      ['channels', audio.channels, 2],
      ['sample rate', audio.sampleRate, 48_000],
    ]),
  )
  return loudness ? [...faults, ...loudnessFaults(loudness)] : [...faults, 'its loudness is not known']
}

/** Upright, and even. */
function encodedSize({ width, height, rotation }: SourceFacts['video']): { width: number; height: number } {
  const even = (side: number) => side - (side % 2)
  return rotation % 180 === 0
    ? { width: even(width), height: even(height) }
    : { width: even(height), height: even(width) }
}

type Check = [what: string, found: unknown, wanted: unknown]

function wrong(checks: readonly Check[]): string[] {
  return checks
    .filter(([, found, wanted]) => found !== wanted)
    .map(([what, found, wanted]) => `${what}: ${String(found)}, not ${String(wanted)}`)
}
