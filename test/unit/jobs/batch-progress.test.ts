import { describe, expect, it } from 'vitest'
import { BatchProgress, clockText } from '../../../src/jobs/batch-progress.ts'

function started() {
  let nowMs = 0
  const progress = new BatchProgress(() => nowMs)
  return {
    progress,
    pass(seconds: number) {
      nowMs += 1000 * seconds
    },
  }
}

describe('progress over many files', () => {
  it('is by bytes', () => {
    const { progress } = started()
    progress.add('a', 300)
    progress.add('b', 100)
    progress.update('a', 0.5)
    expect(progress.report()).toMatchObject({ share: 150 / 400, ended: 0, files: 2 })
    progress.end('b', false)
    expect(progress.report()).toMatchObject({ share: 250 / 400, ended: 1 })
  })

  it('does not run back when a file is begun again by a new process', () => {
    const { progress } = started()
    progress.add('a', 100)
    progress.update('a', 0.5)
    progress.update('a', 0.2)
    expect(progress.report().share).toBe(0.5)
  })

  it('tells the time left by what was worked on, not by what was finished before', () => {
    const { progress, pass } = started()
    for (const file of ['a', 'b', 'c', 'd']) progress.add(file, 100)
    expect(progress.report().secondsLeft).toBeNull()
    progress.end('a', true)
    pass(10)
    expect(progress.report().secondsLeft).toBeNull()
    progress.end('b', false)
    // 100 bytes in 10 s; 200 are left.
    expect(progress.report().secondsLeft).toBeCloseTo(20)
  })

  it('is written as a clock', () => {
    expect([0.2, 59.5, 187, 3727].map(clockText)).toEqual(['0:01', '1:00', '3:07', '1:02:07'])
  })
})
