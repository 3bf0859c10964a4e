/**
 * Pictures a second of a clip that is encoded anew. Pure. Clips have a constant rate, whatever the recording has: players and
 * editors expect it, and transitions need it.
 */
import type { VideoFacts } from './source-facts.ts'

/** Rates that players know, as FFmpeg writes them; the exact ones of NTSC among them. */
const USUAL: readonly [text: string, fps: number][] = [
  ['1', 1],
  ['5', 5],
  ['10', 10],
  ['12', 12],
  ['15', 15],
  ['20', 20],
  ['24000/1001', 24000 / 1001],
  ['24', 24],
  ['25', 25],
  ['30000/1001', 30000 / 1001],
  ['30', 30],
  ['48', 48],
  ['50', 50],
  ['60000/1001', 60000 / 1001],
  ['60', 60],
]
/** Of a stream that says nothing. */
const FALLBACK = '25'
/** A measured average is off by rounding and by what was lost. */
const TOLERANCE = 0.005

/** The usual rate that is nearest above what the recording has, so that no picture of it is left out up to 60 a second. */
export function outputRate({ averageFps, baseFps }: Pick<VideoFacts, 'averageFps' | 'baseFps'>): string {
  const fps = averageFps ?? baseFps
  if (fps === null) return FALLBACK
  const same = USUAL.filter(([, usual]) => Math.abs(usual - fps) <= TOLERANCE * fps)
  const nearest = same.toSorted((a, b) => Math.abs(a[1] - fps) - Math.abs(b[1] - fps))[0]
  return (nearest ?? USUAL.find(([, usual]) => usual > fps) ?? USUAL.at(-1)!)[0]
}
