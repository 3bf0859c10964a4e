/**
 * What `grabber clip` says of the clips it made: as an object, and as a table for a person. Pure.
 */
import type { MadeClip } from '../clips/make-clips.ts'
import { table } from './table.ts'

export interface ClipReport {
  /** The recording's name. */
  source: string
  clips: {
    /** Name in the output folder. */
    file: string
    /** Media time of the recording, s. */
    from: number
    to: number
    seconds: number
    method: 'copy' | 'reencode'
    /** Integrated LUFS, range LU, true peak dBTP as measured on the file; integrated `null`: silence; all `null`: no sound. */
    loudness: { integrated: number | null; range: number; truePeak: number | null } | null
    reason: string
    notes: readonly string[]
  }[]
}

export function clipReport(source: string, clips: readonly MadeClip[], names: readonly string[]): ClipReport {
  const seconds = (ms: number) => Math.round(ms) / 1000
  return {
    source,
    clips: clips.map(({ fromMs, toMs, lengthMs, method, loudness, reason, notes }, i) => ({
      file: names[i]!,
      ...{ from: seconds(fromMs), to: seconds(toMs), seconds: seconds(lengthMs) },
      ...{ method, loudness, reason, notes },
    })),
  }
}

export function clipTable({ clips }: ClipReport): string {
  const rows = clips.map(({ file, from, seconds, method, loudness, reason, notes }) => [
    file,
    `${from.toFixed(1)} s`,
    `${seconds.toFixed(1)} s`,
    method,
    loudness ? (loudness.integrated === null ? 'silent' : `${loudness.integrated} LUFS`) : 'no sound',
    [reason, ...notes].join('; '),
  ])
  return table([['FILE', 'FROM', 'LENGTH', 'MADE BY', 'LOUDNESS', 'WHY'], ...rows])
}
