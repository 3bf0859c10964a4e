/** The decoder by itself, on real recordings: draining, flushing, and hardware that works or does not. */
import type { Packet } from 'node-av'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { Decoder } from '../../streams/media/decoder.ts'
import { Demuxer } from '../../streams/media/demuxer.ts'
import type { HardwareOptions, RefusedDevice } from '../../streams/media/hardware-decoder.ts'
import { type HardwareDevice, hardwareDevices } from '../../streams/media/hardware-devices.ts'
import { silenceNativeLog } from '../../streams/media/native-log.ts'
import { VirtualClock } from '../unit/virtual-clock.ts'
import { asl, ClipFolder, hasClips } from './support/clips.ts'
import { TestDevice } from './support/test-device.ts'

const clips = new ClipFolder()
let clip: string
beforeAll(() => {
  silenceNativeLog()
  if (!hasClips) return
  clip = clips.made('gop.mp4', '-i', asl('book'), '-t', '1.4', '-c:v', 'libx264', '-bf', '2', '-g', '10', '-an')
})
afterAll(() => clips[Symbol.dispose]())

/** PTS and a sum over some of the luma of each picture, and what was damaged. */
interface Seen {
  pictures: string[]
  damage: string[]
}

async function decode(decoder: Decoder, packet: Packet | null, seen: Seen): Promise<void> {
  for await (const item of decoder.decode(packet)) {
    if ('damage' in item) {
      seen.damage.push(item.damage)
      continue
    }
    const luma = item.frame.data![0]!
    let sum = 0
    for (let at = 0; at < luma.length; at += 997) sum += luma[at]!
    seen.pictures.push(`${item.ptsMs} ${sum}`)
    item.frame.free()
  }
}

interface Played extends Seen {
  device: string | null
  refused: readonly RefusedDevice[]
  fallbacks: RefusedDevice[]
  /** What the decoder threw. */
  error: unknown
}

/** The whole clip through one decoder; `each` may change a packet. */
async function play(
  hardware: Partial<HardwareOptions>,
  clock = systemClock,
  each?: (packet: Packet, n: number) => void,
) {
  await using demuxer = await Demuxer.open(clip, { openTimeoutMs: 10_000 })
  const fallbacks: RefusedDevice[] = []
  const played: Played = { pictures: [], damage: [], device: null, refused: [], fallbacks, error: undefined }
  const onFallback = (failed: RefusedDevice) => fallbacks.push(failed)
  try {
    const options = { threads: 1, callTimeoutMs: 10_000, clock }
    using decoder = await Decoder.open(demuxer.stream, {
      ...options,
      hardware: { policy: 'prefer', onFallback, ...hardware },
    })
    for (let n = 0; ; n++) {
      const { packet } = await demuxer.read()
      if (packet) each?.(packet, n)
      await decode(decoder, packet, played)
      if (!packet) break
    }
    played.device = decoder.device
    played.refused = [...decoder.refused]
  } catch (error) {
    played.error = error
  }
  return played
}

describe.skipIf(!hasClips)('Decoder', () => {
  it('takes an I-frame again after a drain and a flush, and gives the picture at once each time', async () => {
    await using demuxer = await Demuxer.open(clip, { openTimeoutMs: 10_000 })
    using decoder = await Decoder.open(demuxer.stream, { threads: 1, callTimeoutMs: 10_000, clock: systemClock })
    const seen: Seen = { pictures: [], damage: [] }
    let keys = 0
    for (let more = true; more; ) {
      const { packet } = await demuxer.read()
      more = packet !== null
      if (!packet?.isKeyframe) continue
      await decode(decoder, packet, seen)
      await decode(decoder, null, seen)
      decoder.flush()
      expect(seen.pictures).toHaveLength(++keys)
    }
    expect(keys).toBeGreaterThan(3)
    expect(decoder.device).toBe('software')
  })
})

describe.skipIf(!hasClips)('Decoder with hardware', () => {
  /** What software gives. */
  let whole: string[]
  beforeAll(async () => {
    whole = (await play({ policy: 'off' })).pictures
    expect(whole.length).toBeGreaterThan(40)
  })

  it('tries nothing where no device is seen: prefer plays, require says so', async () => {
    const devices = hardwareDevices({ platform: 'linux', deviceNodes: ['null', 'tty'] })
    const refused = ['cuda', 'vaapi', 'qsv'].map((device) => ({ device, reason: 'no device node' }))
    expect(await play({ devices })).toMatchObject({ device: 'software', refused, pictures: whole })
    const { error } = await play({ policy: 'require', devices })
    const reasons = 'cuda: no device node; vaapi: no device node; qsv: no device node'
    expect(error).toMatchObject({ code: 'DEC_HARDWARE', message: reasons })
  })

  it('really asks the drivers where a node is seen, and gives their reasons', async () => {
    // Only where the machine has none of them: elsewhere they may work.
    if (hardwareDevices().some(({ unseen }) => unseen() === undefined)) return
    const devices = hardwareDevices({ platform: 'linux', deviceNodes: ['nvidia0', 'renderD128'] })
    const played = await play({ devices })
    expect(played).toMatchObject({ device: 'software', pictures: whole, fallbacks: [] })
    expect(played.refused.map(({ device }) => device)).toEqual(['cuda', 'vaapi', 'qsv'])
    for (const { reason } of played.refused)
      expect(reason).toMatch(/^the device cannot be opened: .+|^it has no decoder/)
    expect((await play({ policy: 'require', devices })).error).toMatchObject({ code: 'DEC_HARDWARE' })
  })

  it('takes the first device that gives a picture of this stream, and says why not the others', async () => {
    const devices: HardwareDevice[] = [
      { name: 'absent', unseen: () => 'no device node', open: () => Promise.reject(new Error('never tried')) },
      new TestDevice('closed', { at: 'open', how: 'refuse' }),
      new TestDevice('listed', { at: 'first', how: 'refuse' }),
      new TestDevice('blind', { at: 'first', how: 'blind' }),
      new TestDevice('good'),
      new TestDevice('later'),
    ]
    const played = await play({ policy: 'require', devices })
    expect(played).toMatchObject({ error: undefined, device: 'good', pictures: whole, damage: [], fallbacks: [] })
    expect(played.refused).toEqual([
      { device: 'absent', reason: 'no device node' },
      { device: 'closed', reason: 'the driver is not there' },
      { device: 'listed', reason: expect.stringContaining('the first picture is refused: ') },
      { device: 'blind', reason: expect.stringContaining('the first picture is refused: ') },
    ])
    const tried = devices.filter((device) => device instanceof TestDevice)
    expect(tried.map(({ packets }) => packets > 0)).toEqual([false, true, true, true, false])
    // What was opened was closed, the decoder's own included.
    expect(tried.map(({ closed }) => closed)).toEqual([0, 1, 1, 1, 0])
  })

  // In the middle of a group, at its I-frame, and with pictures of the group before still to come (B-frames).
  it.each([2, 22, 23, 25])('goes on in software when the device fails at packet %i, without a gap', async (at) => {
    const device = new TestDevice('failing', { at, how: 'refuse' })
    const played = await play({ devices: [device] })
    expect(played).toMatchObject({ device: 'software', error: undefined, pictures: whole, damage: [] })
    const failed = { device: 'failing', reason: expect.any(String) }
    expect([played.fallbacks, played.refused]).toEqual([[failed], [failed]])
    expect(device.closed).toBe(1)
  })

  it('ends when the device fails and hardware is required', async () => {
    const devices = [new TestDevice('failing', { at: 15, how: 'refuse' })]
    const { error, pictures } = await play({ policy: 'require', devices })
    expect(error).toMatchObject({ code: 'DEC_HARDWARE', message: expect.stringContaining('failing: ') })
    expect(pictures).toEqual(whole.slice(0, pictures.length))
  })

  it('leaves a device that calls the stream bad twice at an I-frame, where software reads it', async () => {
    const played = await play({ devices: [new TestDevice('confused', { at: 15, how: 'blind' })] })
    expect(played.device).toBe('software')
    expect(played.pictures.at(-1)).toBe(whole.at(-1))
    expect(played.damage.length).toBeGreaterThan(0)
  })

  it('keeps a device in a stream that is bad', async () => {
    const spoil = (packet: Packet, n: number) => {
      if (n > 12 && n < 19) packet.data = Buffer.alloc(packet.size, 0xff)
    }
    const played = await play({ devices: [new TestDevice('good')] }, systemClock, spoil)
    expect(played).toMatchObject({ device: 'good', fallbacks: [] })
    expect(played.pictures.at(-1)).toBe(whole.at(-1))
  })

  describe('that hangs', () => {
    /** Time passes only once a call hangs, and only until it is given up: no real decoding is too slow. */
    const hanging = (name: string, at: 'open' | 'first' | number, limitMs: number) => {
      const clock = new VirtualClock()
      return { clock, device: new TestDevice(name, { at, how: 'hang' }, () => void clock.advance(limitMs + 500)) }
    }

    it.each(['open', 'first'] as const)('at %s: the next one is taken, and it is not tried again', async (at) => {
      const { clock, device } = hanging(`hangs ${at}`, at, 700)
      const played = await play({ devices: [device, new TestDevice('good')], probeTimeoutMs: 700 }, clock)
      expect(played).toMatchObject({ device: 'good', pictures: whole })
      expect(played.refused).toEqual([{ device: `hangs ${at}`, reason: expect.stringContaining('in 700 ms') }])
      const again = await play({ devices: [device] })
      expect(again.refused).toEqual([{ device: `hangs ${at}`, reason: 'it hung before in this process' }])
      expect(again).toMatchObject({ device: 'software', pictures: whole })
    })

    it('in the middle: software goes on without a gap', async () => {
      const { clock, device } = hanging('hangs later', 25, 10_000)
      const played = await play({ devices: [device] }, clock)
      expect(played).toMatchObject({ device: 'software', pictures: whole, damage: [], error: undefined })
      const reason = 'decoder h264 did not return in 10000 ms'
      expect(played.fallbacks).toEqual([{ device: 'hangs later', reason }])
      expect(device.closed).toBe(0)
    })
  })

  it('fails over between two I-frames that are decoded alone', async () => {
    await using demuxer = await Demuxer.open(clip, { openTimeoutMs: 10_000 })
    const options = { threads: 1, callTimeoutMs: 10_000, clock: systemClock }
    const device = new TestDevice('failing', { at: 4, how: 'refuse' })
    using decoder = await Decoder.open(demuxer.stream, {
      ...options,
      hardware: { policy: 'prefer', devices: [device] },
    })
    const seen: Seen = { pictures: [], damage: [] }
    let keys = 0
    for (let more = true; more; ) {
      const { packet } = await demuxer.read()
      more = packet !== null
      if (!packet?.isKeyframe) continue
      await decode(decoder, packet, seen)
      await decode(decoder, null, seen)
      decoder.flush()
      expect(seen.pictures).toHaveLength(++keys)
    }
    expect(decoder.device).toBe('software')
    expect(seen.damage).toEqual([])
  })

  it('gives nothing before the first I-frame, and decides there', async () => {
    const skip = 3
    const device = new TestDevice('good')
    await using demuxer = await Demuxer.open(clip, { openTimeoutMs: 10_000 })
    const options = { threads: 1, callTimeoutMs: 10_000, clock: systemClock }
    using decoder = await Decoder.open(demuxer.stream, {
      ...options,
      hardware: { policy: 'prefer', devices: [device] },
    })
    const seen: Seen = { pictures: [], damage: [] }
    for (let n = 0; n < 11; n++) {
      const { packet } = await demuxer.read()
      if (n < skip) continue
      await decode(decoder, packet, seen)
      if (n < 10) expect([decoder.device, seen.pictures.length, device.packets]).toEqual([null, 0, 0])
    }
    expect(decoder.device).toBe('good')
  })
})
