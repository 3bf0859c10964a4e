/** The store of jobs: attempts, history, several processes at a time, and processes that were killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import { GrabberError } from '../../core/errors.ts'
import { JobStore, jobsPath, readJobs } from '../../src/store/jobs.ts'
import { cleanUp, onCleanUp, temporaryFolder } from './support/nats.ts'

afterEach(cleanUp)

const work = (input = '/in/a.mp4') => ({ kind: 'extract', input, output: '/out/a' }) as const

function opened(path = join(temporaryFolder(), 'jobs.db')) {
  let nowMs = 1000
  const jobs = JobStore.open(path, { nowMs: () => nowMs++ })
  onCleanUp(() => jobs.close())
  return jobs
}

describe('a job', () => {
  it('goes through its states, each with a line of history', () => {
    const jobs = opened()
    const { id } = jobs.begin(work(), 'fast')
    jobs.move(id, 'preflight', { detail: '1.0 MB', contentHash: 'abc' })
    jobs.move(id, 'running', { detail: '640×360' })
    jobs.progress(id, 0.5)
    expect(jobs.find(id)).toMatchObject({ state: 'running', progress: 0.5, contentHash: 'abc', finishedAtMs: null })
    jobs.note(id, 'went on at 12 s')
    jobs.move(id, 'exporting', { detail: '12 keyframes' })
    jobs.move(id, 'done', { detail: '12 keyframes', result: '/out/a/a' })
    const { history, ...job } = jobs.find(id)!
    expect(job).toEqual({
      ...{ ...work(), id, state: 'done', progress: 1, attempts: 1, contentHash: 'abc', settings: 'fast', error: null },
      result: '/out/a/a',
      ...{ createdAtMs: 1000, startedAtMs: 1001, finishedAtMs: 1005 },
    })
    expect(history.map(({ state, detail }) => [state, detail])).toEqual([
      ['queued', ''],
      ['preflight', '1.0 MB'],
      ['running', '640×360'],
      ['running', 'went on at 12 s'],
      ['exporting', '12 keyframes'],
      ['done', '12 keyframes'],
    ])
  })

  it('is the same one when it is given again: an attempt more, and its history goes on', () => {
    const jobs = opened()
    const { id } = jobs.begin(work(), 'fast')
    jobs.move(id, 'failed', { detail: 'no', error: new GrabberError('SRC_EMPTY', 'the file is empty') })
    expect(jobs.find(id)).toMatchObject({ state: 'failed', error: { code: 'SRC_EMPTY', message: 'the file is empty' } })
    expect(jobs.begin(work(), 'balanced')).toMatchObject({
      ...{ id, attempts: 2, settings: 'balanced', state: 'queued', error: null, finishedAtMs: null },
    })
    expect(jobs.find(id)?.history.map(({ attempt, state }) => [attempt, state])).toEqual([
      [1, 'queued'],
      [1, 'failed'],
      [2, 'queued'],
    ])
    expect(jobs.begin(work('/in/b.mp4'), 'fast').id).not.toBe(id)
    expect(jobs.list({ limit: 10 }).map(({ input }) => input)).toEqual(['/in/b.mp4', '/in/a.mp4'])
    expect(jobs.list({ limit: 10, state: 'done' })).toEqual([])
    expect(jobs.list({ limit: 1, state: 'queued' }).map(({ input }) => input)).toEqual(['/in/b.mp4'])
  })

  it('does not skip a state, and none follows the end', () => {
    const jobs = opened()
    const { id } = jobs.begin(work(), 'fast')
    expect(() => jobs.move(id, 'exporting', { detail: '' })).toThrow('does not go from queued to exporting')
    jobs.move(id, 'cancelled', { detail: 'stopped' })
    expect(() => jobs.move(id, 'running', { detail: '' })).toThrow('does not go from cancelled to running')
    expect(jobs.find(id)?.history).toHaveLength(2)
    expect(() => jobs.move('none', 'running', { detail: '' })).toThrow(
      expect.objectContaining({ code: 'API_NOT_FOUND' }),
    )
    expect(jobs.find('none')).toBeUndefined()
  })
})

describe('several processes', () => {
  async function racer(path: string, input: string) {
    const entry = join(import.meta.dirname, 'support/jobs-racer.ts')
    const child: ChildProcess = spawn(process.execPath, [entry, path, input], { stdio: ['pipe', 'pipe', 'inherit'] })
    onCleanUp(() => void child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
    await lines.next()
    return {
      begin: () => child.stdin!.write('go\n'),
      answer: async () => String((await lines.next()).value),
      async kill() {
        child.kill('SIGKILL')
        await once(child, 'exit')
      },
    }
  }

  it('make the file at the same moment, refuse one another’s work, and a killed one leaves its job to the next', async () => {
    const path = join(temporaryFolder(), 'jobs.db')
    const racers = await Promise.all(['a', 'b', 'c', 'a'].map((name) => racer(path, `/in/${name}.mp4`)))
    for (const each of racers) each.begin()
    const answers = await Promise.all(racers.map((each) => each.answer()))
    expect(
      answers.filter((answer) => answer.startsWith('begun')),
      answers.join('; '),
    ).toHaveLength(3)
    expect(answers.filter((answer) => /^STO_LOCKED: process \d+ works on .in.a.mp4/.test(answer))).toHaveLength(1)
    const jobs = opened(path)
    expect(jobs.list({ limit: 10 }).map(({ state }) => state)).toEqual(['preflight', 'preflight', 'preflight'])
    await Promise.all(racers.map((each) => each.kill()))
    const next = opened(path)
    expect(next.list({ limit: 10 })).toEqual(
      ['', '', ''].map(() =>
        expect.objectContaining({ state: 'cancelled', error: expect.objectContaining({ code: 'ACT_STOPPED' }) }),
      ),
    )
    expect(next.begin({ ...work(), output: '/out' }, 's')).toMatchObject({ attempts: 2, state: 'queued' })
  })
})

describe('readers', () => {
  it('find no jobs where there never was one, and make no file', () => {
    const folder = temporaryFolder()
    expect(readJobs(folder, () => 'asked')).toBeUndefined()
    expect(readdirSync(folder)).toEqual([])
  })

  it('see what a runner has written', () => {
    const folder = temporaryFolder()
    opened(jobsPath(folder)).begin(work(), 'fast')
    expect(readJobs(folder, (records) => records.list({ limit: 1 }))).toMatchObject([
      { state: 'queued', input: '/in/a.mp4' },
    ])
  })
})
