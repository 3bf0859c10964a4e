import { describe, expect, it } from 'vitest'
import { JobQueue } from '../../../src/jobs/queue.ts'

/** Work that ends when it is told to. */
function bench(parallel: number, signal = new AbortController().signal) {
  const begun: string[] = []
  const open = new Map<string, PromiseWithResolvers<void>>()
  const queue = new JobQueue<string>({
    parallel,
    signal,
    work: (item) => {
      begun.push(item)
      open.set(item, Promise.withResolvers())
      return open.get(item)!.promise
    },
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return {
    queue,
    begun,
    async end(item: string) {
      open.get(item)!.resolve()
      await turn()
    },
    async fail(item: string, error: Error) {
      open.get(item)!.reject(error)
      await turn()
    },
  }
}

describe('a queue', () => {
  it('works on so many at a time, in order', async () => {
    const { queue, begun, end } = bench(2)
    for (const item of ['a', 'b', 'c', 'd']) queue.add(item)
    expect(begun).toEqual(['a', 'b'])
    await end('b')
    expect([begun, queue.waiting]).toEqual([['a', 'b', 'c'], ['d']])
    await end('a')
    await end('c')
    await end('d')
    await queue.idle()
  })

  it('is idle when it is empty, and takes more afterwards', async () => {
    const { queue, begun, end } = bench(1)
    await queue.idle()
    queue.add('a')
    let idle = false
    const waiting = queue.idle().then(() => {
      idle = true
    })
    await Promise.resolve()
    expect(idle).toBe(false)
    await end('a')
    await waiting
    queue.add('b')
    expect(begun).toEqual(['a', 'b'])
  })

  it('begins nothing more once it is aborted, and is idle when what was begun has ended', async () => {
    const controller = new AbortController()
    const { queue, begun, end } = bench(1, controller.signal)
    queue.add('a')
    queue.add('b')
    controller.abort()
    await end('a')
    await queue.idle()
    queue.add('c')
    expect([begun, queue.waiting]).toEqual([['a'], ['b', 'c']])
  })

  it('begins nothing more after a failure, which is told when all have ended', async () => {
    const { queue, begun, end, fail } = bench(2)
    for (const item of ['a', 'b', 'c']) queue.add(item)
    await fail('a', new Error('first'))
    await fail('b', new Error('second'))
    await expect(queue.idle()).rejects.toThrow('first')
    expect([begun, queue.waiting]).toEqual([['a', 'b'], ['c']])
    void end
  })
})
