import { describe, expect, it } from 'vitest'
import { type FileReport, reportRow, totalOf, totalText } from '../../../src/jobs/file-report.ts'

const done: FileReport = {
  ...{ file: '/in/a.mp4', outcome: 'done', result: '/out/a', frames: 250, keyframes: 12 },
  ...{ durationSeconds: 10, wallSeconds: 2, realtimeFactor: 5 },
}
const skipped: FileReport = { file: '/in/b.mp4', outcome: 'skipped', reason: 'finished before', keyframes: 3 }
const failed: FileReport = {
  file: '/in/c.mp4',
  outcome: 'failed',
  error: { code: 'SRC_EMPTY', message: 'the file is empty', remedy: 'check what wrote it' },
}
const stopped: FileReport = { file: '/in/d.mp4', outcome: 'interrupted', reason: 'not begun' }

describe('the report', () => {
  it('sums up: speed is media that was done by the time of the command', () => {
    const total = totalOf([done, skipped, failed, stopped], 4)
    expect(total).toEqual({
      ...{ files: 4, done: 1, skipped: 1, failed: 1, interrupted: 1 },
      ...{ keyframes: 15, durationSeconds: 10, wallSeconds: 4, realtimeFactor: 2.5 },
    })
    expect(totalText(total)).toBe(
      '1 done, 1 skipped, 1 failed, 1 interrupted of 4 recordings: 15 keyframes, 2.5 × real time, 4.0 s',
    )
    expect(totalText(totalOf([], 0))).toBe('nothing of 0 recordings: 0 keyframes, 0.0 s')
  })

  it('has a row for each, with what is to be said', () => {
    expect(reportRow(done, 'a.mp4')).toEqual(['done', 'a.mp4', '12', '250', '5.0×', ''])
    expect(reportRow(skipped, 'b.mp4')).toEqual(['skipped', 'b.mp4', '3', '', '', 'finished before'])
    expect(reportRow(failed, 'c.mp4')).toEqual(['failed', 'c.mp4', '', '', '', 'SRC_EMPTY: the file is empty'])
    expect(reportRow({ ...done, resumedAtSeconds: 4.26, damaged: 2, restarts: 1 }, 'a').at(-1)).toBe(
      'went on at 4.3 s; damaged at 2 positions; its process was replaced 1 times',
    )
  })
})
