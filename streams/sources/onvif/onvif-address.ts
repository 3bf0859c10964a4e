/**
 * Addresses of ONVIF: what a source names, and what a device gives, made reachable from here. Pure text.
 * Must never put a URL into a message: it may hold the password.
 */
import { GrabberError } from '../../../core/errors.ts'
import type { Credentials } from './username-token.ts'

/** ONVIF Core §5.1.1: the entry point of every device. */
const DEVICE_SERVICE = '/onvif/device_service'

export interface OnvifAddress {
  /** The device service, without credentials. */
  service: URL
  credentials: Credentials | undefined
  /** Token of the wanted profile. */
  profile: string | undefined
}

/** `onvif://[USER:PASSWORD@]HOST[:PORT][/PATH][?profile=TOKEN]`, port 80 unless told. Errors: SRC_UNSUPPORTED. */
export function parseOnvifUrl(text: string): OnvifAddress {
  // Read as HTTP, whose rules for hosts, ports and paths apply; a URL of an unknown scheme has no default port.
  const asHttp = /^onvif:\/\//i.test(text) ? text.replace(/^onvif/i, 'http') : ''
  const service = URL.canParse(asHttp) ? new URL(asHttp) : undefined
  if (service === undefined) {
    throw new GrabberError(
      'SRC_UNSUPPORTED',
      'the source is not of the form onvif://[USER:PASSWORD@]HOST[:PORT][/PATH]',
    )
  }
  const user = decoded(service.username)
  const credentials = user === '' ? undefined : { user, password: decoded(service.password) }
  const profile = service.searchParams.get('profile') ?? undefined
  service.searchParams.delete('profile')
  service.username = service.password = service.hash = ''
  if (service.pathname === '/') service.pathname = DEVICE_SERVICE
  return { service, credentials, profile }
}

/**
 * Where to reach a service that the device says is at `given`. A device behind NAT, or with several addresses, names one that
 * may not be reachable from here: then host and port are those that were `reached`. So are they for HTTPS, since a
 * camera's certificate can hardly ever be verified. Digests of the password are thus never sent to another host.
 */
export function reachableService(given: string, reached: URL): URL | undefined {
  if (given === '' || !URL.canParse(given, reached.href)) return undefined
  const url = new URL(given, reached)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  const near = new URL(reached)
  near.pathname = url.pathname
  near.search = url.search
  if (url.protocol === 'http:' && url.hostname === reached.hostname) near.port = url.port
  return near
}

/** Scheme, the device's own credentials, host, port, and the rest as it stands: a camera's paths need not be valid. */
const RTSP = /^(rtsps?):\/\/([^@/?#\s\p{C}]*@)?(\[[0-9a-f:.]+\]|[^:@/?#[\]\s\p{C}]+)(:\d{1,5})?([/?#][^\s\p{C}]*)?$/iu
/** FFmpeg's RTSP client cuts longer ones off. */
const MAX_URI_LENGTH = 1500

/**
 * The stream's URI as it can be opened from here, credentials percent-encoded in it; `undefined` for what is no RTSP.
 * The port stays: NAT of the device's HTTP port says nothing about RTSP's.
 */
export function reachableStream(given: string, reached: URL, credentials: Credentials | undefined): string | undefined {
  const match = RTSP.exec(given)
  if (match === null || given.length > MAX_URI_LENGTH) return undefined
  const [, scheme, own = '', , port = '', rest = ''] = match
  const userinfo = credentials ? `${encoded(credentials.user)}:${encoded(credentials.password)}@` : own
  const uri = `${scheme!.toLowerCase()}://${userinfo}${reached.hostname}${port}${rest}`
  return URL.canParse(uri) ? uri : undefined
}

/** A literal percent sign that was not encoded stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** RFC 3986 §2.2: the sub-delimiters that encodeURIComponent leaves are encoded too. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
