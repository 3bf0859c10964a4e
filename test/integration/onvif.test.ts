/** ONVIF against simulated devices that check for themselves: the way to a stream, who is let in, what goes wrong; discovery. */
import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import { openLiveInput } from '../../streams/media/live-input.ts'
import { discoverOnvif } from '../../streams/sources/onvif/discover-onvif.ts'
import { type OnvifRequest, type OnvifStream, resolveOnvif } from '../../streams/sources/onvif/resolve-onvif.ts'
import { VirtualClock } from '../unit/virtual-clock.ts'
import { cameraClip } from './support/camera-clips.ts'
import { hasClips } from './support/clips.ts'
import { cleanUp, freePort, onCleanUp, until } from './support/nats.ts'
import type { SimulatedMatch } from './support/onvif-answers.ts'
import { type Misbehaviour, OnvifDevice, type OnvifDeviceOptions } from './support/onvif-device.ts'
import { OnvifResponder, type Reply } from './support/onvif-responder.ts'
import { RtspServer } from './support/rtsp-server.ts'

/** Longer than any of this takes; who waits for it has failed. */
const PATIENCE_MS = 20_000
const YEARS_MS = 365 * 86_400_000

/** What the specification demands to be open, and many devices stop at. */
const onlyTheClock = ['GetSystemDateAndTime']

afterEach(cleanUp)

async function startDevice(options: OnvifDeviceOptions = {}): Promise<OnvifDevice> {
  const device = await OnvifDevice.start(options)
  onCleanUp(() => device[Symbol.asyncDispose]())
  return device
}

const resolve = (url: string, more: Partial<OnvifRequest> = {}): Promise<OnvifStream> =>
  resolveOnvif({ url, timeoutMs: PATIENCE_MS, ...more })

async function failure(running: Promise<unknown>): Promise<GrabberError> {
  const error = await running.then(
    () => new Error('it did not fail'),
    (reason) => reason,
  )
  if (!(error instanceof GrabberError)) throw error
  return error
}

describe('the way to the stream', () => {
  test.each([
    ['gsoap', 'media1'],
    ['gsoap', 'media2'],
    ['numbered', 'media1'],
    ['numbered', 'media2'],
    ['unprefixed', 'media1'],
    ['unprefixed', 'media2'],
  ] as const)('%s, %s', async (dialect, media) => {
    const device = await startDevice({ dialect, media: [media] })
    const stream = await resolve(device.url())
    expect(stream).toEqual({
      uri: 'rtsp://viewer:pass%20word@127.0.0.1:554/Streaming/Channels/101?transportmode=unicast&profile=Profile_1',
      profile: { token: 'Profile_1', name: 'main & first', encoding: 'H265', width: 2592, height: 1944, fps: 25 },
      profiles: [
        { token: 'Profile_2', name: 'subStream', encoding: 'H264', width: 640, height: 480, fps: 15 },
        { token: 'Profile_1', name: 'main & first', encoding: 'H265', width: 2592, height: 1944, fps: 25 },
        { token: 'jpeg', name: 'snapshots', encoding: 'JPEG', width: 1280, height: 720, fps: 6 },
        { token: 'audio', name: 'audioOnly', encoding: null, width: null, height: null, fps: null },
      ],
      device: { manufacturer: 'Acme 31m Cameras', model: 'X-1', firmware: 'V5.4.3 build 1' },
      clockOffsetMs: expect.any(Number),
    })
    expect(device.asked.map(({ operation }) => operation)).toEqual([
      'GetSystemDateAndTime',
      'GetServices',
      'GetProfiles',
      'GetStreamUri',
      'GetDeviceInformation',
    ])
    await until('no connection is left', () => device.open === 0)
  })

  test('Media2 is preferred; UDP is asked for when wanted', async () => {
    const device = await startDevice()
    await resolve(device.url(), { transport: 'udp' })
    expect(device.asked.at(-2)).toMatchObject({ path: '/onvif/media2_service', protocol: 'RtspUnicast' })
    const old = await startDevice({ media: ['media1'] })
    await resolve(old.url(), { transport: 'udp' })
    expect(old.asked.at(-2)).toMatchObject({ path: '/onvif/media_service', protocol: 'UDP' })
  })

  test('a device from before GetServices, and one whose Media2 is broken', async () => {
    const old = await startDevice({ withoutGetServices: true, demand: 'wsse' })
    expect((await resolve(old.url())).profile.token).toBe('Profile_1')
    expect(old.asked.map(({ operation }) => operation)).toContain('GetCapabilities')
    const broken = await startDevice({ profiles: [], media: ['media2', 'media1'] })
    expect((await failure(resolve(broken.url()))).code).toBe('SRC_ONVIF')
    expect(broken.asked.map(({ path }) => path)).toContain('/onvif/media_service')
  })

  test('the wanted profile: by option, by URL, and one that is not there', async () => {
    const device = await startDevice()
    const { signal } = new AbortController()
    expect((await resolve(device.url(), { profile: 'jpeg', signal })).uri).toContain('profile=jpeg')
    expect(getEventListeners(signal, 'abort')).toEqual([])
    const url = device.url({ path: '/onvif/device_service?profile=Profile_2' })
    expect((await resolve(url)).profile.name).toBe('subStream')
    const error = await failure(resolve(device.url(), { profile: 'other' }))
    expect(error.line).toMatch(/^SRC_ONVIF: .*'other': give one of its profiles: Profile_2, Profile_1, jpeg, audio$/)
  })

  test('addresses behind NAT lead where the device was reached', async () => {
    const device = await startDevice({ believedHost: '10.11.12.13:8999' })
    const { uri } = await resolve(device.url())
    expect(uri).toMatch(/^rtsp:\/\/viewer:pass%20word@127\.0\.0\.1:554\/Streaming/)
    expect(device.asked).toHaveLength(5)
  })

  test('a device that does not say who it is', async () => {
    const device = await startDevice({ misbehave: { GetDeviceInformation: 'fault' } })
    expect(await resolve(device.url())).toMatchObject({ device: null, profile: { token: 'Profile_1' } })
  })
})

describe.skipIf(!hasClips)('the stream itself', () => {
  test('is let in by a real RTSP server, with a password that no URL takes as it is', async () => {
    await using server = await RtspServer.start()
    const auth = { kind: 'digest', user: 'viewer', password: 'p@ss:w/ %41?#&' } as const
    const camera = await server.camera('/main', { clip: cameraClip('person', { seconds: 2 }), auth })
    const { user, password } = auth
    const device = await startDevice({
      demand: 'digest',
      user,
      password,
      streamUri: () => camera.urlAt(camera.port, null),
    })
    const { uri } = await resolve(device.url())
    const source = { kind: 'live', protocol: 'rtsp', url: uri, transport: 'tcp', readTimeoutMs: PATIENCE_MS } as const
    const options = { openTimeoutMs: PATIENCE_MS, clock: systemClock, signal: new AbortController().signal }
    const capture = { width: null, height: null, fps: null, format: null }
    const input = await openLiveInput({ ...source, capture, overflow: 'drop-oldest' }, () => options)
    await using demuxer = input.demuxer
    expect(demuxer.stream.codecpar.width).toBe(640)
  })
})

describe('who is let in', () => {
  /** A user and a password that no header and no URL takes as they are. */
  const awkward = { user: 'Jürgen "J"', password: 'p@ss:w/ö%rd\\"&<', realm: 'a, "b" \\ c=d' }

  test.each([
    ['nobody is asked', { demand: 'none' }, ['none']],
    ['WS-Security', { demand: 'wsse' }, ['none', 'wsse']],
    ['HTTP Digest, MD5', { demand: 'digest' }, ['none', 'digest']],
    ['HTTP Digest, SHA-256', { demand: 'digest', algorithms: ['SHA-256'] }, ['none', 'digest']],
    ['HTTP Digest, both', { demand: 'digest', algorithms: ['MD5', 'SHA-256'], oneHeader: true }, ['none', 'digest']],
    ['HTTP Digest without qop', { demand: 'digest', withoutQop: true }, ['none', 'digest']],
    ['either', { demand: 'either' }, ['none', 'digest']],
    ['both at once', { demand: 'both' }, ['none', 'digest', 'both']],
    ['WS-Security for all', { demand: 'wsse', open: onlyTheClock }, ['none', 'wsse']],
    ['HTTP Digest for all', { demand: 'digest', open: onlyTheClock, believedHost: '10.1.1.1' }, ['none', 'digest']],
  ] as [string, OnvifDeviceOptions, string[]][])('%s; a clock that is 12 years behind', async (_, options, schemes) => {
    const device = await startDevice({ ...options, ...awkward, skewMs: -12 * YEARS_MS })
    const { uri, clockOffsetMs } = await resolve(device.url())
    expect([...new Set(device.asked.map(({ scheme }) => scheme))]).toEqual(schemes)
    expect(new URL(uri)).toMatchObject({
      username: encodeURIComponent(awkward.user),
      password: encodeURIComponent(awkward.password),
    })
    expect(Math.abs(clockOffsetMs + 12 * YEARS_MS)).toBeLessThan(5000)
    // The right password must not bring the account nearer to being locked.
    expect(device.login.failed).toBe(0)
  })

  test('a device whose clock is not open, or that has none', async () => {
    const closed = await startDevice({ demand: 'wsse', open: [] })
    expect((await resolve(closed.url())).clockOffsetMs).toBe(0)
    const without = await startDevice({ demand: 'digest', misbehave: { GetSystemDateAndTime: 'fault' } })
    expect((await resolve(without.url())).clockOffsetMs).toBe(0)
  })

  test.each([
    [1, false],
    [2, false],
    [1, true],
  ])('nonces that live for %i uses; silently stale: %s', async (nonceUses, silentlyStale) => {
    const device = await startDevice({ demand: 'digest', open: onlyTheClock, nonceUses, silentlyStale })
    await resolve(device.url())
    expect(device.login.failed).toBe(0)
    expect(device.asked.filter(({ scheme }) => scheme === 'digest').length).toBeGreaterThan(4)
    expect(device.asked.map(({ scheme }) => scheme)).not.toContain('wsse')
  })

  test('nonces that are stale when they come', async () => {
    const device = await startDevice({ demand: 'digest', nonceUses: 0 })
    expect((await failure(resolve(device.url()))).code).toBe('SRC_AUTH')
    expect(device.asked.length).toBeLessThan(10)
  })

  test.each(['wsse', 'digest', 'either', 'both'] as const)('%s: a wrong password', async (demand) => {
    const device = await startDevice({ demand, open: onlyTheClock })
    const error = await failure(resolve(device.url({ user: 'mallory', password: 'guess-1' })))
    expect(error.code).toBe('SRC_AUTH')
    expect(device.login.failed).toBeGreaterThan(0)
    expect(device.login.failed).toBeLessThanOrEqual(2)
    expect(`${error.line} ${JSON.stringify(error.context)} ${error.stack}`).not.toMatch(
      /mallory|guess|127\.0\.0\.1:\d+\/|onvif:/,
    )
  })

  test('no credentials', async () => {
    for (const demand of ['wsse', 'digest'] as const) {
      const device = await startDevice({ demand })
      const error = await failure(resolve(`onvif://127.0.0.1:${device.port}`))
      expect(error.line).toMatch(/^SRC_AUTH: the camera wants a user and a password/)
      expect(device.login.failed).toBe(0)
    }
  })
})

describe('what goes wrong', () => {
  test.each([
    ['html', 'SRC_ONVIF', 'HTTP status 404'],
    ['huge', 'SRC_ONVIF', 'longer than 1048576 bytes'],
    ['redirect', 'SRC_ONVIF', 'redirection'],
    ['deep', 'SRC_ONVIF', 'nests more than'],
    ['doctype', 'SRC_ONVIF', 'document type'],
    ['not-http', 'SRC_ONVIF', 'does not speak HTTP'],
    ['reset', 'SRC_UNREACHABLE', 'ECONNRESET'],
    ['fault', 'SRC_ONVIF', 'refuses GetProfiles (Receiver, ActionNotSupported)'],
  ] as [Misbehaviour, string, string][])('%s instead of profiles: %s', async (how, code, words) => {
    const device = await startDevice({ misbehave: { GetProfiles: how }, media: ['media1'] })
    const error = await failure(resolve(device.url()))
    expect(error.code).toBe(code)
    expect(error.message).toContain(words)
    expect(device.asked.map(({ path }) => path)).not.toContain('/elsewhere')
    await until('no connection is left', () => device.open === 0)
    if (how === 'huge') expect(device.abandoned).toBe(1)
  })

  test('no ONVIF at all', async () => {
    const device = await startDevice({ misbehave: { '*': 'html' } })
    expect((await failure(resolve(device.url()))).code).toBe('SRC_ONVIF')
  })

  test('no profile, no media service, no RTSP address', async () => {
    const without = await startDevice({ profiles: [] })
    expect((await failure(resolve(without.url()))).line).toContain('SRC_ONVIF: the camera has no media profile')
    const bare = await startDevice({ media: [] })
    expect((await failure(resolve(bare.url()))).line).toContain('SRC_ONVIF: the device has no media service')
    const odd = await startDevice({ streamUri: () => 'http://127.0.0.1/video' })
    expect((await failure(resolve(odd.url()))).line).toContain('SRC_ONVIF: the camera gives no RTSP address')
  })

  test.each(['hang', 'drip'] as const)('%s: given up when the time is over', async (how) => {
    const device = await startDevice({ misbehave: { GetProfiles: how } })
    const clock = new VirtualClock()
    const running = failure(resolve(device.url(), { clock, timeoutMs: 5000 }))
    await until('it is asked', () => device.asked.at(-1)?.operation === 'GetProfiles')
    clock.advance(5000)
    expect((await running).line).toMatch(/^SRC_TIMEOUT: the camera did not answer GetProfiles within the 5000 ms/)
    await until('no connection is left', () => device.open === 0)
  })

  test('hanging only at the name of the maker: the stream is there', async () => {
    const device = await startDevice({ misbehave: { GetDeviceInformation: 'hang' } })
    const clock = new VirtualClock()
    const running = resolve(device.url(), { clock, timeoutMs: 5000 })
    await until('it is asked', () => device.asked.at(-1)?.operation === 'GetDeviceInformation')
    clock.advance(5000)
    expect(await running).toMatchObject({ device: null, profile: { token: 'Profile_1' } })
  })

  test.each(['GetSystemDateAndTime', 'GetStreamUri', 'GetDeviceInformation'])('aborted in %s', async (operation) => {
    const device = await startDevice({ misbehave: { [operation]: 'drip' } })
    const ending = new AbortController()
    const running = failure(resolve(device.url(), { signal: ending.signal }))
    await until('it is asked', () => device.asked.at(-1)?.operation === operation)
    ending.abort()
    // What a session takes for a source that failed; an AbortError would be a defect.
    expect((await running).line).toMatch(/^SRC_TIMEOUT: the camera was no longer asked/)
    await until('no connection is left', () => device.open === 0)
    expect(getEventListeners(ending.signal, 'abort')).toEqual([])
    const asked = device.asked.length
    expect((await failure(resolve(device.url(), { signal: ending.signal }))).code).toBe('SRC_TIMEOUT')
    expect(device.asked).toHaveLength(asked)
  })

  test('nobody there, and no such name', async () => {
    const port = await freePort()
    expect((await failure(resolve(`onvif://u:geheim@127.0.0.1:${port}`))).line).toMatch(
      /^SRC_UNREACHABLE: no connection to 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/,
    )
    // RFC 6761: .invalid is never resolved.
    expect((await failure(resolve('onvif://u:geheim@camera.invalid'))).line).toMatch(/^SRC_DNS: .*camera\.invalid/)
    expect((await failure(resolve('onvif://'))).code).toBe('SRC_UNSUPPORTED')
  })
})

describe('discovery', () => {
  const match = (id: number, more: Partial<SimulatedMatch> = {}): SimulatedMatch => ({
    endpoint: `urn:uuid:0000000${id}-701b-464d-a189-0060351c8ada`,
    types: 'dn:NetworkVideoTransmitter tds:Device',
    scopes:
      'onvif://www.onvif.org/Profile/Streaming onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/hardware/HD_X ' +
      `onvif://www.onvif.org/name/Front%20door%20${id} onvif://www.onvif.org/location/city/Graz onvif://www.onvif.org/location/`,
    xaddrs: `http://169.254.9.9/onvif/device_service http://127.0.0.1:8${id}/onvif/device_service`,
    ...more,
  })

  async function startResponder(reply: (probe: number) => Reply[], options = {}): Promise<OnvifResponder> {
    const responder = await OnvifResponder.start(reply, options)
    onCleanUp(() => responder[Symbol.asyncDispose]())
    return responder
  }

  test('devices once each, whatever else arrives', async () => {
    const noise: Reply[] = [
      { bytes: Buffer.from('') },
      { bytes: Buffer.from([0xff, 0xfe, 0x00, 0x80]) },
      { bytes: Buffer.from('<a>'.repeat(20_000)) },
      { bytes: Buffer.from('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>') },
      { matches: [match(7)], relatesTo: 'urn:uuid:00000000-0000-0000-0000-000000000000' },
      { matches: [match(8, { types: 'wsdp:Device pub:Computer', scopes: '' })] },
      { matches: [match(9, { endpoint: '' })] },
      { matches: [match(9, { scopes: 'onvif://www.onvif.org/name/long '.repeat(600) })] },
    ]
    const responder = await startResponder(() => [
      ...noise,
      { matches: [match(1)] },
      { matches: [match(1, { xaddrs: 'http://192.0.2.7/onvif/device_service' })], dialect: 'unprefixed' },
      {
        matches: [match(2, { scopes: '', xaddrs: 'https://192.0.2.8/onvif/device_service' }), match(3)],
        dialect: 'numbered',
      },
    ])
    const found = await discoverOnvif({ timeoutMs: PATIENCE_MS, target: responder.target, limit: 3 })
    expect(found).toEqual([
      {
        endpoint: match(1).endpoint,
        source: 'onvif://127.0.0.1:81',
        address: '127.0.0.1',
        xaddrs: [
          'http://169.254.9.9/onvif/device_service',
          'http://127.0.0.1:81/onvif/device_service',
          'http://192.0.2.7/onvif/device_service',
        ],
        types: ['NetworkVideoTransmitter', 'Device'],
        name: 'Front door 1',
        hardware: 'HD_X',
        location: 'city/Graz',
      },
      {
        endpoint: match(2).endpoint,
        source: 'onvif://127.0.0.1',
        address: '127.0.0.1',
        xaddrs: ['https://192.0.2.8/onvif/device_service'],
        types: ['NetworkVideoTransmitter', 'Device'],
        name: null,
        hardware: null,
        location: null,
      },
      expect.objectContaining({ endpoint: match(3).endpoint, source: 'onvif://127.0.0.1:83' }),
    ])
  })

  test('by multicast; the probe comes again, the same, until it is answered', async () => {
    const responder = await startResponder((probe) => (probe < 3 ? [] : [{ matches: [match(4)] }]), { multicast: true })
    const found = await discoverOnvif({ timeoutMs: PATIENCE_MS, interfaceAddress: '127.0.0.1', limit: 1 })
    expect(found.map(({ name }) => name)).toEqual(['Front door 4'])
    expect(new Set(responder.probes).size).toBe(1)
    expect(responder.probes[0]).toContain('>dn:NetworkVideoTransmitter<')
  })

  test('what it finds can be resolved', async () => {
    const device = await startDevice({ demand: 'digest' })
    const xaddrs = `http://127.0.0.1:${device.port}/onvif/device_service`
    const responder = await startResponder(() => [{ matches: [match(5, { xaddrs })] }])
    const [found] = await discoverOnvif({ timeoutMs: PATIENCE_MS, target: responder.target, limit: 1 })
    const { host } = new URL(found!.source)
    expect((await resolve(`onvif://viewer:pass%20word@${host}`)).profile.token).toBe('Profile_1')
  })

  test('ends when the time is over, by its signal, and without a network', async () => {
    const responder = await startResponder(() => [{ matches: [match(6)] }])
    expect(
      await discoverOnvif({
        timeoutMs: 1,
        interfaceAddress: '127.0.0.1',
        target: { address: '127.0.0.1', port: await freePort() },
      }),
    ).toEqual([])
    const ending = new AbortController()
    const hour = 3_600_000
    const running = discoverOnvif({ timeoutMs: hour, target: responder.target, signal: ending.signal })
    await until('it asks', () => responder.probes.length > 1)
    ending.abort()
    expect(await running).toHaveLength(1)
    expect(getEventListeners(ending.signal, 'abort')).toEqual([])
    expect(await discoverOnvif({ timeoutMs: PATIENCE_MS, target: responder.target, signal: ending.signal })).toEqual([])
    const elsewhere = discoverOnvif({ timeoutMs: PATIENCE_MS, interfaceAddress: '192.0.2.77' })
    expect((await failure(elsewhere)).code).toBe('SRC_UNREACHABLE')
  })
})
