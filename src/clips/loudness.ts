/**
 * Loudness by EBU R 128 and ITU-R BS.1770: the target, what ffmpeg's meters report, and whether it will do. Pure.
 */

/** Of what is published. LUFS, LU, dBTP (REQUIREMENTS J3). */
export const TARGET = { integrated: -16, range: 7, truePeak: -1 }
/** Between the clips of one run, LU. */
export const MAX_SPREAD = 1.5
/** Half the spread: clips that are each as near as this cannot be further apart than that. LU */
export const TOLERANCE = MAX_SPREAD / 2
/** Both meters report the range in tenths, of 3 s windows; of 15 s that is a coarse figure. LU */
const RANGE_TOLERANCE = 0.5
/** The absolute gate of BS.1770, LUFS: what never passes it is silence. */
const GATE = -70

export interface Loudness {
  /** LUFS; `null`: silence. */
  integrated: number | null
  /** LU. */
  range: number
  /** dBTP; `null`: digital silence. */
  truePeak: number | null
}

/** What the first pass of `loudnorm` reports, for its second. */
export interface LoudnessScan extends Loudness {
  /** Relative gate, LUFS. */
  threshold: number
}

/** The report of `loudnorm=…:print_format=json` at the end of ffmpeg's log; `undefined` when there is none. */
export function readScan(log: readonly string[]): LoudnessScan | undefined {
  const text = log.join('\n')
  const json = text.slice(text.lastIndexOf('{'), text.lastIndexOf('}') + 1)
  const field = (name: string) => new RegExp(`"${name}"\\s*:\\s*"([^"]+)"`).exec(json)?.[1]
  const [i, lra, tp, threshold] = ['input_i', 'input_lra', 'input_tp', 'input_thresh'].map(field)
  if (i === undefined || lra === undefined || tp === undefined || threshold === undefined) return undefined
  return { integrated: gated(i), range: Number(lra), truePeak: finite(tp), threshold: Number(threshold) }
}

/** The summary of `ebur128=peak=true` at the end of ffmpeg's log. */
export function readMeter(log: readonly string[]): Loudness | undefined {
  const text = log.join('\n')
  const summary = text.slice(Math.max(0, text.lastIndexOf('Summary:')))
  const field = (name: string) => new RegExp(`^\\s*${name}:\\s+(\\S+)`, 'm').exec(summary)?.[1]
  const [i, lra, peak] = ['I', 'LRA', 'Peak'].map(field)
  if (i === undefined || lra === undefined || peak === undefined) return undefined
  return { integrated: gated(i), range: Number(lra), truePeak: finite(peak) }
}

/** What a sound misses, in words; empty when it will do. Silence stays silence, and misses nothing. */
export function loudnessFaults({ integrated, range, truePeak }: Loudness): string[] {
  if (integrated === null) return []
  const faults: string[] = []
  if (Math.abs(integrated - TARGET.integrated) > TOLERANCE)
    faults.push(`its loudness is ${integrated} LUFS, not ${TARGET.integrated}`)
  if (truePeak !== null && truePeak > TARGET.truePeak)
    faults.push(`its true peak is ${truePeak} dBTP, above ${TARGET.truePeak}`)
  if (range > TARGET.range + RANGE_TOLERANCE) faults.push(`its loudness range is ${range} LU, above ${TARGET.range}`)
  return faults
}

/** Between the loudest and the quietest that are not silent, LU; 0 for fewer than two. */
export function spreadOf(sounds: readonly Loudness[]): number {
  const levels = sounds.flatMap(({ integrated }) => (integrated === null ? [] : [integrated]))
  return levels.length < 2 ? 0 : Math.max(...levels) - Math.min(...levels)
}

function finite(text: string): number | null {
  const value = Number(text)
  return Number.isFinite(value) ? value : null
}

function gated(text: string): number | null {
  const value = finite(text)
  return value === null || value <= GATE ? null : value
}
