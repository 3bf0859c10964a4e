import { describe, expect, it } from 'vitest'
import { PatientCall } from '../../../../streams/media/patient-call.ts'
import { VirtualClock } from '../../virtual-clock.ts'

function setUp() {
  const clock = new VirtualClock()
  const native = Promise.withResolvers<number>()
  let interrupts = 0
  let obeys = true
  const call = new PatientCall(clock, () => {
    interrupts++
    if (obeys) native.resolve(-1)
  })
  return {
    clock,
    native,
    call,
    interrupts: () => interrupts,
    disobey: () => {
      obeys = false
    },
  }
}

function delayed(clock: VirtualClock, ms: number): Promise<number> {
  return new Promise((resolve) => clock.after(ms, () => resolve(0)))
}

describe('PatientCall', () => {
  it('answers what the call answers, and leaves no timer when it is disposed of', async () => {
    const { clock, call, native, interrupts } = setUp()
    const answer = call.run(1000, () => native.promise)
    native.resolve(7)
    expect(await answer).toBe(7)
    call[Symbol.dispose]()
    expect([clock.pendingTimers, interrupts(), call.late, call.stuck]).toEqual([0, 0, false, false])
  })

  it('passes a rejection on', async () => {
    const { call, clock } = setUp()
    await expect(call.run(1000, () => Promise.reject(new Error('native')))).rejects.toThrow('native')
    await clock.advance(1000)
    expect([clock.pendingTimers, call.late]).toEqual([0, false])
  })

  it('interrupts at the limit; the call then says itself how it ended', async () => {
    const { clock, call, native } = setUp()
    const answer = call.run(1000, () => native.promise)
    await clock.advance(999)
    expect(call.late).toBe(false)
    await clock.advance(1)
    expect(await answer).toBe(-1)
    expect([call.late, call.stuck, clock.pendingTimers]).toEqual([true, false, 0])
  })

  it('gives up a call that does not hear the interruption', async () => {
    const { clock, call, native, disobey, interrupts } = setUp()
    disobey()
    const answer = call.run(1000, () => native.promise)
    await clock.advance(1500)
    expect(await answer).toBeUndefined()
    expect([interrupts(), call.late, call.stuck, clock.pendingTimers]).toEqual([1, true, true, 0])
  })

  it('an interruption from outside is not lateness, and is bounded too', async () => {
    const { clock, call, native, disobey } = setUp()
    disobey()
    const answer = call.run(60_000, () => native.promise)
    call.interrupt()
    await clock.advance(500)
    expect(await answer).toBeUndefined()
    expect([call.late, call.stuck, clock.pendingTimers]).toEqual([false, true, 0])
  })

  it('one timer serves many calls, each of which has its own limit', async () => {
    const { clock, call, interrupts } = setUp()
    for (let n = 0; n < 10; n++) {
      const answer = call.run(1000, () => delayed(clock, 150))
      await clock.advance(150)
      await answer
      expect(clock.pendingTimers).toBe(1)
    }
    expect(interrupts()).toBe(0)
    const { promise } = Promise.withResolvers<number>()
    void call.run(1000, () => promise)
    await clock.advance(999)
    expect(interrupts()).toBe(0)
    await clock.advance(1)
    expect([interrupts(), call.late]).toEqual([1, true])
  })

  it('a limit shorter than the one before it holds', async () => {
    const { clock, call, native, interrupts } = setUp()
    await call.run(10_000, async () => 1)
    const answer = call.run(1000, () => native.promise)
    await clock.advance(1000)
    expect([await answer, interrupts(), call.late]).toEqual([-1, 1, true])
  })

  it('an interruption between calls sets no timer', () => {
    const { clock, call, interrupts } = setUp()
    call.interrupt()
    expect([interrupts(), clock.pendingTimers]).toEqual([1, 0])
  })
})
