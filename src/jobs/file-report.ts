/**
 * What became of each recording, and of all together: as data for `--json`, as a table for a person. Pure.
 */
import type { CodedError } from '../../core/errors.ts'

export interface FileReport {
  /** Absolute path of the recording. */
  file: string
  /** `interrupted`: the command was stopped; the same command goes on. */
  outcome: 'done' | 'skipped' | 'failed' | 'interrupted'
  /** Folder of the result. */
  result?: string
  /** Why there was nothing to do. */
  reason?: string
  error?: CodedError
  /** Of the recording. */
  frames?: number
  keyframes?: number
  durationSeconds?: number
  /** That went into it, earlier attempts included. */
  wallSeconds?: number
  /** Media seconds per wall second. */
  realtimeFactor?: number
  /** Where an earlier attempt was gone on from, seconds of media. */
  resumedAtSeconds?: number
  /** Positions of damage that were passed over. */
  damaged?: number
  /** Times that its process had to be replaced. */
  restarts?: number
}

export interface TotalReport {
  files: number
  done: number
  skipped: number
  failed: number
  interrupted: number
  keyframes: number
  durationSeconds: number
  wallSeconds: number
  /** Media seconds of what was done, per wall second of the command. */
  realtimeFactor: number
}

export function totalOf(reports: Iterable<FileReport>, wallSeconds: number): TotalReport {
  const total = { files: 0, done: 0, skipped: 0, failed: 0, interrupted: 0, keyframes: 0, durationSeconds: 0 }
  for (const { outcome, keyframes = 0, durationSeconds = 0 } of reports) {
    total.files++
    total[outcome]++
    total.keyframes += keyframes
    if (outcome === 'done') total.durationSeconds += durationSeconds
  }
  return {
    ...total,
    durationSeconds: rounded(total.durationSeconds),
    wallSeconds: rounded(wallSeconds),
    realtimeFactor: rounded(wallSeconds > 0 ? total.durationSeconds / wallSeconds : 0),
  }
}

/** Columns of a report: outcome, name, keyframes, frames, speed, and what is to be said. */
export function reportRow(report: FileReport, name: string): string[] {
  const { outcome, keyframes, frames, realtimeFactor } = report
  const speed = realtimeFactor === undefined ? '' : `${realtimeFactor.toFixed(1)}×`
  return [outcome, name, `${keyframes ?? ''}`, `${frames ?? ''}`, speed, remark(report)]
}

export const reportHeader = ['', 'recording', 'keyframes', 'frames', 'speed', '']

/** `95 done, 5 failed of 100 recordings: 1234 keyframes, 12.3 × real time`. */
export function totalText(total: TotalReport): string {
  const counts = (['done', 'skipped', 'failed', 'interrupted'] as const)
    .filter((outcome) => total[outcome] > 0)
    .map((outcome) => `${total[outcome]} ${outcome}`)
  const speed = total.done > 0 ? `, ${total.realtimeFactor.toFixed(1)} × real time` : ''
  const files = `${total.files} recording${total.files === 1 ? '' : 's'}`
  return `${counts.join(', ') || 'nothing'} of ${files}: ${total.keyframes} keyframe${total.keyframes === 1 ? '' : 's'}${speed}, ${total.wallSeconds.toFixed(1)} s`
}

function remark({ error, reason, resumedAtSeconds, damaged = 0, restarts = 0 }: FileReport): string {
  if (error) return `${error.code}: ${error.message}`.replaceAll(/\s*[\r\n]\s*/g, ' ')
  const remarks = [
    ...(reason === undefined ? [] : [reason]),
    ...(resumedAtSeconds === undefined ? [] : [`went on at ${resumedAtSeconds.toFixed(1)} s`]),
    ...(damaged === 0 ? [] : [`damaged at ${damaged} positions`]),
    ...(restarts === 0 ? [] : [`its process was replaced ${restarts} times`]),
  ]
  return remarks.join('; ')
}

export const rounded = (value: number): number => Math.round(value * 1000) / 1000
