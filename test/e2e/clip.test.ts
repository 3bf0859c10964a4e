/** `grabber clip` as a person starts it, interrupts it, kills it, and runs it without what it needs. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClipReport } from '../../src/cli/clip-report.ts'
import type { Job } from '../../src/jobs/job.ts'
import { laborious, pqGrey, withBFrames } from '../integration/support/clip-sources.ts'
import { until } from '../integration/support/nats.ts'
import { Grabber, type Running } from './support/grabber.ts'
import { isAlive, processesOf } from './support/processes.ts'

let grabber: Grabber
beforeEach(() => {
  grabber = new Grabber()
})
afterEach(() => {
  expect(processesOf(grabber.data)).toEqual([])
  grabber[Symbol.dispose]()
})

const LOCK = '.grabber.lock'
/** What is in the output folder, hidden or not, besides its lock. */
const made = () => readdirSync(grabber.path('out')).filter((name) => name !== LOCK)
/** Nothing where it has just ended. */
const commandOf = (pid: number) => (isAlive(pid) ? readFileSync(`/proc/${pid}/cmdline`, 'latin1') : '')

it('cuts what events tell of, says why, and writes the job down', async () => {
  const frame = (ptsMs: number) => ({ seq: ptsMs / 100, ptsMs, width: 320, height: 180 })
  const motion = (phase: string, ptsMs: number) =>
    JSON.stringify({ type: 'motion', subject: 'hall', data: { phase, areaRatio: 0.4, frame: frame(ptsMs) } })
  writeFileSync(grabber.path('events.jsonl'), `${motion('start', 5000)}\n${motion('end', 8000)}\n`)
  symlinkSync(withBFrames('mp4'), grabber.path('hall.mp4'))
  const { status, out, err } = await grabber.run(
    'clip',
    'hall.mp4',
    '--events',
    'events.jsonl',
    '--out',
    'out',
    '--json',
  )
  expect([status, err]).toEqual([0, ''])
  const report = JSON.parse(out) as ClipReport
  expect(report).toMatchObject({
    source: 'hall.mp4',
    clips: [
      { file: 'hall-00h00m00s.mp4', method: 'copy', from: 0, reason: 'movement in 40 % of the picture for 3.0 s' },
    ],
  })
  expect(report.clips[0]!.seconds).toBeGreaterThanOrEqual(15)
  expect(made()).toEqual(['hall-00h00m00s.mp4'])
  const jobs = JSON.parse((await grabber.run('jobs', 'list', '--json')).out) as Job[]
  expect(jobs).toMatchObject([{ kind: 'clip', state: 'done', attempts: 1 }])
})

describe('is refused', () => {
  it('for HDR, with what to do about it', async () => {
    const { status, err } = await grabber.run('clip', pqGrey(573), '--at', '0', '--out', 'out')
    expect([status, err]).toEqual([3, expect.stringMatching(/^SRC_HDR: .*--tonemap.*\n$/)])
  })

  it('without ffmpeg, with what to install', async () => {
    const bin = grabber.path('bin')
    mkdirSync(bin)
    for (const tool of ['sh', 'dirname', 'readlink']) symlinkSync(`/usr/bin/${tool}`, `${bin}/${tool}`)
    using bare = new Grabber({ env: { PATH: bin } })
    const { status, err } = await bare.run('clip', withBFrames('mp4'), '--at', '0', '--out', 'out')
    expect([status, err]).toEqual([
      5,
      expect.stringMatching(/^ACT_TOOL: ff\w+ is not installed.*apt-get install ffmpeg`\n$/),
    ])
  })

  it.each([
    [['--at', '0', '--min', '10'], '--min takes a number from 15 to 60'],
    [['--at', '0', '--events', 'e'], 'give one of --events, --scores and --at'],
    [['--at', '0', '--transition', 'spin'], 'there is no transition spin'],
  ])('for %j', async (flags, words) => {
    const { status, err } = await grabber.run('clip', 'hall.mp4', '--out', 'out', ...flags)
    expect([status, err]).toEqual([2, expect.stringContaining(words)])
  })
})

describe('leaves no half clip and no ffmpeg', () => {
  /** A clip that is encoded, until an ffmpeg writes it. That one is stopped: it will not end by itself before it is killed. */
  async function writing(): Promise<Running> {
    const running = grabber.start('clip', laborious(), '--at', '0', '--out', 'out', '--reencode')
    const writes = (command: string) => command.startsWith('/usr/bin/ffmpeg') && command.includes('.clips.part/')
    const writer = () => processesOf(grabber.data).find((pid) => writes(commandOf(pid)))
    await until('an ffmpeg writes', () => writer() !== undefined, 60_000)
    process.kill(writer()!, 'SIGSTOP')
    return running
  }

  it('when it is killed, and the next run does it', async () => {
    const { child, ended } = await writing()
    child.kill('SIGKILL')
    await ended
    await until('all is gone', () => processesOf(grabber.data).length === 0, 60_000)
    expect(made()).toEqual([])
    const { status } = await grabber.run('clip', withBFrames('mp4'), '--at', '0', '--out', 'out')
    expect([status, made().length]).toEqual([0, 1])
    const jobs = JSON.parse((await grabber.run('jobs', 'list', '--json')).out) as Job[]
    expect(jobs.map(({ state }) => state).sort()).toEqual(['cancelled', 'done'])
  })

  it('when it is interrupted', async () => {
    const { child, ended } = await writing()
    child.kill('SIGINT')
    const { status, err } = await ended
    expect([status, err]).toEqual([130, 'interrupted by SIGINT\n'])
    expect(made()).toEqual([])
  })
})
