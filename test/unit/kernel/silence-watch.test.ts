import { expect, test } from 'vitest'
import { SilenceWatch } from '../../../actors/kernel/silence-watch.ts'
import { VirtualClock } from '../virtual-clock.ts'

function watch() {
  const clock = new VirtualClock()
  const verdicts: number[] = []
  const silence = new SilenceWatch(clock, 1000, () => verdicts.push(clock.monotonicMs()))
  return { clock, verdicts, silence }
}

test('silence ends in one verdict, after the limit and a grace', async () => {
  const { clock, verdicts } = watch()
  await clock.advance(1000)
  expect(verdicts).toEqual([])
  await clock.advance(5000)
  expect(verdicts).toEqual([1050])
})

test('the limit counts from the last word', async () => {
  const { clock, verdicts, silence } = watch()
  await clock.advance(900)
  silence.heard()
  await clock.advance(1000)
  expect(verdicts).toEqual([])
  await clock.advance(50)
  expect(verdicts).toEqual([1950])
})

test('a word that was waiting unread when the timer fell due counts', async () => {
  const { clock, verdicts, silence } = watch()
  await clock.advance(1010)
  silence.heard()
  await clock.advance(1040)
  expect(verdicts).toEqual([])
  silence.cancel()
  await clock.advance(10_000)
  expect(verdicts).toEqual([])
  expect(clock.pendingTimers).toBe(0)
})
