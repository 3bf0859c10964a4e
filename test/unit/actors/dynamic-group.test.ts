import { expect, test } from 'vitest'
import { DynamicGroup } from '../../../actors/dynamic-group.ts'
import type { SupervisionNode } from '../../../actors/kernel/supervision-node.ts'
import { Nursery } from '../kernel/nursery.ts'
import { settle } from '../virtual-clock.ts'

const context = { attempt: 0, path: 'root/cameras', signal: new AbortController().signal }

function groupIn({ clock, logger }: Nursery): DynamicGroup {
  return new DynamicGroup('cameras', 30_000, { clock, logger })
}

test('members start and stop all at once: one that hangs keeps nobody waiting', async () => {
  const nursery = new Nursery()
  const group = groupIn(nursery)
  void group.add(nursery.child('slow', { onStart: () => new Promise(() => {}), shutdownMs: 500 }))
  void group.add(nursery.child('stubborn', { stubborn: true, shutdownMs: 500 }))
  void group.add(nursery.child('good'))
  const starting = group.child.start(context)
  await settle()
  expect(nursery.log).toEqual(['+stubborn', '+good'])
  const removed = group.remove('slow')
  await nursery.clock.advance(500)
  await removed
  const running = await starting
  const stopped = running.stop()
  await settle()
  expect(nursery.log.slice(2)).toEqual(['-good', '-stubborn'])
  await nursery.clock.advance(500)
  await stopped
})

test('come and go while it runs and while it does not, and are there again when it is started anew', async () => {
  const nursery = new Nursery()
  const group = groupIn(nursery)
  await group.add(nursery.child('a'))
  await group.add(nursery.child('b'))
  await group.remove('b')
  const running = await group.child.start(context)
  await group.add(nursery.child('c'))
  await group.remove('a')
  await group.remove('nobody')
  expect(nursery.log).toEqual(['+a', '+c', '-a'])
  await running.stop()
  await group.add(nursery.child('d'))
  const again = await group.child.start(context)
  const { path, children } = again.inspect!() as SupervisionNode
  expect([path, children.map(({ id }) => id)]).toEqual(['root/cameras', ['c', 'd']])
  await again.stop()
})
