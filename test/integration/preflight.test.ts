/** A look at recordings through a real session host: what it says of good ones, of damaged ones, and of a host that is lost. */
import { execFileSync } from 'node:child_process'
import { truncateSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HostSettings } from '../../actors/host-settings.ts'
import { type SpawnHost, spawnHost } from '../../actors/kernel/child-process.ts'
import { probeRecording } from '../../actors/probe-job.ts'
import { systemClock } from '../../core/clock.ts'
import { ClipFolder, turned } from './support/clips.ts'
import { patchClip } from './support/hdr-clips.ts'
import { silentLogger } from './support/nats.ts'

const entry = (path: string) => new URL(path, import.meta.url)
const host: HostSettings = {
  sessionEntry: entry('../../streams/session-host.ts'),
  engineEntry: entry('../../models/engine-host.ts'),
  helloMs: 60_000,
  silenceMs: 60_000,
  stopMs: 1000,
  killMs: 1000,
  clock: systemClock,
  logger: silentLogger,
}
const fixture = { ...host, silenceMs: 1500, sessionEntry: entry('../fixtures/hosts/session.ts') }
const signal = new AbortController().signal
const probe = (path: string, openTimeoutMs = 30_000) => probeRecording({ path, host, signal, openTimeoutMs })

const clips = new ClipFolder()
const SOURCE = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=4']
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '2', '-pix_fmt', 'yuv420p']
let plain: string
beforeAll(() => {
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=4:sample_rate=48000']
  plain = clips.made('plain.mp4', ...SOURCE, ...sound, ...H264, '-c:a', 'aac', '-ac', '2', '-movflags', '+faststart')
})
afterAll(() => clips[Symbol.dispose]())

/** As ffprobe sees the n-th packet of a video. */
function packetAt(path: string, n: number): { byte: number; ptsMs: number } {
  const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts_time,pos', '-of', 'json', path]
  const { packets } = JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' }))
  return { byte: Number(packets[n].pos), ptsMs: Math.round(1000 * Number(packets[n].pts_time)) }
}

describe('probeRecording', () => {
  it('says what a recording is: streams, colours, packets, orientation, sound', async () => {
    const report = await probe(clips.edited('turned.mp4', plain, (bytes) => turned(bytes, 90)))
    expect(report.stream).toMatchObject({
      codec: 'h264',
      width: 180,
      height: 320,
      rotation: 90,
      fps: 25,
      durationMs: 4000,
    })
    expect(report).toMatchObject({ packets: 100, iframes: 4, variableFrameRate: false })
    expect(report.audio).toEqual({ codec: 'aac', channels: 2, sampleRate: 48_000 })
    expect(report.colour).toMatchObject({ bitDepth: 8, hdr: null })
    expect(report.damage).toEqual({ count: 0, positions: [], at: [] })
  })

  it('a variable rate, and HDR with its tags', async () => {
    const changing = ['-vf', "select='if(lt(mod(n,10),4),1,not(mod(n,3)))'", '-vsync', 'vfr']
    const [variable, hdr] = await Promise.all([
      probe(clips.made('variable.mkv', ...SOURCE, ...changing, ...H264)),
      probe(
        patchClip(clips, 'pq', [[300, 500, 520]], {
          primaries: 'bt2020',
          transfer: 'smpte2084',
          matrix: 'bt2020nc',
        }),
      ),
    ])
    expect(variable.variableFrameRate).toBe(true)
    expect(hdr.colour).toEqual({
      primaries: 'bt2020',
      transfer: 'smpte2084',
      matrix: 'bt2020nc',
      range: 'tv',
      bitDepth: 10,
      hdr: 'pq',
    })
  })

  it('says where a file is cut off, and where a packet is broken', async () => {
    const short = clips.edited('short.mp4', plain, (bytes) => bytes)
    truncateSync(short, 150_000)
    const { byte, ptsMs } = packetAt(plain, 30)
    const broken = clips.edited('broken.mp4', plain, (bytes) => Buffer.from(bytes).fill(0xff, byte, byte + 4))
    const [cut, flipped] = await Promise.all([probe(short), probe(broken)])
    const last = cut.damage.at.at(-1)!
    expect(last.what).toMatch(/^the pictures end at \d\.\d s of 4\.0 s$/)
    expect(last.byte).toBeGreaterThan(100_000)
    expect(last.byte).toBeLessThanOrEqual(150_000)
    expect(cut.packets).toBeLessThan(100)
    expect(flipped.packets).toBe(100)
    expect(flipped.damage.at).toEqual([{ ptsMs, byte, what: 'a unit is longer than its packet' }])
  })

  it.each(['ts', 'mkv', 'avi', 'mp4'])(
    'says that a %s is cut off, also less than a second before its end',
    async (kind) => {
      const whole = clips.made(`whole.${kind}`, '-i', plain, '-c', 'copy', '-movflags', '+faststart')
      // No whole number of transport packets.
      const cut = clips.edited(`ends.${kind}`, whole, (bytes) => {
        return bytes.subarray(0, Math.floor((0.95 * bytes.length) / 188) * 188 + 100)
      })
      const [good, bad] = await Promise.all([probe(whole), probe(cut)])
      expect(good.damage.count).toBe(0)
      const { ptsMs, byte, what } = bad.damage.at.at(-1)!
      expect(what).toMatch(
        kind === 'ts' ? /within a packet, after 100 of 188 bytes$/ : /\d+ bytes before its container does$/,
      )
      expect([byte, ptsMs > 3600, ptsMs < 4000]).toEqual([bad.sizeBytes, true, true])
    },
  )

  it('what is no video, or has no picture in it, is a code of the input', async () => {
    const text = clips.edited('text.mp4', plain, () => Buffer.from('not a video at all\n'.repeat(100)))
    const blank = clips.edited('blank.mp4', plain, (bytes) => Buffer.from(bytes).fill(0, bytes.indexOf('mdat') + 4))
    await expect(probe(text)).rejects.toMatchObject({ code: 'SRC_UNREADABLE' })
    await expect(probe(blank)).rejects.toMatchObject({ code: 'DEC_FAILED' })
    await expect(probe(clips.at('nothing.mp4'))).rejects.toMatchObject({ code: 'SRC_UNREADABLE' })
  })

  it('a host that is killed for no fault of the file is followed by another', async () => {
    let started = 0
    const spawn: SpawnHost = async (options) => {
      const child = await spawnHost<never, never>(options)
      if (started++ === 0) child.kill('SIGKILL')
      return child
    }
    const report = await probeRecording({ path: plain, host: { ...host, spawn }, signal, openTimeoutMs: 30_000 })
    expect([report.packets, started]).toEqual([100, 2])
  })

  it('a host that dies on the file, or falls silent, or is called off', async () => {
    const look = (path: string, stop = signal) =>
      probeRecording({ path, host: fixture, signal: stop, openTimeoutMs: 200 })
    await expect(look('fatal')).rejects.toMatchObject({
      code: 'DEC_FAILED',
      message: expect.stringContaining('SIGKILL'),
    })
    await expect(look('other')).rejects.toMatchObject({ code: 'DEC_HUNG' })
    const reason = new Error('enough')
    const controller = new AbortController()
    const looking = look('other', controller.signal)
    controller.abort(reason)
    await expect(looking).rejects.toBe(reason)
  })
})
