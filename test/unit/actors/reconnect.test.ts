import { describe, expect, test } from 'vitest'
import { Reconnect } from '../../../actors/reconnect.ts'
import { VirtualClock } from '../virtual-clock.ts'

const policy = { minMs: 100, maxMs: 1000, goodMs: 5000, crashes: 5, crashWindowMs: 60_000, probeMs: 7000 }

function connection() {
  const clock = new VirtualClock()
  let forgiven = 0
  const reconnect = new Reconnect({ policy, clock, onForgiven: () => forgiven++ })
  return { clock, reconnect, forgiven: () => forgiven }
}

describe('the pause after a failure', () => {
  test('doubles from minMs to maxMs, widened by a fifth at most', () => {
    const { reconnect } = connection()
    for (const step of [100, 200, 400, 800, 1000 / 1.2, 1000 / 1.2]) {
      const delayMs = reconnect.failed()
      expect(delayMs).toBeGreaterThanOrEqual(step)
      expect(delayMs).toBeLessThanOrEqual(step * 1.2 + 1e-9)
    }
    expect(reconnect.failures).toBe(6)
  })

  test('is probeMs in quarantine', () => {
    const { reconnect } = connection()
    reconnect.quarantined = true
    expect(reconnect.failed()).toBe(7000)
  })

  test('ends in one attempt, unless it is given up', async () => {
    const { clock, reconnect } = connection()
    const due: string[] = []
    reconnect.wait(100, () => due.push('first'))
    reconnect.wait(200, () => due.push('second'))
    await clock.advance(500)
    expect(due).toEqual(['second'])
    reconnect.wait(100, () => due.push('third'))
    reconnect.cancel()
    await clock.advance(500)
    expect(due).toEqual(['second'])
  })
})

describe('forgiveness', () => {
  test('takes good frames without a break', async () => {
    const { clock, reconnect, forgiven } = connection()
    reconnect.failed()
    for (const other of ['stalled', 'frozen', 'black', 'connecting'] as const) {
      reconnect.follow('live')
      await clock.advance(4999)
      reconnect.follow(other)
      await clock.advance(60_000)
    }
    expect([reconnect.failures, forgiven()]).toEqual([1, 0])
    reconnect.follow('live')
    await clock.advance(4999)
    reconnect.follow('live')
    await clock.advance(1)
    expect([reconnect.failures, forgiven()]).toEqual([0, 1])
  })

  test('ends quarantine, and is not for those who did nothing', async () => {
    const { clock, reconnect, forgiven } = connection()
    reconnect.follow('live')
    expect(clock.pendingTimers).toBe(0)
    reconnect.follow('connecting')
    reconnect.quarantined = true
    reconnect.follow('live')
    await clock.advance(5000)
    expect([reconnect.quarantined, forgiven()]).toEqual([false, 1])
  })
})
