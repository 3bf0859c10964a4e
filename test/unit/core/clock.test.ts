import { expect, test } from 'vitest'
import { delay, within } from '../../../core/clock.ts'
import { settle, VirtualClock } from '../virtual-clock.ts'

test('delay resolves in its time, and rejects with the reason when aborted, leaving no timer', async () => {
  const clock = new VirtualClock()
  let done = false
  void delay(clock, 100).then(() => {
    done = true
  })
  await clock.advance(99)
  expect(done).toBe(false)
  await clock.advance(1)
  expect(done).toBe(true)
  const abort = new AbortController()
  const aborted = delay(clock, 100, abort.signal)
  abort.abort('enough')
  await expect(aborted).rejects.toBe('enough')
  await expect(delay(clock, 100, abort.signal)).rejects.toBe('enough')
  expect(clock.pendingTimers).toBe(0)
})

test('within gives the outcome in time, otherwise undefined, and passes a rejection on', async () => {
  const clock = new VirtualClock()
  await expect(within(clock, 100, Promise.resolve(undefined))).resolves.toEqual({ value: undefined })
  await expect(within(clock, 100, Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(clock.pendingTimers).toBe(0)
  const late = within(clock, 100, new Promise(() => {}))
  await clock.advance(100)
  await expect(late).resolves.toBeUndefined()
})

test('the virtual clock fires timers in order, those set on the way included', async () => {
  const clock = new VirtualClock(1000)
  const log: string[] = []
  clock.after(20, () => log.push(`b@${clock.monotonicMs()}`))
  clock.after(10, () => {
    log.push(`a@${clock.nowMs()}`)
    clock.after(5, () => log.push(`c@${clock.monotonicMs()}`))
  })
  clock.after(20, () => log.push('d'))
  await clock.advance(20)
  await settle()
  expect(log).toEqual(['a@1010', 'c@15', 'b@20', 'd'])
})
