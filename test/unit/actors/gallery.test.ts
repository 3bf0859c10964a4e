import { describe, expect, it } from 'vitest'
import { GalleryActor } from '../../../actors/gallery.ts'
import { Supervisor } from '../../../actors/kernel/supervisor.ts'
import { rootPolicy } from '../../../actors/policies.ts'
import { systemClock } from '../../../core/clock.ts'
import { GrabberError } from '../../../core/errors.ts'
import type { FaceGallery } from '../../../core/ports.ts'
import { RecordingLogger } from '../recording-logger.ts'

const probe = new Float32Array([1, 0])

function started(gallery: Partial<FaceGallery>, askDeadlineMs = 5000) {
  const durations: number[] = []
  const logger = new RecordingLogger()
  const actor = new GalleryActor({
    gallery: { model: 'm', ...gallery } as FaceGallery,
    clock: systemClock,
    logger,
    askDeadlineMs,
    onSearch: (ms) => durations.push(ms),
  })
  const backoff = { minMs: 1, maxMs: 2, factor: 2, jitterRatio: 0 }
  const supervisor = Supervisor.start(
    { ...rootPolicy, backoff, id: 'root', children: [actor.child] },
    { clock: systemClock, logger },
  )
  return { actor, supervisor, durations }
}

describe('the gallery actor', () => {
  it('answers in the order of the questions, and measures each search', async () => {
    const seen: number[] = []
    const { actor, supervisor, durations } = started({
      search: (_, k) => {
        seen.push(k)
        return [{ subject: `s${k}`, similarity: 1 }]
      },
    })
    await supervisor.ready
    const answers = await Promise.all([1, 2, 3].map((k) => actor.search(probe, k)))
    expect(answers.map(([hit]) => hit!.subject)).toEqual(['s1', 's2', 's3'])
    expect(seen).toEqual([1, 2, 3])
    expect(durations).toHaveLength(3)
    await supervisor.stop()
  })

  it('hands a coded error to the asker and lives on', async () => {
    const { actor, supervisor } = started({
      remove: () => {
        throw new GrabberError('GAL_UNKNOWN_SUBJECT', 'nobody')
      },
      list: () => [],
    })
    await supervisor.ready
    await expect(actor.remove('x')).rejects.toMatchObject({ code: 'GAL_UNKNOWN_SUBJECT' })
    await expect(actor.enroll('x', null, [probe], 'another')).rejects.toMatchObject({ code: 'GAL_MODEL_MISMATCH' })
    expect(await actor.list()).toEqual([])
    expect(supervisor.inspect().restarts).toBe(0)
    await supervisor.stop()
  })

  it('is restarted after a defect; whoever waited is told', async () => {
    let broken = true
    const { actor, supervisor } = started({
      list: () => {
        if (broken) throw new TypeError('a defect')
        return []
      },
    })
    await supervisor.ready
    const waiting = actor.search(probe, 1)
    const failing = actor.list()
    broken = true
    await expect(Promise.all([failing, waiting])).rejects.toBeInstanceOf(GrabberError)
    broken = false
    await expect.poll(() => actor.list().catch(() => undefined), { timeout: 12_000 }).toEqual([])
    expect(supervisor.inspect().restarts).toBeGreaterThan(0)
    await supervisor.stop()
  })

  it('refuses before it has started', async () => {
    const actor = new GalleryActor({
      gallery: {} as FaceGallery,
      clock: systemClock,
      logger: new RecordingLogger(),
      askDeadlineMs: 10,
      onSearch: () => undefined,
    })
    await expect(actor.list()).rejects.toMatchObject({ code: 'ACT_STOPPED' })
  })
})
