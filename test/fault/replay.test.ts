/**
 * Replays whose processes are killed or frozen while they work: they heal, and what they write is what they would have
 * written. The blows fall when the log has reached a place, never after a time.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Grabber, jsonLines, type Running } from '../e2e/support/grabber.ts'
import { childrenOf, processesOf } from '../e2e/support/processes.ts'
import { asl, hasClips } from '../integration/support/clips.ts'
import { until } from '../integration/support/engine.ts'

/** 33 passes of 1.9 s: more than a minute of media. */
const PASSES = 33
const recording = asl('help')

interface Summary {
  frames: Record<'captured' | 'analysed' | 'inFlight', number> & Record<'skipped' | 'dropped', Record<string, number>>
  tracks: number
  faces: number
  restarts: number
  engineRestarts: number
  leases: number
}

let grabber: Grabber
let undisturbed: { log: string; summary: Summary }
beforeAll(async () => {
  if (!hasClips) return
  grabber = new Grabber({ models: true })
  writeFileSync(grabber.path('grabber.yaml'), 'timeouts: { silenceMs: 2000 }\n')
  const ended = await start().ended
  expect(ended.status).toBe(0)
  undisturbed = { log: ended.out, summary: summary() }
})
afterAll(() => grabber?.[Symbol.dispose]())

const start = (): Running =>
  grabber.start('replay', recording, '--loop', String(PASSES), '--events', '-', '--summary', 'summary.json')
const summary = () => jsonLines<Summary>(readFileSync(grabber.path('summary.json'), 'utf8'))[0]!
const lines = (running: Running) => running.out().split('\n').length - 1
const host = (running: Running, entry: string) => childrenOf(running.child.pid!, entry)[0]

/**
 * Sends `signal` to the present host of `entry` each time the log has grown by another share, and waits until another
 * process stands in its place.
 */
async function strike(running: Running, entry: string, signal: NodeJS.Signals, blows: number): Promise<void> {
  const step = Math.floor(undisturbed.log.split('\n').length / (blows + 2))
  for (let blow = 1; blow <= blows; blow++) {
    await until(`event ${blow * step}`, () => lines(running) >= blow * step)
    const victim = host(running, entry)
    expect(victim, `no ${entry} to strike`).toBeDefined()
    process.kill(victim!, signal)
    await until(`another ${entry}`, () => ![undefined, victim].includes(host(running, entry)))
  }
}

/** The run ended well, wrote the same bytes, and left nothing behind. */
async function expectHealed(running: Running): Promise<Summary> {
  const ended = await running.ended
  expect(ended.status).toBe(0)
  const ids = (log: string) => new Set(jsonLines<{ id: string }>(log).map(({ id }) => id))
  expect(ids(ended.out)).toEqual(ids(undisturbed.log))
  expect(ended.out === undisturbed.log).toBe(true)
  const healed = summary()
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, n) => total + n, 0)
  const { captured, analysed, skipped, dropped, inFlight } = healed.frames
  expect(captured).toBe(analysed + sum(skipped) + sum(dropped))
  expect([inFlight, dropped, healed.leases]).toEqual([0, {}, 0])
  expect(healed.frames).toEqual(undisturbed.summary.frames)
  expect([healed.tracks, healed.faces]).toEqual([undisturbed.summary.tracks, undisturbed.summary.faces])
  expect(processesOf(grabber.data)).toEqual([])
  return healed
}

describe.skipIf(!hasClips)('a replay under fire', () => {
  it('kill -9 of its session host, three times', async () => {
    const running = start()
    await strike(running, 'session-host', 'SIGKILL', 3)
    expect(await expectHealed(running)).toMatchObject({ restarts: 3, engineRestarts: 0 })
  })

  it('kill -9 of the engine host, three times', async () => {
    const running = start()
    await strike(running, 'engine-host', 'SIGKILL', 3)
    expect(await expectHealed(running)).toMatchObject({ restarts: 0, engineRestarts: 3 })
  })

  it('a session host that is frozen (SIGSTOP) is killed for its silence and replaced', async () => {
    const running = start()
    await strike(running, 'session-host', 'SIGSTOP', 1)
    expect(await expectHealed(running)).toMatchObject({ restarts: 1, engineRestarts: 0 })
    expect(running.err()).toContain('silent for too long')
  })

  it('both at once', async () => {
    const running = start()
    await until('some events', () => lines(running) > 20)
    for (const entry of ['engine-host', 'session-host']) process.kill(host(running, entry)!, 'SIGKILL')
    expect(await expectHealed(running)).toMatchObject({ restarts: 1, engineRestarts: 1 })
  })

  it('a session host that dies again and again ends the job: 5, and nothing is left', async () => {
    const running = start()
    let over = false
    void running.ended.then(() => {
      over = true
    })
    const killed = new Set<number>()
    await until('the job to give up', () => {
      const victim = host(running, 'session-host')
      if (victim !== undefined && !killed.has(victim)) {
        killed.add(victim)
        process.kill(victim, 'SIGKILL')
      }
      return over
    })
    const { status, err } = await running.ended
    expect(status).toBe(5)
    expect(err.trimEnd().split('\n').at(-1)).toMatch(/^ACT_GAVE_UP: .*failed too often/)
    expect(killed.size).toBe(6)
    expect(processesOf(grabber.data)).toEqual([])
  })
})
