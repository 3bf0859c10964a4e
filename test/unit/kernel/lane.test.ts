import { expect, test } from 'vitest'
import { Lane } from '../../../actors/kernel/lane.ts'

test('operations run one at a time in the order queued, past one that failed', async () => {
  const lane = new Lane()
  const log: string[] = []
  const gate = Promise.withResolvers<void>()
  const first = lane.run(async () => {
    await gate.promise
    log.push('first')
    throw new Error('first failed')
  })
  const second = lane.run(() => log.push('second'))
  await expect(Promise.race([second, Promise.resolve('waiting')])).resolves.toBe('waiting')
  gate.resolve()
  await expect(first).rejects.toThrow('first failed')
  await expect(second).resolves.toBe(2)
  expect(log).toEqual(['first', 'second'])
})
