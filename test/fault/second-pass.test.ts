/**
 * A second pass under fire: its host killed, once and twice, and the whole command. Each blow falls while pictures are compared. What
 * comes of it in the end is what an undisturbed run gives.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { cpuMs } from '../../script/benchmarks/processes.ts'
import { JobStore } from '../../src/store/jobs.ts'
import { type Ended, Grabber, jsonLines, type Running } from '../e2e/support/grabber.ts'
import { childrenOf, processesOf } from '../e2e/support/processes.ts'
import type { ReportLine } from '../e2e/support/report-line.ts'
import { until } from '../integration/support/engine.ts'
import { hasPhotographs, photographs, wayAlong } from '../integration/support/photograph-way.ts'
import { contentOf } from './support/result-folders.ts'

/** Of CPU, since all was selected. The whole second pass takes 700 ms of it. */
const SPENT_MS = 150

let grabber: Grabber
let undisturbed: Record<string, string>
beforeAll(async () => {
  if (!hasPhotographs) return
  grabber = new Grabber()
  wayAlong(join(photographs, readdirSync(photographs).sort()[0]!), grabber.path('way.mp4'), 0.8, 3)
  expect(await optimise('reference').ended).toMatchObject({ status: 0, err: '' })
  undisturbed = contentOf(grabber.path('reference/way'))
  forget()
})
afterAll(() => grabber?.[Symbol.dispose]())

const optimise = (out: string) => grabber.start('extract', 'way.mp4', '--out', out, '--optimise', '--json')
const cache = () => join(grabber.data, 'cache', 'second-pass')
const cached = () => (existsSync(cache()) ? readdirSync(cache()) : [])
const forget = () => {
  for (const name of cached()) rmSync(join(cache(), name))
}

function journalOf(out: string): string[] {
  const path = grabber.path(`${out}/.way.part/journal.jsonl`)
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
}

function isExporting(out: string): boolean {
  using jobs = JobStore.open(join(grabber.data, 'jobs.db'), systemClock)
  return jobs.list({ state: 'exporting', limit: 10 }).some(({ output }) => output === grabber.path(out))
}

/** A host that compares, stopped there; `besides` is one that did. */
async function comparing({ child }: Running, out: string, besides?: number): Promise<number> {
  let host: number | undefined
  let beforeMs = 0
  await until('everything is selected', () => isExporting(out))
  await until('a host that is at work', () => {
    const [first] = childrenOf(child.pid!, 'session-host').filter((pid) => pid !== besides)
    if (first === undefined) return false
    if (first !== host) [host, beforeMs] = [first, cpuMs(first) ?? 0]
    return (cpuMs(first) ?? 0) - beforeMs >= SPENT_MS
  })
  process.kill(host!, 'SIGSTOP')
  // Nothing is decided yet.
  expect([cached(), readdirSync(grabber.path(out))]).toEqual([[], ['.grabber.lock', '.way.part']])
  expect(readdirSync(grabber.path(`${out}/.way.part`)).sort()).toEqual(['images', 'journal.jsonl'])
  return host!
}

function expectUndisturbed(out: string, { status, err, out: said }: Ended): void {
  expect([status, err]).toEqual([0, ''])
  expect(jsonLines<ReportLine>(said)[0]).toMatchObject({ outcome: 'done' })
  expect(contentOf(grabber.path(`${out}/way`))).toEqual(undisturbed)
  expect(readdirSync(grabber.path(out))).toEqual(['.grabber.lock', 'way'])
  expect(cached()).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/)])
  forget()
}

describe.skipIf(!hasPhotographs)('a second pass', () => {
  it('whose host is killed is begun anew once, then ends with a code; the same command goes on there', async () => {
    const running = optimise('hosts')
    const first = await comparing(running, 'hosts')
    process.kill(first, 'SIGKILL')
    process.kill(await comparing(running, 'hosts', first), 'SIGKILL')
    const { status, err, out } = await running.ended
    // Of the one or the other, as the second was at work or had not yet said hello.
    const words =
      /^ACT_HOST_DIED: .*way\.mp4: (the second pass|recordings) ended with SIGKILL: run the same command again: /
    expect([status, err]).toEqual([1, expect.stringMatching(words)])
    expect(jsonLines<ReportLine>(out)[0]).toMatchObject({ outcome: 'failed', error: { code: 'ACT_HOST_DIED' } })
    expect([readdirSync(grabber.path('hosts')), cached()]).toEqual([['.grabber.lock', '.way.part'], []])
    const before = journalOf('hosts')
    const again = optimise('hosts')
    const killed = await comparing(again, 'hosts')
    expect(journalOf('hosts')).toEqual(before)
    process.kill(killed, 'SIGKILL')
    expectUndisturbed('hosts', await again.ended)
  })

  it('whose command is killed takes its host along, and the same command goes on there', async () => {
    const running = optimise('command')
    const host = await comparing(running, 'command')
    running.child.kill('SIGKILL')
    process.kill(host, 'SIGCONT')
    expect((await running.ended).signal).toBe('SIGKILL')
    await until('the end of its processes', () => processesOf(grabber.data).length === 0)
    expect([readdirSync(grabber.path('command')), cached()]).toEqual([['.grabber.lock', '.way.part'], []])
    expectUndisturbed('command', await optimise('command').ended)
  })
})
