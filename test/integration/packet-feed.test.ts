/** Packets that wait for a decoder: bounded, lost in whole groups, handed on at their own pace. On a real demuxer. */
import { beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { Demuxer } from '../../streams/media/demuxer.ts'
import { silenceNativeLog } from '../../streams/media/native-log.ts'
import { type FedPacket, PacketFeed } from '../../streams/media/packet-feed.ts'
import { settle, VirtualClock } from '../unit/virtual-clock.ts'
import { cameraClip } from './support/camera-clips.ts'
import { hasClips } from './support/clips.ts'
import { until } from './support/engine.ts'

const FPS = 25
const PICTURES = 800
const GROUP = 25

beforeAll(silenceNativeLog)

function clip(gop = GROUP): string {
  return cameraClip('quiet', { fps: FPS, seconds: PICTURES / FPS, gop, width: 160 })
}

async function open(options: { paced?: boolean; clock?: VirtualClock; gop?: number } = {}) {
  const demuxer = await Demuxer.open(clip(options.gop), { openTimeoutMs: 5000 })
  const stop = new AbortController()
  const { paced = false, clock = systemClock } = options
  const feed = new PacketFeed(demuxer, { clock, paced, bursts: false, signal: stop.signal })
  return {
    feed,
    async close() {
      stop.abort()
      await feed[Symbol.asyncDispose]()
      await demuxer[Symbol.asyncDispose]()
    },
  }
}

/** Everything up to the end of the stream; packets are freed. */
async function drain(feed: PacketFeed) {
  const taken: { key: boolean; dtsMs: number | null }[] = []
  let lost = 0
  let error: unknown
  const take = ({ packet, dtsMs }: FedPacket) => {
    taken.push({ key: packet.isKeyframe, dtsMs })
    packet.free()
  }
  try {
    for (let fed = await feed.next(); fed; fed = await feed.next()) {
      if ('lost' in fed) lost += fed.lost
      else take(fed)
    }
  } catch (ended) {
    error = ended
  }
  return { taken, lost, error }
}

describe.skipIf(!hasClips)('a feed of packets', () => {
  it('hands on what comes, in order, and then says that the stream ended', async () => {
    const { feed, close } = await open()
    const { taken, lost, error } = await drain(feed)
    expect(taken.length + lost).toBe(PICTURES)
    expect(taken.map(({ dtsMs }) => dtsMs)).toEqual(taken.map(({ dtsMs }) => dtsMs).sort((a, b) => a! - b!))
    expect(error).toMatchObject({ code: 'SRC_LOST' })
    await close()
  })

  it('nobody takes them: no more than 600 wait, and what is lost ends before an I-frame', async () => {
    const { feed, close } = await open()
    await until('all is read', () => feed.received === PICTURES)
    await settle()
    expect(feed.length).toBeLessThanOrEqual(600)
    const { taken, lost } = await drain(feed)
    expect(lost).toBeGreaterThan(0)
    expect(taken.length + lost).toBe(PICTURES)
    expect(taken[0]).toMatchObject({ key: true })
    await close()
  })

  it('no I-frame ever comes again: whoever waits hears of each packet that is lost', async () => {
    const { feed, close } = await open({ gop: PICTURES })
    await until('all is read', () => feed.received === PICTURES)
    await settle()
    const { taken, lost, error } = await drain(feed)
    expect([taken.length, lost]).toEqual([0, PICTURES])
    expect(error).toMatchObject({ code: 'SRC_LOST' })
    await close()
  })

  it('and hears of it while it waits', async () => {
    const clock = new VirtualClock()
    const { feed, close } = await open({ gop: PICTURES, paced: true, clock })
    while (feed.length <= 599) {
      clock.advance(1000 / FPS)
      await settle()
    }
    const told: number[] = []
    while (feed.length > 0) {
      clock.advance(1000 / FPS)
      await settle()
    }
    for (let turn = 0; turn < 5; turn++) {
      const next = feed.next()
      clock.advance(1000 / FPS)
      const fed = await next
      if (fed && 'lost' in fed) told.push(fed.lost)
    }
    expect(told).toHaveLength(5)
    await close()
  })

  it('the newest wins when it is told so: what waits before the newest I-frame is forgotten', async () => {
    const { feed, close } = await open()
    await until('all is read', () => feed.received === PICTURES)
    await settle()
    const before = feed.length
    const forgotten = feed.skipToNewest()
    expect([feed.length, forgotten]).toEqual([GROUP, before - GROUP])
    expect(feed.skipToNewest()).toBe(0)
    await close()
  })

  it('a burst is handed on at the pace of its pictures', async () => {
    const clock = new VirtualClock()
    const { feed, close } = await open({ paced: true, clock })
    await until('the first picture', () => feed.length === 1)
    for (const seconds of [1, 2, 3]) {
      for (let tick = 0; tick < FPS; tick++) {
        clock.advance(1000 / FPS)
        const due = (seconds - 1) * FPS + tick + 2
        await until('the next picture', () => feed.length >= due)
        expect(feed.length).toBe(due)
      }
    }
    await close()
  })

  it('a stop ends the wait for a packet', async () => {
    const clock = new VirtualClock()
    const { feed, close } = await open({ paced: true, clock })
    const first = await feed.next()
    if (first && 'packet' in first) first.packet.free()
    const next = feed.next()
    await close()
    expect(await next).toBeUndefined()
  })
})
