/** `grabber batch` as a person gives it: a hundred files, five of them bad; and the same command again. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { JobStore } from '../../src/store/jobs.ts'
import { writeBadRecordings, writeRecordings } from '../integration/support/tiny-recordings.ts'
import { type Ended, Grabber, jsonLines } from './support/grabber.ts'
import { processesOf } from './support/processes.ts'
import type { ReportLine } from './support/report-line.ts'

const GOOD = 95

let grabber: Grabber
let bad: Record<string, string>
let first: Ended
beforeAll(async () => {
  grabber = new Grabber()
  mkdirSync(grabber.path('in'))
  writeRecordings(grabber.path('in'), GOOD)
  bad = writeBadRecordings(grabber.path('in'))
  first = await grabber.run('batch', 'in', '--out', 'out', '--parallel', '2', '--json')
})
afterAll(() => grabber[Symbol.dispose]())

const out = (name: string) => join(grabber.path('out'), name)
const visible = (folder: string) => readdirSync(folder).filter((name) => name !== '.grabber.lock')
const failures = (lines: readonly ReportLine[]) =>
  Object.fromEntries(
    lines.filter(({ error }) => error).map(({ file, error }) => [file!.split('/').at(-1), error!.code]),
  )

describe('a hundred recordings, five of them bad', () => {
  it('are done, each bad one is named with its reason, and one output tells it all', () => {
    const lines = jsonLines<ReportLine>(first.out)
    expect(lines.at(-1)!.total).toMatchObject({ files: 100, done: GOOD, skipped: 0, failed: 5, interrupted: 0 })
    expect(failures(lines)).toEqual(bad)
    expect(first.status).toBe(3)
    expect(first.err).toMatch(/^SRC_[A-Z_]+: 5 of 100 recordings failed: see the summary for each of them\n$/)
    for (const { outcome, keyframes, frames, error } of lines.slice(0, -1)) {
      if (outcome === 'done') expect([frames, keyframes! >= 1]).toEqual([10, true])
      else expect([outcome, error!.message]).toEqual(['failed', expect.stringMatching(/^\w+( \S+){2,}/)])
    }
  })

  it('leave a whole result each, and nothing else', () => {
    expect(visible(grabber.path('out'))).toEqual(
      Array.from({ length: GOOD }, (_, number) => `clip-${String(number).padStart(3, '0')}`),
    )
    const metadata = JSON.parse(readFileSync(out('clip-007/metadata.json'), 'utf8')) as {
      keyframes: { file: string }[]
      source: { file: string }
    }
    expect(metadata.source.file).toBe('clip-007.mp4')
    expect(readdirSync(out('clip-007/images')).sort()).toEqual(metadata.keyframes.map(({ file }) => file))
    expect(processesOf(grabber.data)).toEqual([])
  })

  it('are not done again by the same command, also where the bad ones are tried once more', async () => {
    const before = statSync(out('clip-094')).ino
    const { out: text, status } = await grabber.run('batch', 'in', '--out', 'out', '--parallel', '2')
    expect(text).toMatch(/\n95 skipped, 5 failed of 100 recordings: \d+ keyframes, [\d.]+ s\n$/)
    expect(text).toMatch(/\nfailed +bad-empty\.mp4 +SRC_EMPTY: the file is empty\n/)
    expect(text).toMatch(/\nskipped +clip-000\.mp4 +\d+ +finished before\n/)
    expect([status, statSync(out('clip-094')).ino]).toEqual([3, before])
  })

  it('are in the store, with their history', async () => {
    {
      using jobs = JobStore.open(join(grabber.data, 'jobs.db'), systemClock)
      const done = jobs.list({ state: 'done', limit: 200 })
      expect(done).toHaveLength(GOOD)
      expect(done[0]).toMatchObject({ attempts: 1, progress: 1, result: out('clip-094') })
      expect(jobs.list({ state: 'failed', limit: 200 }).map(({ attempts }) => attempts)).toEqual([2, 2, 2, 2, 2])
    }
    const listed = await grabber.run('jobs', 'list', '--state', 'failed', '--limit', '1')
    const [id] = /^[0-9a-f]{12}(?= +extract +failed +2 )/m.exec(listed.out)!
    const { out: text } = await grabber.run('jobs', 'show', id)
    expect(text).toMatch(/attempts +2\n/)
    expect(text).toMatch(/ 1 +queued\n.* 1 +preflight .*\n.* 1 +failed +SRC_/)
  })
})
