import { expect, test } from 'vitest'
import { Turnstile } from '../../../actors/kernel/turnstile.ts'
import { settle } from '../virtual-clock.ts'

const patient = new AbortController().signal

/** Work that a test ends as it likes. */
function work(turnstile: Turnstile, log: string[], name: string, signal = patient) {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const passed = turnstile.pass(signal, () => {
    log.push(name)
    return promise
  })
  passed.catch(() => undefined)
  return { passed, resolve: () => resolve(name), reject }
}

test('lets so many through at a time, in the order in which they came, whether those before failed or not', async () => {
  const turnstile = new Turnstile(2)
  const log: string[] = []
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => work(turnstile, log, name))
  await settle()
  expect([log, turnstile.waiting]).toEqual([['a', 'b'], 2])
  b!.reject(new Error('late'))
  await settle()
  expect(log).toEqual(['a', 'b', 'c'])
  a!.resolve()
  await settle()
  expect(log).toEqual(['a', 'b', 'c', 'd'])
  c!.resolve()
  d!.resolve()
  expect(await Promise.all([a!.passed, c!.passed, d!.passed])).toEqual(['a', 'c', 'd'])
  await expect(b!.passed).rejects.toThrow('late')
})

test('one that is given up leaves the queue and takes no place; one that comes given up does not enter', async () => {
  const turnstile = new Turnstile(1)
  const log: string[] = []
  const giveUp = new AbortController()
  const a = work(turnstile, log, 'a')
  const b = work(turnstile, log, 'b', giveUp.signal)
  const c = work(turnstile, log, 'c')
  giveUp.abort()
  await expect(b.passed).rejects.toMatchObject({ code: 'ACT_STOPPED' })
  await expect(work(turnstile, log, 'd', giveUp.signal).passed).rejects.toMatchObject({ code: 'ACT_STOPPED' })
  a.resolve()
  await settle()
  expect(log).toEqual(['a', 'c'])
  c.resolve()
  await c.passed
  work(turnstile, log, 'e')
  await settle()
  expect(log).toEqual(['a', 'c', 'e'])
})

test('one without a place makes no sense', () => {
  expect(() => new Turnstile(0)).toThrow(/0 places/)
})
