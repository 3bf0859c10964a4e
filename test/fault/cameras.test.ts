/**
 * What can go wrong with cameras, one thing after the other, while one daemon watches four of them: each fault hits one, is noticed
 * and mended, and the others do not notice.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CloudEvent } from '../../core/event.ts'
import { descendants, isAlive } from '../e2e/support/processes.ts'
import { hasClips } from '../integration/support/clips.ts'
import { storedIds, until } from '../integration/support/nats.ts'
import { endure, expectUndisturbed, falls } from './support/camera-fault.ts'
import { CameraSite, cameraIds, isWell } from './support/camera-site.ts'
import { expectGrowing, networkFaults } from './support/network-faults.ts'
import { prepareClips, streamFaults } from './support/stream-faults.ts'

/** A neighbour's frame that is dropped because of the fault is dropped each time; one that the machine was too busy for is not. */
const AGAIN = { retry: 1 }

describe.skipIf(!hasClips)('four cameras', () => {
  let site: CameraSite
  beforeAll(async () => {
    prepareClips()
    site = await CameraSite.open()
  })
  afterAll(() => site?.[Symbol.asyncDispose]())

  describe('their servers and networks', () => {
    it.each(networkFaults)('$name', AGAIN, (fault) => endure(site, fault))

    it('a name that does not exist: SRC_DNS, again and again, at most so often; another address mends it', async () => {
      const { watch, cameras } = site
      const command = async (...args: string[]) => expect(await site.command('cameras', ...args)).toBe(0)
      const since = watch.mark()
      await command('add', 'fifth', '--source', 'rtsp://camera.invalid/stream')
      const failures = () => watch.states('fifth').filter(({ state }) => state === 'backing_off')
      await watch.until('it was tried four times', () => failures().length >= 4)
      expect(new Set(failures().map(({ reason }) => reason))).toEqual(new Set(['SRC_DNS']))
      expectGrowing(failures().map(({ nextRetryMs }) => nextRetryMs!))
      await command('update', 'fifth', '--source', cameras.yard.stream.url)
      await watch.until('it is live', () => watch.camera('fifth').state === 'live')
      await watch.moreFrames('fifth', 5)
      await command('remove', 'fifth')
      for (const id of cameraIds) expectUndisturbed(watch, id, since)
      expect(watch.problems).toEqual([])
    })
  })

  describe('their streams', () => {
    it.each(streamFaults)('$name', AGAIN, (fault) => endure(site, fault))
  })

  describe('processes that are killed (SIGKILL)', () => {
    async function killed(name: string): Promise<void> {
      const { daemon } = site
      const pid = daemon.pid(name)!
      process.kill(pid, 'SIGKILL')
      await until(`${name} is back`, () => ![undefined, pid].includes(daemon.pid(name)))
    }

    const allGoOn = () => Promise.all(cameraIds.map((id) => site.watch.moreFrames(id, 10)))

    it('a session host: its camera comes back, the others do not notice', async () => {
      const { watch, cameras, proxy } = site
      const since = watch.mark()
      const { incarnation } = watch.camera('yard')
      await killed('camera:yard')
      await falls({ ...cameras.yard, proxy, watch, since }, 'ACT_HOST_DIED')
      await watch.until('it is live again', () => isWell(watch, 'yard'))
      await watch.moreFrames('yard', 5)
      expect(watch.camera('yard').incarnation).toBe(incarnation + 1)
      expect(watch.metric('grabber_actor_restarts_total{actor="camera:yard"}')).toBe(1)
      for (const id of cameraIds) if (id !== 'yard') expectUndisturbed(watch, id, since)
      expect(watch.problems).toEqual([])
    })

    it('the engine: all are analysed by the next one, and drop at most their oldest frames meanwhile', async () => {
      const { watch } = site
      const since = watch.mark()
      await killed('engine:auto')
      await allGoOn()
      for (const id of cameraIds) {
        expect(watch.states(id, since)).toEqual([])
        expect(['detect.overflow']).toEqual(expect.arrayContaining(Object.keys(watch.drops(id, since))))
      }
      expect(watch.problems).toEqual([])
    })

    it('nats-server: no camera notices', async () => {
      const { watch } = site
      const since = watch.mark()
      await killed('nats-server')
      await allGoOn()
      // Boxes are not kept for a bus that is away: what they would show stands in the ledgers.
      for (const id of cameraIds) {
        const seen = { id, states: watch.states(id, since), drops: watch.drops(id, since) }
        expect(seen).toEqual({ id, states: [], drops: {} })
      }
      expect(watch.problems).toEqual([])
    })

    it('the daemon: the next one has no orphan beside it, has lost nothing, and watches on', async () => {
      const children = descendants(site.daemon.running.child.pid!)
      const told = site.watch.events.map(({ id }) => id)
      expect(site.watch.problems).toEqual([])
      await site.kill()
      await site.start()
      await until('no orphan is left', () => children.every((pid) => !isAlive(pid)))
      await allGoOn()
      const { daemon } = site
      const history = await daemon.get<CloudEvent[]>('/api/v1/events?limit=1000')
      expect(history.map(({ id }) => id)).toEqual(expect.arrayContaining(told))
      await until('every event is on the stream, once', async () => {
        const stored = await storedIds(daemon.info.natsUrl!)
        expect(new Set(stored).size).toBe(stored.length)
        return told.every((id) => stored.includes(id))
      })
    })
  })

  it('all end in order: nothing in flight, no lease, no process', () => site.stop())
})
