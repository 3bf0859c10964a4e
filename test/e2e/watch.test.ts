/** `grabber watch` as a person gives it: what is there, what comes, what goes, and the end by Ctrl-C. */
import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { until } from '../integration/support/engine.ts'
import { marked, tinyRecording } from '../integration/support/tiny-recordings.ts'
import { Grabber, jsonLines } from './support/grabber.ts'
import type { ReportLine } from './support/report-line.ts'

it('takes recordings up when they are complete, again when they have changed, and says at the end what it did', async () => {
  using grabber = new Grabber()
  const folder = grabber.path('in')
  mkdirSync(folder)
  const whole = tinyRecording()
  writeFileSync(`${folder}/there.mp4`, whole)
  const running = grabber.start('watch', 'in', '--out', 'out', '--quiet-seconds', '0.3', '--json')
  const outcomes = () =>
    jsonLines<ReportLine>(running.out().replace(/[^\n]*$/, '')).flatMap(({ file, outcome, error }) =>
      file ? [`${file.split('/').at(-1)} ${error?.code ?? outcome}`] : [],
    )
  await until('the first', () => outcomes().includes('there.mp4 done'))
  rmSync(`${folder}/there.mp4`)
  // A copy that stands still for longer than the quiet time, and then goes on.
  writeFileSync(`${folder}/halting.mp4`, whole.subarray(0, 900))
  writeFileSync(grabber.path('ready.mp4'), marked(whole, 1))
  renameSync(grabber.path('ready.mp4'), `${folder}/ready.mp4`)
  await until('both', () => outcomes().length === 3)
  expect(outcomes().sort()).toEqual(['halting.mp4 SRC_UNREADABLE', 'ready.mp4 done', 'there.mp4 done'])
  appendFileSync(`${folder}/halting.mp4`, whole.subarray(900))
  await until('the rest of it', () => outcomes().includes('halting.mp4 done'))
  running.child.kill('SIGINT')
  const { status, err, out } = await running.ended
  expect([status, err]).toEqual([0, ''])
  expect(jsonLines<ReportLine>(out).at(-1)!.total).toMatchObject({ files: 3, done: 3, failed: 0 })
  expect(readdirSync(grabber.path('out')).sort()).toEqual(['.grabber.lock', 'halting', 'ready', 'there'])
})
