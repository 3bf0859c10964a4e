/**
 * An ONVIF device that is not there: a real HTTP server with the device, media and media2 services, which checks who asks, and
 * misbehaves when told. Test support.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as answers from './onvif-answers.ts'
import { Login, type LoginOptions } from './onvif-login.ts'
import { readRequest, type SoapRequest } from './onvif-request.ts'

export type Misbehaviour =
  | 'html'
  | 'hang'
  | 'drip'
  | 'huge'
  | 'redirect'
  | 'reset'
  | 'deep'
  | 'doctype'
  | 'fault'
  | 'not-http'

export interface OnvifDeviceOptions extends Partial<Omit<LoginOptions, 'nowMs'>> {
  dialect?: answers.Dialect
  /** The device's clock minus ours, ms. */
  skewMs?: number
  media?: ('media1' | 'media2')[]
  /** GetServices is not implemented, as before ONVIF 2.0. */
  withoutGetServices?: boolean
  /** Operations that nobody need log in for; what the default access policy calls PRE_AUTH unless given. */
  open?: string[]
  /** The host, and port, that it believes to have. */
  believedHost?: string
  profiles?: answers.SimulatedProfile[]
  /** The stream's URI by the profile's token; under the believed host unless given. */
  streamUri?: (token: string) => string
  /** What it does instead of answering an operation; `*` for all. */
  misbehave?: Record<string, Misbehaviour>
}

export interface Asked {
  operation: string
  path: string
  scheme: 'none' | 'digest' | 'wsse' | 'both'
  protocol: string | undefined
}

const NAMESPACES: Record<string, string> = {
  '/onvif/device_service': 'http://www.onvif.org/ver10/device/wsdl',
  '/onvif/media_service': 'http://www.onvif.org/ver10/media/wsdl',
  '/onvif/media2_service': 'http://www.onvif.org/ver20/media/wsdl',
}
const SCHEMA = '{http://www.onvif.org/ver10/schema}'
const PRE_AUTH = ['GetSystemDateAndTime', 'GetServices', 'GetCapabilities']
const HUGE_BYTES = 10 * 1024 * 1024
const DRIP_MS = 20

type Answer = { status: number; body: string }

export class OnvifDevice implements AsyncDisposable {
  readonly asked: Asked[] = []
  readonly login: Login
  readonly user: string
  readonly password: string
  /** Answers that were broken off by who asked. */
  abandoned = 0
  readonly #options: OnvifDeviceOptions
  readonly #server: Server
  #open = 0

  private constructor(options: OnvifDeviceOptions) {
    this.#options = options
    this.user = options.user ?? 'viewer'
    this.password = options.password ?? 'pass word'
    this.login = new Login({
      demand: 'none',
      algorithms: ['MD5'],
      realm: 'IP Camera',
      withoutQop: false,
      oneHeader: false,
      nonceUses: Number.POSITIVE_INFINITY,
      silentlyStale: false,
      ...options,
      user: this.user,
      password: this.password,
      nowMs: () => this.#nowMs(),
    })
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.on('connection', (socket) => {
      this.#open++
      socket.on('close', () => this.#open--)
    })
  }

  static async start(options: OnvifDeviceOptions = {}): Promise<OnvifDevice> {
    const device = new OnvifDevice(options)
    await new Promise<void>((done) => device.#server.listen(0, '127.0.0.1', done))
    return device
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** With the right credentials unless others are given. */
  url({ user = this.user, password = this.password, path = '' } = {}): string {
    return `onvif://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${this.port}${path}`
  }

  /** Connections that are open. */
  get open(): number {
    return this.#open
  }

  /** Devices state whole seconds. */
  #nowMs(): number {
    return Date.now() + (this.#options.skewMs ?? 0)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('close', () => {
      if (!response.writableFinished) this.abandoned++
    })
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const path = request.url ?? ''
    let soap: SoapRequest
    try {
      soap = readRequest(Buffer.concat(chunks).toString('utf8'))
    } catch (error) {
      this.asked.push({ operation: `unreadable: ${error}`, path, scheme: 'none', protocol: undefined })
      response.writeHead(400).end()
      return
    }
    const authorization = request.headers.authorization
    const scheme = authorization ? (soap.security ? 'both' : 'digest') : soap.security ? 'wsse' : 'none'
    const protocol =
      soap.values.get(`${SCHEMA}Protocol`) ?? soap.values.get(`{${NAMESPACES['/onvif/media2_service']}}Protocol`)
    this.asked.push({ operation: soap.operation, path, scheme, protocol })
    const misbehaviour = this.#options.misbehave?.[soap.operation] ?? this.#options.misbehave?.['*']
    if (misbehaviour !== undefined && misbehaviour !== 'fault') return misbehave(misbehaviour, request, response)
    const open = (this.#options.open ?? PRE_AUTH).includes(soap.operation)
    const verdict = open
      ? { ok: true as const }
      : this.login.check({ method: 'POST', target: path, authorization, security: soap.security })
    if (!verdict.ok && 'challenges' in verdict) {
      response.writeHead(401, { 'www-authenticate': verdict.challenges }).end('<html>Unauthorized</html>')
      return
    }
    const { status, body } = !verdict.ok
      ? { status: 400, body: answers.fault('Sender', ['NotAuthorized'], 'Sender not Authorized') }
      : misbehaviour === 'fault'
        ? { status: 500, body: answers.fault('Receiver', ['ActionNotSupported'], 'Optional Action Not Implemented') }
        : this.#answer(path, soap)
    const xml = answers.inDialect(this.#options.dialect ?? 'gsoap', body)
    response.writeHead(status, { 'content-type': 'application/soap+xml; charset=utf-8' }).end(xml)
  }

  #answer(path: string, { namespace, operation, values }: SoapRequest): Answer {
    const service = path.split('?')[0]!
    if (NAMESPACES[service] !== namespace) {
      return { status: 400, body: answers.fault('Sender', ['ActionNotSupported'], 'no such action here') }
    }
    const { profiles = answers.usualProfiles } = this.#options
    const value = (name: string) => values.get(`{${namespace}}${name}`)
    if (operation === 'GetStreamUri') return this.#streamUri(service, values, value('ProfileToken'), value('Protocol'))
    const body =
      service === '/onvif/device_service'
        ? this.#deviceService(operation)
        : operation !== 'GetProfiles'
          ? undefined
          : service === '/onvif/media_service'
            ? answers.profiles1(profiles)
            : answers.profiles2(profiles, value('Type'))
    if (body !== undefined) return { status: 200, body }
    return { status: 400, body: answers.fault('Receiver', ['ActionNotSupported'], 'Optional Action Not Implemented') }
  }

  #deviceService(operation: string): string | undefined {
    const { media = ['media1', 'media2'], withoutGetServices = false } = this.#options
    const device = this.#believed('/onvif/device_service')
    const media1 = media.includes('media1') ? this.#believed('/onvif/media_service') : undefined
    if (operation === 'GetSystemDateAndTime') return answers.systemDateAndTime(this.#nowMs())
    if (operation === 'GetDeviceInformation') return answers.deviceInformation
    if (operation === 'GetCapabilities') return answers.capabilities(device, media1)
    if (operation !== 'GetServices' || withoutGetServices) return undefined
    return answers.services({
      tds: device,
      ...(media1 && { trt: media1 }),
      ...(media.includes('media2') && { tr2: this.#believed('/onvif/media2_service') }),
    })
  }

  #streamUri(service: string, values: Map<string, string>, token = '', protocol2 = ''): Answer {
    const second = service === '/onvif/media2_service'
    const protocols = second ? ['RTSP', 'RtspUnicast'] : ['RTSP', 'UDP']
    const unicast = second || values.get(`${SCHEMA}Stream`) === 'RTP-Unicast'
    const protocol = second ? protocol2 : values.get(`${SCHEMA}Protocol`)
    if (!unicast || !protocols.includes(protocol ?? '')) {
      return {
        status: 400,
        body: answers.fault('Sender', ['InvalidArgVal', 'InvalidStreamSetup'], 'no such transport'),
      }
    }
    const { profiles = answers.usualProfiles, streamUri } = this.#options
    if (!profiles.some((profile) => profile.token === token)) {
      return { status: 400, body: answers.fault('Sender', ['InvalidArgVal', 'NoProfile'], 'no such profile') }
    }
    const host = new URL(this.#believed('/')).hostname
    const uri =
      streamUri?.(token) ??
      `rtsp://${host}:554/Streaming/Channels/101?transportmode=unicast&profile=${encodeURIComponent(token)}`
    return { status: 200, body: second ? answers.streamUri2(uri) : answers.streamUri1(uri) }
  }

  #believed(path: string): string {
    return `http://${this.#options.believedHost ?? `127.0.0.1:${this.port}`}${path}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }
}

function misbehave(how: Exclude<Misbehaviour, 'fault'>, request: IncomingMessage, response: ServerResponse): void {
  const xml = { 'content-type': 'application/soap+xml' }
  switch (how) {
    case 'html':
      response.writeHead(404, { 'content-type': 'text/html' }).end('<!DOCTYPE html><html><body>Not Found<br></html>')
      return
    case 'hang':
      return
    case 'drip': {
      response.writeHead(200, xml).flushHeaders()
      const timer = setInterval(() => response.write('<'), DRIP_MS)
      response.on('close', () => clearInterval(timer))
      return
    }
    case 'huge':
      response.writeHead(200, { ...xml, 'content-length': HUGE_BYTES }).end(Buffer.alloc(HUGE_BYTES, ' '))
      return
    case 'redirect':
      response.writeHead(302, { location: '/elsewhere' }).end()
      return
    case 'reset':
      request.socket.resetAndDestroy()
      return
    case 'not-http':
      request.socket.end('SSH-2.0-dropbear\r\n')
      return
    case 'deep':
      response.writeHead(200, xml).end('<a>'.repeat(100_000))
      return
    case 'doctype':
      response
        .writeHead(200, xml)
        .end(
          '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Envelope><Body>&b;</Body></Envelope>',
        )
      return
  }
}
