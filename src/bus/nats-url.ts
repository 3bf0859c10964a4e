/**
 * NATS addresses from configuration: servers, credentials, and a form that may be shown. Pure; no I/O.
 */
import { GrabberError } from '../../core/errors.ts'

export interface NatsAddress {
  servers: string[]
  user?: string
  pass?: string
  token?: string
  tls?: object
  /** Without credentials, for logs and messages. */
  shown: string
}

/** CFG_INVALID when it is not `nats://` or `tls://`. Credentials of the first server hold for all; a lone user is a token. */
export function parseNatsUrl(text: string): NatsAddress {
  const urls = text.split(',').map((part) => parseOne(part.trim()))
  const servers = urls.map((url) => (url.port === '' ? `${url.hostname}:4222` : url.host))
  const address: NatsAddress = { servers, shown: servers.join(',') }
  const { username, password, protocol } = urls[0]!
  if (password !== '') {
    address.user = decodeURIComponent(username)
    address.pass = decodeURIComponent(password)
  } else if (username !== '') {
    address.token = decodeURIComponent(username)
  }
  if (protocol === 'tls:') address.tls = {}
  return address
}

function parseOne(text: string): URL {
  const url = URL.parse(text)
  if (url !== null && url.hostname !== '' && (url.protocol === 'nats:' || url.protocol === 'tls:')) return url
  // The text may hold a password, so it is not repeated.
  throw new GrabberError('CFG_INVALID', 'nats.url is not an address of a NATS server', {
    remedy: 'write nats://host:4222, tls://host:4222, auto or none',
  })
}
