import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { GalleryActor, type People } from '../../../actors/gallery.ts'
import { Supervisor } from '../../../actors/kernel/supervisor.ts'
import { rootPolicy } from '../../../actors/policies.ts'
import { systemClock } from '../../../core/clock.ts'
import { GrabberError } from '../../../core/errors.ts'
import type { GalleryHit } from '../../../core/observation.ts'
import { RecordingLogger } from '../recording-logger.ts'

const probe = new Float32Array([1, 0])
const hit = (subject: string): GalleryHit => ({ subject, similarity: 1 })

interface Parts {
  gallery?: Partial<People['gallery']>
  visitors?: Partial<People['visitors']>
}

function started({ gallery = {}, visitors = {} }: Parts, { askDeadlineMs = 5000, clock = systemClock } = {}) {
  const durations: number[] = []
  const logger = new RecordingLogger()
  const lives: { die(error: GrabberError): void; closed: boolean }[] = []
  const open = async (): Promise<People> => {
    const { promise: died, resolve: die } = Promise.withResolvers<GrabberError>()
    const life = { die, closed: false }
    lives.push(life)
    const close = async () => {
      life.closed = true
    }
    return { gallery: { model: 'm', ...gallery }, visitors, name: async () => ({}), died, close } as unknown as People
  }
  const actor = new GalleryActor({ open, clock, logger, askDeadlineMs, onSearch: (ms) => durations.push(ms) })
  const backoff = { minMs: 1, maxMs: 2, factor: 2, jitterRatio: 0 }
  const supervisor = Supervisor.start(
    { ...rootPolicy, backoff, id: 'root', children: [actor.child] },
    { clock: systemClock, logger },
  )
  return { actor, supervisor, durations, lives }
}

/** Answers when told to. */
function held() {
  const open: { k: number; answer(): void }[] = []
  const search = (_: Float32Array, k: number) =>
    new Promise<GalleryHit[]>((resolve) => open.push({ k, answer: () => resolve([hit(`s${k}`)]) }))
  return { open, search }
}

async function turns(): Promise<void> {
  for (let n = 0; n < 5; n++) await nextTurn()
}

describe('the gallery actor', () => {
  it('has 16 searches open at once, gives each its answer and measures it', async () => {
    const { open, search } = held()
    const { actor, supervisor, durations } = started({ gallery: { search } })
    await supervisor.ready
    const asked = Array.from({ length: 20 }, (_, k) => actor.search(probe, k))
    await turns()
    expect(open.map(({ k }) => k)).toEqual(Array.from({ length: 16 }, (_, k) => k))
    open[7]!.answer()
    await turns()
    expect(open).toHaveLength(17)
    for (const question of open) question.answer()
    await turns()
    for (const question of open) question.answer()
    const answers = await Promise.all(asked)
    expect(answers.map(([first]) => first!.subject)).toEqual(asked.map((_, k) => `s${k}`))
    expect(durations).toHaveLength(20)
    await supervisor.stop()
  })

  it('makes one change at a time, and does not wait for searches to make it', async () => {
    const { open, search } = held()
    const steps: string[] = []
    const change = (name: string) => async () => {
      steps.push(`${name} begins`)
      await turns()
      steps.push(`${name} ends`)
    }
    const remember = async () => {
      await change('remember')()
      return 'anon-a'
    }
    const { actor, supervisor } = started({ gallery: { search, remove: change('remove') }, visitors: { remember } })
    await supervisor.ready
    const searching = actor.search(probe, 1)
    const sighting = { trackId: 't', template: probe, startMs: 0, endMs: 0, taken: [] }
    const [, , id] = await Promise.all([
      actor.remember('a', sighting),
      actor.remove('x'),
      actor.remember('b', sighting),
    ])
    const order = ['remember', 'remove', 'remember'].flatMap((name) => [`${name} begins`, `${name} ends`])
    expect([id, steps]).toEqual(['anon-a', order])
    open[0]!.answer()
    expect(await searching).toEqual([hit('s1')])
    await supervisor.stop()
  })

  it('does not search for somebody who waits no more', async () => {
    const { open, search } = held()
    let nowMs = 0
    const { actor, supervisor } = started(
      { gallery: { search } },
      { clock: { ...systemClock, monotonicMs: () => nowMs } },
    )
    await supervisor.ready
    const asked = Array.from({ length: 18 }, (_, k) => actor.search(probe, k).catch(() => undefined))
    await turns()
    nowMs = 6000
    for (const question of open) question.answer()
    await turns()
    expect(open).toHaveLength(16)
    await supervisor.stop()
    await Promise.all(asked)
  })

  it('hands a coded error to the asker and lives on', async () => {
    const remove = async () => {
      throw new GrabberError('GAL_UNKNOWN_SUBJECT', 'nobody')
    }
    const { actor, supervisor } = started({ gallery: { remove, list: async () => [] } })
    await supervisor.ready
    await expect(actor.remove('x')).rejects.toMatchObject({ code: 'GAL_UNKNOWN_SUBJECT' })
    await expect(actor.enroll('x', null, [probe], 'another')).rejects.toMatchObject({ code: 'GAL_MODEL_MISMATCH' })
    expect(await actor.list()).toEqual([])
    expect(supervisor.inspect().restarts).toBe(0)
    await supervisor.stop()
  })

  it('is restarted after a defect, with its people opened anew; whoever waited is told', async () => {
    const { search } = held()
    let broken = true
    const list = async () => {
      if (broken) throw new TypeError('a defect')
      return []
    }
    const { actor, supervisor, lives } = started({ gallery: { search, list } })
    await supervisor.ready
    const asked = [actor.search(probe, 1), actor.list()]
    expect(await Promise.allSettled(asked)).toMatchObject([
      { reason: { code: 'ACT_STOPPED' } },
      { reason: { code: 'ACT_STOPPED' } },
    ])
    broken = false
    await expect.poll(() => actor.list().catch(() => undefined), { timeout: 12_000 }).toEqual([])
    expect(lives.map(({ closed }) => closed)).toEqual([true, false])
    await supervisor.stop()
    expect(lives.map(({ closed }) => closed)).toEqual([true, true])
  })

  it('is restarted when its people can answer no more', async () => {
    const { actor, supervisor, lives } = started({ gallery: { ...held(), list: async () => [] } })
    await supervisor.ready
    const asked = actor.search(probe, 1)
    await turns()
    lives[0]!.die(new GrabberError('ACT_STOPPED', 'the search thread ended'))
    await expect(asked).rejects.toMatchObject({ code: 'ACT_STOPPED' })
    await expect.poll(() => actor.list().catch(() => undefined), { timeout: 12_000 }).toEqual([])
    expect(lives).toHaveLength(2)
    await supervisor.stop()
  })

  it('refuses before it has started', async () => {
    const { actor, supervisor } = started({})
    await expect(actor.list()).rejects.toMatchObject({ code: 'ACT_STOPPED' })
    await supervisor.stop()
  })
})
