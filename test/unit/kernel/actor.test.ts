import { describe, expect, test } from 'vitest'
import { type Behaviour, type Self, spawnActor } from '../../../actors/kernel/actor.ts'
import type { Reply } from '../../../actors/kernel/asks.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { settle, VirtualClock } from '../virtual-clock.ts'

type Message = { type: 'do'; work: () => void | Promise<void> } | { type: 'ask'; reply: Reply<number> }

function actor(overrides: { mailboxLimit?: number; make?: (self: Self<Message>) => Behaviour<Message> } = {}) {
  const clock = new VirtualClock()
  const logger = new RecordingLogger()
  const held: Reply<number>[] = []
  const receive = (message: Message) => {
    if (message.type === 'do') return message.work()
    held.push(message.reply)
  }
  const ref = spawnActor<Message>(
    { name: 'subject', mailboxLimit: overrides.mailboxLimit ?? 100, clock, logger },
    overrides.make ?? (() => ({ receive })),
  )
  const ask = (deadlineMs = 1000) => ref.ask<number>((reply) => ({ type: 'ask', reply }), deadlineMs)
  const work = (run: () => void | Promise<void>) => ref.tell({ type: 'do', work: run })
  return { ref, clock, logger, held, ask, work }
}

describe('messages', () => {
  test('are handled one at a time, in order', async () => {
    const { work } = actor()
    const log: string[] = []
    const gate = Promise.withResolvers<void>()
    work(async () => {
      log.push('first begins')
      await gate.promise
      log.push('first ends')
    })
    work(() => void log.push('second'))
    await settle()
    expect(log).toEqual(['first begins'])
    gate.resolve()
    await settle()
    expect(log).toEqual(['first begins', 'first ends', 'second'])
  })

  test('beyond the limit they are refused, counted, and logged once', async () => {
    const { ref, work, ask, logger } = actor({ mailboxLimit: 2 })
    const done: number[] = []
    const accepted = [1, 2, 3, 4].map((n) => work(() => void done.push(n)))
    expect(accepted).toEqual([true, true, false, false])
    const refused = ask()
    expect(ref.inspect()).toMatchObject({ mailbox: 2, refused: 3 })
    await expect(refused).rejects.toMatchObject({ code: 'ACT_OVERFLOW' })
    await settle()
    expect(done).toEqual([1, 2])
    expect(work(() => void done.push(5))).toBe(true)
    await settle()
    expect(done).toEqual([1, 2, 5])
    expect(logger.lines.filter((line) => line.level === 'warn')).toHaveLength(1)
  })

  test('to itself come later, and not after its end', async () => {
    const seen: number[] = []
    const make = (self: Self<Message>) => {
      for (const ms of [10, 20, 30]) self.after(ms, { type: 'do', work: () => void seen.push(ms) })
      self.after(15, { type: 'do', work: () => void seen.push(15) }).cancel()
      return { receive: (message: Message) => (message.type === 'do' ? message.work() : undefined) }
    }
    const { ref, clock } = actor({ make })
    await clock.advance(20)
    await ref.stop()
    expect(clock.pendingTimers).toBe(0)
    await clock.advance(100)
    expect(seen).toEqual([10, 20])
  })
})

describe('the end', () => {
  test('a throw is a crash exit with its error; what waited is not handled', async () => {
    const { ref, work } = actor()
    let handled = false
    const failure = new RangeError('defect')
    work(() => {
      throw failure
    })
    work(() => {
      handled = true
    })
    expect(await ref.exited).toMatchObject({ kind: 'crash', error: { code: 'ACT_DEFECT', cause: failure } })
    expect(handled).toBe(false)
    expect(work(() => {})).toBe(false)
  })

  test('stop finishes the present message and discards the rest', async () => {
    const { ref, work } = actor()
    const log: string[] = []
    const gate = Promise.withResolvers<void>()
    work(async () => {
      await gate.promise
      log.push('present')
    })
    work(() => void log.push('waiting'))
    await settle()
    const stopped = ref.stop()
    gate.resolve()
    await stopped
    expect(log).toEqual(['present'])
    expect(await ref.exited).toEqual({ kind: 'shutdown' })
    await ref.stop()
  })

  test('its behaviour closes once, and may end the actor itself', async () => {
    const closed: string[] = []
    const make = (self: Self<Message>): Behaviour<Message> => ({
      receive: () => self.finish(),
      close: (exit) => void closed.push(exit.kind),
    })
    const { ref, work } = actor({ make })
    work(() => {})
    expect(await ref.exited).toEqual({ kind: 'normal' })
    await ref.stop()
    expect(closed).toEqual(['normal'])
  })

  test('a close that throws turns an orderly end into a crash', async () => {
    const make = (): Behaviour<Message> => ({
      receive: () => {},
      close: () => {
        throw new Error('cannot close')
      },
    })
    const { ref } = actor({ make })
    await ref.stop()
    expect(await ref.exited).toMatchObject({ kind: 'crash', error: { message: 'cannot close' } })
  })

  test('a throw while it is made reaches whoever spawned it', () => {
    const make = () => {
      throw new Error('no port')
    }
    expect(() => actor({ make })).toThrow('no port')
  })
})

describe('ask', () => {
  test('resolves with the first answer, rejects with what the reply was failed with', async () => {
    const { ask, held, clock } = actor()
    const answers = [ask(), ask()]
    await settle()
    held[0]!(7)
    held[0]!(8)
    held[1]!.fail(new Error('cannot'))
    await expect(answers[0]).resolves.toBe(7)
    await expect(answers[1]).rejects.toMatchObject({ code: 'ACT_DEFECT', message: 'cannot' })
    expect(clock.pendingTimers).toBe(0)
  })

  test('rejects at its deadline; an answer after that is ignored', async () => {
    const { ref, ask, held, clock } = actor()
    const answer = ask(500)
    answer.catch(() => 'handled below')
    await clock.advance(499)
    expect(ref.inspect().asks).toBe(1)
    await clock.advance(1)
    await expect(answer).rejects.toMatchObject({ code: 'ACT_DEADLINE' })
    held[0]!(1)
    expect(ref.inspect().asks).toBe(0)
  })

  test.each(['held by the actor', 'still in the mailbox'])('is rejected when the actor dies: %s', async (where) => {
    const { ask, work } = actor()
    const answers = where === 'held by the actor' ? [ask()] : []
    work(() => {
      throw new Error('death')
    })
    if (where !== 'held by the actor') answers.push(ask())
    await expect(answers[0]).rejects.toMatchObject({
      code: 'ACT_STOPPED',
      message: expect.stringMatching('ACT_DEFECT'),
    })
  })

  test('the dead reject at once', async () => {
    const { ref, ask } = actor()
    await ref.stop()
    await expect(ask()).rejects.toMatchObject({ code: 'ACT_STOPPED' })
  })
})
