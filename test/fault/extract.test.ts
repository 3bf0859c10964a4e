/**
 * Jobs on recordings under fire: killed in each phase, stopped, on a full disk, on files that change. Each blow falls when the job has
 * come to a place. What comes of it in the end is what an undisturbed job gives, or nothing and a coded error.
 */
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { JobStore } from '../../src/store/jobs.ts'
import { Grabber, jsonLines, type Running } from '../e2e/support/grabber.ts'
import { childrenOf, processesOf } from '../e2e/support/processes.ts'
import type { ReportLine } from '../e2e/support/report-line.ts'
import { until } from '../integration/support/engine.ts'
import { canMountDisk, SmallDisk } from '../integration/support/full-disk.ts'
import { marked, slidingRecording, tinyRecording } from '../integration/support/tiny-recordings.ts'
import { contentOf, resultsIn } from './support/result-folders.ts'

/** Long enough that a blow comes before the end. */
const WALK_SECONDS = 10
/** Checkpoints are so far apart (streams/selection-pass). */
const CHECKPOINT_MS = 2000
const phases = ['preflight', 'running', 'exporting', 'done'] as const

let grabber: Grabber
/** Of each recording: files and their bytes, without what differs from run to run. */
let undisturbed: Record<string, Record<string, string>>
beforeAll(async () => {
  grabber = new Grabber()
  for (const folder of ['in', 'out']) mkdirSync(grabber.path(folder))
  writeFileSync(grabber.path('in/walk.mp4'), slidingRecording(WALK_SECONDS))
  for (const [number, phase] of phases.entries()) {
    writeFileSync(grabber.path(`in/${phase}.mp4`), marked(tinyRecording(), number))
  }
  const { status, err } = await grabber.run('batch', 'in', '--out', 'reference', '--parallel', '2')
  expect([status, err]).toEqual([0, ''])
  undisturbed = results('reference')
})
afterAll(() => grabber[Symbol.dispose]())

const results = (out: string) => resultsIn(grabber.path(out))
const lines = (journal: string) => (existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').slice(0, -1) : [])
const journalOf = (out: string, name: string) => grabber.path(`${out}/.${name}.part/journal.jsonl`)
const marksIn = (journal: string) => lines(journal).filter((line) => line.startsWith('{"mark"')).length

/** The next checkpoint of a session is due, however little it has done. */
async function letTimePass(running: Running): Promise<void> {
  const [host] = childrenOf(running.child.pid!, 'session-host')
  process.kill(host!, 'SIGSTOP')
  const startedMs = performance.now()
  await until('the time of a checkpoint', () => performance.now() - startedMs > CHECKPOINT_MS)
  process.kill(host!, 'SIGCONT')
}

function statesOf(input: string): string[] {
  using jobs = JobStore.open(join(grabber.data, 'jobs.db'), systemClock)
  const job = jobs
    .list({ limit: 100 })
    .find((one) => one.input === grabber.path(input) && one.output === grabber.path('out'))
  return jobs.find(job!.id)!.history.map(({ state }) => state)
}

describe('a job that is cut off', () => {
  it('by Ctrl-C, then by kill -9, goes on at its last checkpoint, and its result is the same', async () => {
    const walk = () => grabber.start('extract', 'in/walk.mp4', '--out', 'out', '--json')
    const journal = journalOf('out', 'walk')
    const stopped = walk()
    await until('the first records', () => lines(journal).length > 3)
    await letTimePass(stopped)
    await until('a checkpoint', () => marksIn(journal) > 0)
    stopped.child.kill('SIGINT')
    expect(await stopped.ended).toMatchObject({ status: 130, err: 'interrupted by SIGINT\n' })
    expect(jsonLines<ReportLine>(stopped.out())[0]).toMatchObject({ outcome: 'interrupted' })
    expect(statesOf('in/walk.mp4').at(-1)).toBe('cancelled')
    expect(Object.keys(results('out'))).toEqual(['.walk.part'])

    const before = lines(journal).length
    const killed = walk()
    await until('more records', () => lines(journal).length > before)
    killed.child.kill('SIGKILL')
    expect((await killed.ended).signal).toBe('SIGKILL')
    await until('the end of its processes', () => processesOf(grabber.data).length === 0)
    appendFileSync(journal, '{"record":{"seq":')

    const last = await walk().ended
    expect([last.status, last.err]).toEqual([0, ''])
    expect(jsonLines<ReportLine>(last.out)[0]).toMatchObject({ outcome: 'done', resumedAtSeconds: expect.any(Number) })
    expect(results('out').walk).toEqual(undisturbed.walk)
  })

  it('by kill -9 in each phase is done by the same command, once', async () => {
    for (const phase of phases) {
      const entry = join(import.meta.dirname, 'support/dying-batch.ts')
      const given = [entry, grabber.path(`in/${phase}.mp4`), grabber.path('out'), grabber.data, phase]
      const { signal, stderr } = spawnSync(process.execPath, given, { encoding: 'utf8', timeout: 60_000 })
      expect([signal, stderr]).toEqual(['SIGKILL', ''])
    }
    // Only where the result had its name already there is one.
    expect(Object.keys(results('out')).sort()).toEqual(['.exporting.part', '.running.part', 'done', 'walk'])
    const { status, out } = await grabber.run('batch', 'in', '--out', 'out', '--parallel', '2', '--json')
    expect(status).toBe(0)
    const outcomes = jsonLines<ReportLine>(out).flatMap(({ file, outcome }) =>
      file ? [[file.split('/').at(-1), outcome]] : [],
    )
    expect(Object.fromEntries(outcomes)).toEqual({
      ...{ 'done.mp4': 'skipped', 'exporting.mp4': 'done', 'preflight.mp4': 'done', 'running.mp4': 'done' },
      'walk.mp4': 'skipped',
    })
    expect(results('out')).toEqual(undisturbed)
    expect(statesOf('in/exporting.mp4')).toEqual([
      ...['queued', 'preflight', 'running', 'cancelled', 'queued', 'preflight', 'running', 'exporting', 'done'],
    ])
  })
})

describe('a place where nothing can be written', () => {
  it.skipIf(!canMountDisk())('a disk that fills up ends the command, which goes on when there is room', async () => {
    using disk = new SmallDisk(512 * 1024)
    disk.fill(12 * 1024)
    const command = ['extract', 'in/running.mp4', 'in/done.mp4', '--out', disk.path, '--json']
    const full = await grabber.run(...command)
    expect([full.status, full.err]).toEqual([
      5,
      expect.stringMatching(/^STO_FULL: .*: make room, and run the same command again/),
    ])
    expect(readdirSync(disk.path).filter((name) => !name.startsWith('.'))).toEqual(['filler'])
    rmSync(join(disk.path, 'filler'))
    expect((await grabber.run(...command)).status).toBe(0)
    for (const name of ['running', 'done']) expect(contentOf(join(disk.path, name))).toEqual(undisturbed[name])
  })
})

describe('a recording that changes while it is read', () => {
  it('is refused, and nothing of it is left', async () => {
    mkdirSync(grabber.path('changing'))
    const names = ['grows', 'replaced']
    for (const [number, name] of names.entries())
      writeFileSync(grabber.path(`changing/${name}.mp4`), marked(slidingRecording(WALK_SECONDS), number))
    const running: Running = grabber.start('batch', 'changing', '--out', 'changed', '--parallel', '2', '--json')
    for (const name of names) await until('its first records', () => lines(journalOf('changed', name)).length > 1)
    appendFileSync(grabber.path('changing/grows.mp4'), 'more')
    writeFileSync(grabber.path('other'), tinyRecording())
    renameSync(grabber.path('other'), grabber.path('changing/replaced.mp4'))
    const { status, out } = await running.ended
    expect(status).toBe(3)
    const codes = jsonLines<ReportLine>(out).flatMap(({ error }) => (error ? [error.code] : []))
    expect(codes).toEqual(['SRC_CHANGED', 'SRC_CHANGED'])
    expect(results('changed')).toEqual({})
  })
})
