/** Every kind of live source in one daemon, each from a real server, and no password of theirs anywhere. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CameraReport } from '../../actors/camera-report.ts'
import type { StreamInfo } from '../../core/wire/stream-info.ts'
import { cameraClip } from '../integration/support/camera-clips.ts'
import { hasClips } from '../integration/support/clips.ts'
import { HlsServer } from '../integration/support/hls-server.ts'
import { MjpegServer } from '../integration/support/mjpeg-server.ts'
import { until } from '../integration/support/nats.ts'
import { OnvifDevice } from '../integration/support/onvif-device.ts'
import { RtspServer } from '../integration/support/rtsp-server.ts'
import { VlcServer } from '../integration/support/vlc-server.ts'
import { type DaemonView, startDaemon } from './support/daemon.ts'
import { Grabber } from './support/grabber.ts'
import { descendants } from './support/processes.ts'

/** Characters that addresses have their own use for. */
const password = (of: string) => `${of}:7/@#?% 31`
const LIVE_MS = 60_000

type Expected = Partial<Pick<StreamInfo, 'codec' | 'transport' | 'container' | 'width'>>

describe.skipIf(!hasClips)('live sources', () => {
  const stack = new AsyncDisposableStack()
  const works: Record<string, { source: string; more?: string; is: Expected }> = {}
  const fails: Record<string, { source: string; code: string }> = {}
  const passwords: string[] = []
  let grabber: Grabber
  let daemon: DaemonView

  beforeAll(async () => {
    const h264 = cameraClip('person')
    const h265 = cameraClip('person', { codec: 'hevc' })
    const rtsp = stack.use(await RtspServer.start())
    const secret = (of: string) => {
      passwords.push(password(of))
      return password(of)
    }
    /** As it is written in the configuration: the password is a reference. */
    const written = (url: string) => {
      const { password } = new URL(url)
      const index = passwords.indexOf(decodeURIComponent(password))
      return password === '' ? url : url.replace(`:${password}@`, `:$\{PASSWORD_${index}}@`)
    }
    const encoded = (url: string, password: string) => url.replace(password, encodeURIComponent(password))
    const add = (id: string, url: string, is: Expected, more = '') => {
      works[id] = { source: written(url), is, more }
    }
    const rtspCamera = async (id: string, clip: string, kind: 'basic' | 'digest' | 'none', options = {}) => {
      const auth = kind === 'none' ? {} : { auth: { kind, user: id, password: secret(id) } }
      const camera = await rtsp.camera(`/${id}`, { clip, ...auth, ...options })
      return kind === 'none' ? camera.url : encoded(camera.url, password(id))
    }

    const rtspOf = (codec: string, transport: 'tcp' | 'udp') => ({ container: 'rtsp', codec, transport })
    add('basic', await rtspCamera('basic', h264, 'basic'), rtspOf('h264', 'tcp'))
    add('digest', await rtspCamera('digest', h265, 'digest'), rtspOf('hevc', 'tcp'))
    add('udp', await rtspCamera('udp', h264, 'digest'), rtspOf('h264', 'udp'), 'transport: udp')
    add('udp265', await rtspCamera('udp265', h265, 'basic'), rtspOf('hevc', 'udp'), 'transport: udp')
    const udpOnly = { transports: ['udp'] }
    add('udponly', await rtspCamera('udponly', h264, 'none', udpOnly), rtspOf('h264', 'udp'))
    const small = await rtspCamera('small', cameraClip('person', { width: 320 }), 'none')
    add('sub', await rtspCamera('sub', h264, 'none'), { ...rtspOf('h264', 'tcp'), width: 320 }, `substream: "${small}"`)

    for (const kind of ['basic', 'digest'] as const) {
      const auth = { kind, user: 'mjpeg', password: secret(`mjpeg-${kind}`) }
      const mjpeg = stack.use(await MjpegServer.start({ clip: h264, auth, tls: kind === 'basic' }))
      add(`mjpeg-${kind}`, encoded(mjpeg.url, auth.password), { codec: 'mjpeg', transport: null })
    }
    const hlsAuth = { kind: 'basic', user: 'hls', password: secret('hls') } as const
    const hls = stack.use(await HlsServer.start({ clip: cameraClip('person', { gop: 15 }), auth: hlsAuth }))
    add('hls', encoded(hls.url, hlsAuth.password), { codec: 'h264', container: 'hls' })
    const vlc = stack.use(await VlcServer.start({ clip: h264, auth: { user: 'vlc', password: secret('vlc') } }))
    add('vlc', encoded(vlc.url, password('vlc')), rtspOf('h264', 'udp'))
    // One password for the device's services and for its stream.
    const stream = rtsp.camera('/onvif', {
      clip: h264,
      auth: { kind: 'digest', user: 'onvif', password: secret('onvif') },
    })
    const bare = (await stream).urlAt((await stream).port, null)
    const device = { user: 'onvif', password: password('onvif'), demand: 'either', streamUri: () => bare } as const
    const onvif = stack.use(await OnvifDevice.start(device))
    add('onvif', onvif.url(), rtspOf('h264', 'tcp'))

    const wrong = secret('wrong')
    const fail = (id: string, url: string, code: string) => {
      fails[id] = { source: written(encoded(url, wrong)), code }
    }
    fail('wrong', (await stream).urlAt((await stream).port, wrong), 'SRC_AUTH')
    fail('wrong-http', hls.urlAt({ password: wrong }), 'SRC_AUTH')
    fail('wrong-onvif', onvif.url({ password: wrong }), 'SRC_AUTH')
    fail('away', `rtsp://viewer:${wrong}@127.0.0.1:1/stream`, 'SRC_UNREACHABLE')
    fail('nowhere', `http://viewer:${wrong}@camera.invalid/stream`, 'SRC_DNS')
    fail('path', `rtsp://viewer:${wrong}@127.0.0.1:${new URL(small).port}/none`, 'SRC_REFUSED')

    const lines = [...Object.entries(works), ...Object.entries(fails)].map(
      ([id, { source, more = '' }]: [string, { source: string; more?: string }]) =>
        `  ${id}: { source: "${source}"${more && `, ${more}`} }\n`,
    )
    const env = Object.fromEntries(passwords.map((password, index) => [`PASSWORD_${index}`, password]))
    grabber = stack.use(new Grabber({ env }))
    writeFileSync(
      grabber.path('grabber.yaml'),
      `http: { port: 0 }
log: { level: debug }
reconnect: { minMs: 500, maxMs: 4000, goodMs: 2000 }
defaults: { analysis: { fps: 5, width: 320 } }
cameras:
${lines.join('')}`,
    )
    daemon = await startDaemon(grabber, grabber.path('grabber.yaml'))
    stack.defer(() => void daemon.running.child.kill('SIGKILL'))
  })
  afterAll(() => stack.disposeAsync())

  const reports = async () => {
    const all = await daemon.get<CameraReport[]>('/api/v1/cameras')
    return new Map(all.map((report) => [report.id, report]))
  }

  it('each reaches live, and its pictures are analysed', async () => {
    let seen = await reports()
    try {
      await until(
        'all are live',
        async () => {
          seen = await reports()
          return Object.keys(works).every((id) => seen.get(id)!.state === 'live' && seen.get(id)!.ledger.analysed >= 5)
        },
        LIVE_MS,
      )
    } catch (error) {
      const states = [...seen.values()].map(({ id, state, reason, ledger }) => [id, state, reason, ledger.analysed])
      throw new Error(JSON.stringify(states), { cause: error })
    }
    for (const [id, { is }] of Object.entries(works))
      expect({ id, ...seen.get(id)!.stream }).toMatchObject({ id, ...is })
  })

  it.each(['wrong', 'wrong-http', 'wrong-onvif', 'away', 'nowhere', 'path'])('%s is said with its code', async (id) => {
    const { code } = fails[id]!
    await until(`${id} fails with ${code}`, async () =>
      (await daemon.text('/metrics')).includes(`{camera_id="${id}",code="${code}"}`),
    )
  })

  it('no password is anywhere to be read', async () => {
    const config = ['-c', grabber.path('grabber.yaml')]
    const commands = [
      ['cameras', 'list'],
      ['cameras', 'list', '--json'],
      ['cameras', 'get', 'basic'],
      ['config', 'print'],
    ]
    const printed = await Promise.all(
      commands.map(async (args) => Object.values(await grabber.run(...config, ...args)).join('\n')),
    )
    const paths = ['/metrics', '/health/ready', '/api/v1/cameras', '/api/v1/events?limit=1000', '/api/v1/supervision']
    const pid = daemon.running.child.pid!
    const processes = [pid, ...descendants(pid)]
    const places: [string, string][] = [
      ...commands.map((args, index): [string, string] => [args.join(' '), printed[index]!]),
      ...(await Promise.all(paths.map(async (path): Promise<[string, string]> => [path, await daemon.text(path)]))),
      ['processes', execFileSync('ps', ['-o', 'args', '-p', processes.join()], { encoding: 'utf8' })],
    ]
    expect(await daemon.stop()).toBe(0)
    places.push(['log', daemon.running.err() + daemon.running.out()])
    for (const path of readdirSync(grabber.data, { recursive: true, withFileTypes: true }))
      if (path.isFile()) places.push([path.name, readFileSync(join(path.parentPath, path.name), 'latin1')])
    const forms = passwords.flatMap((secret) => {
      const users = [secret.split(':')[0], 'viewer', 'mjpeg']
      const basic = users.map((user) => Buffer.from(`${user}:${secret}`).toString('base64'))
      return [secret, encodeURIComponent(secret), ...basic]
    })
    expect(places.length).toBeGreaterThan(12)
    for (const [place, text] of places)
      for (const form of forms) expect(text.includes(form), `${form} in ${place}`).toBe(false)
  })
})
