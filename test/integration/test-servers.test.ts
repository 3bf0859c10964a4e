/** The servers that tests of live cameras lean on, with ffmpeg as their client: what they promise, they do. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest'
import { accessUnits } from './support/access-units.ts'
import { cameraClip } from './support/camera-clips.ts'
import { hasClips } from './support/clips.ts'
import { FaultProxy } from './support/fault-proxy.ts'
import { probe, Viewer } from './support/ffmpeg-viewer.ts'
import { HlsServer } from './support/hls-server.ts'
import { MjpegServer } from './support/mjpeg-server.ts'
import { until } from './support/nats.ts'
import { RtspServer } from './support/rtsp-server.ts'
import { VideoServer } from './support/video-server.ts'
import { VlcServer } from './support/vlc-server.ts'

/** Two seconds: 50 pictures. */
const NUMBERED = { numbered: true, fps: 25, seconds: 2, gop: 10 } as const

function watch(test: TestContext, url: string, transport: 'tcp' | 'udp' = 'tcp'): Viewer {
  const viewer = new Viewer(url, { transport })
  test.onTestFinished(() => viewer[Symbol.asyncDispose]())
  return viewer
}

/** Resolves with the pictures that came after the call. */
async function more(viewer: Viewer, count: number) {
  const from = viewer.seen.length
  await until(`${count} pictures`, () => viewer.seen.length >= from + count || viewer.ended)
  expect(viewer.seen.length, viewer.complaints).toBeGreaterThanOrEqual(from + count)
  return viewer.seen.slice(from)
}

const numbersOf = ({ seen }: Viewer) => seen.map(({ number }) => number)
const stepsOf = ({ times }: Viewer) => times.slice(1).map((time, index) => Math.round((time - times[index]!) * 1000))

/** One after the other, 40 ms apart, also where the clip begins again. */
async function everyPicture(viewer: Viewer): Promise<void> {
  await until('the clip began again', () => viewer.seen.length > 60 || viewer.ended)
  const numbers = numbersOf(viewer)
  expect(numbers, viewer.complaints).toEqual(numbers.map((_, index) => (numbers[0]! + index) % 50))
  // The client guesses the time of the first picture.
  expect(new Set(stepsOf(viewer).slice(1))).toEqual(new Set([40]))
}

/** As over UDP to a machine that is busy: some may be lost. */
async function mostPictures(viewer: Viewer): Promise<void> {
  const distinct = () => new Set(numbersOf(viewer)).size
  await until('the clip was seen', () => (viewer.seen.length > 60 && distinct() > 40) || viewer.ended)
  expect(distinct(), viewer.complaints).toBeGreaterThan(40)
  expect(Math.min(...stepsOf(viewer).slice(1))).toBeGreaterThan(0)
}

describe.skipIf(!hasClips)('RtspServer', () => {
  let server: RtspServer
  let clip: string
  let small: string
  let black: string
  let hevc: string
  let coded: string[]
  const camera = async (path: string, options: Partial<Parameters<RtspServer['camera']>[1]> = {}) =>
    server.camera(path, { clip, log: true, ...options })
  beforeAll(async () => {
    // All of them now: while ffmpeg makes one, this process does not listen to its servers.
    clip = cameraClip('person', NUMBERED)
    small = cameraClip('person', { ...NUMBERED, width: 320 })
    black = cameraClip('black', { fps: 25, seconds: 3 })
    hevc = cameraClip('person', { ...NUMBERED, codec: 'hevc', bFrames: 3 })
    coded = [
      cameraClip('person', { ...NUMBERED, bFrames: 3, openGop: true }),
      hevc,
      cameraClip('person', { ...NUMBERED, codec: 'mpeg4', bFrames: 2 }),
      cameraClip('person', { ...NUMBERED, codec: 'mjpeg' }),
    ]
    for (const each of [clip, small, black, ...coded]) accessUnits(each)
    server = await RtspServer.start()
  })
  afterAll(() => server?.[Symbol.asyncDispose]())

  it.concurrent('sends numbered pictures, each at its time, round and round, over TCP and UDP', async (test) => {
    const lobby = await camera('/lobby')
    const [tcp, udp] = [watch(test, lobby.url), watch(test, lobby.url, 'udp')] as const
    await everyPicture(tcp)
    for (const { number, atMs } of tcp.seen) test.expect(lobby.sentAtMs(number!, atMs)).toBeLessThan(atMs)
    await mostPictures(udp)
    test.expect(await lobby.clients()).toBe(2)
  })

  it.concurrent('sends other codecs, and pictures out of order, in the order of display', async (test) => {
    const viewers = []
    for (const [index, numbered] of coded.entries()) {
      viewers.push(watch(test, (await camera(`/codec/${index}`, { clip: numbered })).url))
    }
    for (const viewer of viewers) {
      await until(
        'the clip began again',
        () => viewer.seen.some(({ number }) => number === 3) && viewer.seen.length > 40,
      )
      const numbers = viewer.seen.map(({ number }) => number)
      test.expect(numbers).toEqual(numbers.map((_, index) => (numbers[0]! + index) % 50))
    }
  })

  it.concurrent('shows the same moment in the main and the sub-stream of a camera', async (test) => {
    const main = await camera('/cam/main', { live: true })
    await more(watch(test, main.url), 20)
    const sub = await camera('/cam/sub', { live: true, clip: small })
    const { number } = (await more(watch(test, sub.url), 10)).at(-1)!
    await until('both have sent it', () => [main, sub].every((stream) => stream.sentAtMs(number!) !== undefined))
    const atMs = sub.sentAtMs(number!)!
    // The clip takes two seconds: streams that each began with their own client would be anywhere in it.
    test.expect(main.sentAtMs(number!, atMs + 200)).toBeGreaterThan(atMs - 200)
  })

  it.concurrent('lets in whom it knows, by Basic and by Digest', async (test) => {
    const auth = { user: 'viewer', password: 'secret' }
    for (const kind of ['basic', 'digest'] as const) {
      const door = await camera(`/${kind}`, { auth: { kind, ...auth } })
      const [good, wrong, none] = await Promise.all([
        probe(door.url),
        probe(door.urlAt(door.port, 'guess')),
        probe(door.urlAt(door.port, null)),
      ])
      test.expect(good).toEqual({ codec: 'h264', size: '640x360' })
      test.expect([wrong.error, none.error]).toEqual([expect.stringContaining('401'), expect.stringContaining('401')])
    }
  })

  it.concurrent('freezes, stalls, and goes on where the world is', async (test) => {
    const one = await camera('/one')
    const other = await camera('/other')
    const viewer = watch(test, one.url)
    await more(viewer, 5)
    await one.freeze()
    await until('the same picture ten times', () => viewer.seen.slice(-10).every(({ same }) => same))
    await one.stall()
    const sent = one.sentCount
    watch(test, other.url)
    await until('the other camera went on', () => other.sentCount > 10)
    test.expect([one.sentCount, await one.clients(), viewer.ended]).toEqual([sent, 1, false])
    await one.resume()
    await until('pictures again', () => viewer.seen.slice(-5).every(({ same }) => !same))
  })

  it.concurrent('shows another clip in the middle of the stream; another codec to who comes back', async (test) => {
    const changing = await camera('/changing')
    const viewer = watch(test, changing.url)
    await more(viewer, 5)
    await changing.show(black, { once: true })
    await until('black', () => viewer.seen.some(({ light }) => light < 20))
    await until('light again', () => viewer.seen.at(-1)!.light > 60)
    await changing.show(small)
    await until('another size', () => viewer.sizes.includes('320x180'))
    await changing.show(hevc)
    await until('sent away', () => viewer.ended)
    test.expect(await probe(changing.url)).toEqual({ codec: 'hevc', size: '640x360' })
  })

  it.concurrent('has a clock that jumps and stands still, and an end', async (test) => {
    const odd = await camera('/odd')
    const viewer = watch(test, odd.url)
    const jumped = () =>
      viewer.times.some((time, index) => index > 0 && Math.abs(time - viewer.times[index - 1]! - 60) < 1)
    await more(viewer, 5)
    test.expect(jumped()).toBe(false)
    await odd.jump(60_000)
    await until('a jump of a minute', jumped)
    await odd.spoil({ clockStill: true })
    await more(viewer, 1)
    await until(
      'one time for all',
      () => /non monotonically|Invalid|DTS/.test(viewer.complaints) || new Set(viewer.times.slice(-5)).size === 1,
    )
    await odd.spoil({ clockStill: false })
    await odd.end()
    await until('the end', () => viewer.ended)
    test.expect((await probe(odd.url)).codec).toBe('h264')
  })

  it.concurrent('loses, reorders and damages packets', async (test) => {
    const bad = await camera('/bad')
    const [udp, tcp] = [watch(test, bad.url, 'udp'), watch(test, bad.url)] as const
    const complained = (what: RegExp) => what.test(udp.complaints) && what.test(tcp.complaints)
    for (const viewer of [udp, tcp]) await more(viewer, 2)
    await bad.spoil({ reorder: 0.2 })
    // Only receivers of UDP put packets back into their order.
    await until('disorder is noticed', () => /error while decoding/.test(tcp.complaints))
    await bad.spoil({ reorder: 0, loss: 0.2 })
    await until('losses are noticed', () => /RTP: missed \d+ packets/.test(udp.complaints))
    await until('what is lost is missed', () => complained(/error while decoding/))
    await bad.spoil({ loss: 0, garbage: 0.3 })
    await until('damage is noticed', () => complained(/NAL unit type \d+ is not implemented|Invalid NAL unit/))
    await bad.spoil({ garbage: 0 })
    for (const viewer of [udp, tcp]) await more(viewer, 20)
  })

  it.concurrent('sends sender reports that say when a picture was taken', async (test) => {
    const { url } = await camera('/reports', { rtcpIntervalMs: 100 })
    const fromMs = Date.now()
    const ntpMs = await firstReport(test, url)
    // A picture between the request and the report; the two clocks are one, read in different ways.
    test.expect(ntpMs).toBeGreaterThan(fromMs - 100)
    test.expect(ntpMs).toBeLessThan(Date.now() + 100)
  })

  it.concurrent('takes a stream away and gives it back; dies and comes back at the same address', async (test) => {
    const own = await RtspServer.start()
    test.onTestFinished(() => own[Symbol.asyncDispose]())
    const gone = await own.camera('/gone', { clip })
    const viewer = watch(test, gone.url)
    await more(viewer, 2)
    await gone.withdraw()
    await until('sent away', () => viewer.ended)
    test.expect((await probe(gone.url)).error).toContain('404')
    await gone.restore()
    const again = watch(test, gone.url)
    await more(again, 2)
    own.signal('SIGSTOP')
    own.signal('SIGCONT')
    await more(again, 10)
    await own.kill()
    await until('cut off', () => again.ended)
    test.expect((await probe(gone.url)).error).toContain('refused')
    await own.restart()
    await more(watch(test, gone.url), 2)
  })

  it.concurrent('ends with the process that started it', async () => {
    const parent = fork(new URL('../fixtures/servers/start-and-wait.ts', import.meta.url))
    const [pid] = (await once(parent, 'message')) as [number]
    process.kill(pid, 0)
    parent.kill('SIGKILL')
    await until('no orphan', () => !existsSync(`/proc/${pid}`))
  })
})

/** Speaks RTSP over one connection until the first RTCP sender report has come, and returns its time in ms (RFC 3550, 6.4.1; RFC 2326, 10.12). */
async function firstReport(test: TestContext, url: string): Promise<number> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  test.onTestFinished(() => void socket.destroy())
  let bytes = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
  })
  let number = 0
  const ask = async (line: string, head = '') => {
    bytes = Buffer.alloc(0)
    socket.write(`${line} RTSP/1.0\r\nCSeq: ${++number}\r\n${head}\r\n`)
    await until(`an answer to ${line}`, () => bytes.includes('\r\n\r\n'))
    return bytes.toString('latin1')
  }
  const control = /a=control:(stream\S*)/.exec(await ask(`DESCRIBE ${url}`))![1]
  const set = await ask(`SETUP ${url}/${control}`, 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n')
  await ask(`PLAY ${url}`, `Session: ${/Session: ([^;\r]+)/.exec(set)![1]}\r\n`)
  const report = () => bytes.findIndex((byte, at) => byte === 0x24 && bytes[at + 1] === 1 && bytes[at + 5] === 200)
  await until('a sender report', () => report() >= 0 && bytes.length > report() + 20)
  const packet = bytes.subarray(report() + 4)
  const secondsSince1900 = packet.readUInt32BE(8) + packet.readUInt32BE(12) / 2 ** 32
  return (secondsSince1900 - 2_208_988_800) * 1000
}

describe.skipIf(!hasClips)('VlcServer', () => {
  it.concurrent('is a camera of another make: over UDP only, to whom it knows', async (test) => {
    const clip = cameraClip('person', NUMBERED)
    const server = await VlcServer.start({ clip, auth: { user: 'viewer', password: 'secret' } })
    test.onTestFinished(() => server[Symbol.asyncDispose]())
    const viewer = watch(test, server.url, 'udp')
    await mostPictures(viewer)
    test.expect((await probe(server.url)).error).toContain('461')
    test.expect((await probe(server.urlAt(server.port, 'guess'))).error).toContain('401')
  })
})

describe('FaultProxy', () => {
  let echo: Server
  let proxy: FaultProxy
  beforeAll(async () => {
    echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket))
    await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done))
    proxy = await FaultProxy.before((echo.address() as AddressInfo).port)
  })
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]()
    echo?.close()
  })

  function client() {
    const socket = connect(proxy.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    const heard = { socket, chunks: [] as Buffer[], end: '' }
    socket.on('data', (chunk) => heard.chunks.push(chunk))
    socket.on('end', () => {
      heard.end ||= 'fin'
    })
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      heard.end = code ?? 'error'
    })
    return heard
  }
  const said = ({ chunks }: ReturnType<typeof client>) => Buffer.concat(chunks).toString()

  it('passes bytes and ends, resets and cuts', async () => {
    const [one, two, three] = [client(), client(), client()] as const
    for (const { socket } of [one, two, three]) socket.write('hello')
    await until('an echo each', () => [one, two, three].every((heard) => said(heard) === 'hello'))
    expect(proxy.open).toBe(3)
    one.socket.end()
    await until('the end comes back', () => one.end === 'fin')
    proxy.reset()
    await until('a reset', () => two.end === 'ECONNRESET' && three.end === 'ECONNRESET')
    const four = client()
    four.socket.write('x')
    await until('an echo', () => said(four) === 'x')
    proxy.cut()
    await until('an end', () => four.end === 'fin')
    await until('nothing is open', () => proxy.open === 0)
  })

  it('hangs, is silent, refuses, and recovers', async () => {
    const hung = client()
    hung.socket.write('a')
    await until('an echo', () => said(hung) === 'a')
    proxy.hang()
    hung.socket.write('b')
    const fresh = client()
    fresh.socket.write('c')
    await until('others pass', () => said(fresh) === 'c')
    await proxy.become('silent')
    const mute = client()
    mute.socket.write('d')
    await until('it is accepted', () => proxy.open === 3)
    await proxy.become('refuse')
    const refused = client()
    await until('it is refused', () => refused.end === 'ECONNREFUSED')
    await proxy.become('pass')
    await until('what was held comes', () => said(mute) === 'd')
    expect([said(hung), hung.end]).toEqual(['a', ''])
  })

  it('drips and delays', async () => {
    await proxy.become({ dripBytesPerSecond: 50 })
    const slow = client()
    slow.socket.write('0123456789')
    await until('all of it', () => said(slow) === '0123456789')
    expect(slow.chunks.length).toBe(10)
    await proxy.become({ delayMs: 50 })
    const late = client()
    const from = performance.now()
    late.socket.write('x')
    await until('it comes', () => said(late) === 'x')
    expect(performance.now() - from).toBeGreaterThan(95)
    await proxy.become('pass')
  })

  it.skipIf(!hasClips)('has RTSP pass through it', async (test) => {
    const server = await RtspServer.start()
    onTestFinished(() => server[Symbol.asyncDispose]())
    const camera = await server.camera('/behind', { clip: cameraClip('person', { seconds: 2 }) })
    const between = await FaultProxy.before(camera.port)
    onTestFinished(() => between[Symbol.asyncDispose]())
    const viewer = watch(test, camera.urlAt(between.port))
    await more(viewer, 3)
    between.reset()
    await until('cut off', () => viewer.ended)
  })
})

describe.skipIf(!hasClips)('MjpegServer', () => {
  it.concurrent('shows pictures, freezes, says nonsense, refuses', async (test) => {
    const clip = cameraClip('person', NUMBERED)
    const auth = { kind: 'digest', user: 'viewer', password: 'secret' } as const
    const server = await MjpegServer.start({ clip, fps: 25, auth })
    test.onTestFinished(() => server[Symbol.asyncDispose]())
    const viewer = watch(test, server.url)
    const seen = await more(viewer, 10)
    // What a slow client does not fetch is not kept for it.
    test.expect(seen.every(({ number, same }) => number !== null && !same)).toBe(true)
    server.become('freeze')
    await until('the same picture', () => viewer.seen.slice(-5).every(({ same }) => same))
    server.become('garbage')
    await until('nonsense is noticed', () => /mjpeg/.test(viewer.complaints))
    server.become({ status: 404 })
    test.expect((await probe(server.url)).error).toContain('404')
    test.expect((await probe(server.urlAt({ password: 'guess' }))).error).toContain('401')
    server.become('play')
    server.cut('reset')
    await until('cut off', () => viewer.ended && server.viewers === 0)
  })

  it.concurrent('speaks TLS, stalls and drips', async (test) => {
    const clip = cameraClip('person', { seconds: 2 })
    const server = await MjpegServer.start({
      clip,
      tls: true,
      auth: { kind: 'basic', user: 'viewer', password: 'secret' },
    })
    test.onTestFinished(() => server[Symbol.asyncDispose]())
    const viewer = watch(test, server.url)
    await more(viewer, 2)
    server.become('drip')
    const seen = viewer.seen.length
    await until('a byte', () => server.dripped > 0)
    test.expect(viewer.seen.length - seen).toBeLessThan(5)
    test.expect([server.viewers, viewer.ended]).toEqual([1, false])
  })
})

describe.skipIf(!hasClips)('HTTP', () => {
  it.concurrent('HlsServer shows a stream that goes on, stalls and ends', async (test) => {
    const clip = cameraClip('person', NUMBERED)
    const server = await HlsServer.start({ clip, segmentSeconds: 0.4 })
    test.onTestFinished(() => server[Symbol.asyncDispose]())
    const viewer = watch(test, server.url)
    await everyPicture(viewer)
    server.become({ status: 503 })
    test.expect((await probe(server.url)).error).toContain('5XX')
    server.become('play')
    server.stall()
    server.resume()
    await server.end()
    await until('the end', () => viewer.ended)
  })

  it.concurrent('VideoServer serves ranges', async (test) => {
    const file = cameraClip('person', { seconds: 2 })
    const server = await VideoServer.start({ file, auth: { kind: 'basic', user: 'viewer', password: 'secret' } })
    test.onTestFinished(() => server[Symbol.asyncDispose]())
    const viewer = watch(test, server.url)
    await until('the whole clip', () => viewer.ended)
    test.expect(viewer.seen.length, viewer.complaints).toBe(30)
    test.expect(server.ranges).toBeGreaterThan(0)
    server.become({ cutAfter: 1000 })
    test.expect((await probe(server.url)).error).toBeDefined()
  })
})
