import { expect, it } from 'vitest'
import { identify, lives } from '../../../src/store/process-identity.ts'

it('tells this process from another that has its pid', () => {
  const self = identify(process.pid)!
  expect(self).toEqual(identify(process.pid))
  expect(lives(self)).toBe(true)
  expect(lives({ ...self, startTime: '1@another-boot' })).toBe(false)
})

it('finds nothing at pids that cannot be', () => {
  for (const pid of [2 ** 22 + 1, Number.NaN]) expect(identify(pid)).toBeUndefined()
})
