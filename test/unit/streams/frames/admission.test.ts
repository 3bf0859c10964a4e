import { describe, expect, it } from 'vitest'
import { Admission } from '../../../../streams/frames/admission.ts'
import { settle } from '../../virtual-clock.ts'

/** Whether the promise is settled by now. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false
  void promise.then(() => {
    done = true
  })
  await settle()
  return done
}

describe('Admission', () => {
  it('lets its reader in while there is room, and again when one leaves', async () => {
    const admission = new Admission(2)
    for (let n = 0; n < 2; n++) {
      expect(await settled(admission.room())).toBe(true)
      admission.enter()
    }
    const third = admission.room()
    expect(await settled(third)).toBe(false)
    admission.leave()
    expect(await settled(third)).toBe(true)
  })

  it('lets the reader go when it is told to stop, before and while it waits', async () => {
    const admission = new Admission(0)
    const stop = new AbortController()
    const waiting = admission.room(stop.signal)
    expect(await settled(waiting)).toBe(false)
    stop.abort()
    expect(await settled(waiting)).toBe(true)
    expect(await settled(admission.room(stop.signal))).toBe(true)
    expect(admission.held).toBe(0)
  })

  it('never lets more than its limit in, however many wait', async () => {
    const admission = new Admission(2)
    const waiting = Array.from({ length: 5 }, () => admission.acquire())
    let entered = 0
    for (const place of waiting) void place.then(() => entered++)
    await settle()
    expect([entered, admission.held]).toEqual([2, 2])
    for (const expected of [3, 4, 5]) {
      admission.leave()
      await settle()
      expect([entered, admission.held]).toEqual([expected, 2])
    }
  })
})
