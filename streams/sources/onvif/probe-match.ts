/**
 * WS-Discovery (April 2005) as ONVIF Core §7 uses it: builds a Probe, reads ProbeMatches. Pure; commands and session hosts.
 */
import { plainText } from './plain-text.ts'
import { envelope, readSoap } from './soap.ts'
import { elementAt, elementsNamed, textAt, type XmlElement } from './xml.ts'

export interface DiscoveredDevice {
  /** The endpoint reference, by which a device is known whatever its address. */
  endpoint: string
  /** A source for the configuration, credentials left out. */
  source: string
  /** Where the answer came from. */
  address: string
  /** Addresses of its device service, as it gives them. */
  xaddrs: string[]
  /** Local names: `NetworkVideoTransmitter`, `Device`. */
  types: string[]
  name: string | null
  hardware: string | null
  location: string | null
}

const ADDRESSING = 'http://schemas.xmlsoap.org/ws/2004/08/addressing'
const DISCOVERY = 'http://schemas.xmlsoap.org/ws/2005/04/discovery'

/** For video transmitters; `messageId` is a URI, the same in every copy. */
export function buildProbe(messageId: string): string {
  return envelope(
    `<d:Probe xmlns:d="${DISCOVERY}"><d:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter</d:Types></d:Probe>`,
    `<a:Action xmlns:a="${ADDRESSING}" s:mustUnderstand="1">${DISCOVERY}/Probe</a:Action>` +
      `<a:MessageID xmlns:a="${ADDRESSING}">${messageId}</a:MessageID>` +
      `<a:ReplyTo xmlns:a="${ADDRESSING}"><a:Address>${ADDRESSING}/role/anonymous</a:Address></a:ReplyTo>` +
      `<a:To xmlns:a="${ADDRESSING}" s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>`,
  )
}

/** Matches that are read of one datagram; a discovery proxy may know several devices. */
const MAX_MATCHES = 32
const MAX_XADDRS = 8

/** The devices in an answer to the probe; none when it is an answer to something else. Errors: SRC_ONVIF for what is no SOAP. */
export function readProbeMatches(text: string, messageId: string, from: string): DiscoveredDevice[] {
  const { header, content } = readSoap(text)
  if (!('element' in content) || content.element.name !== 'ProbeMatches') return []
  // Schemes of the same id differ: `urn:uuid:` and `uuid:`.
  const uuid = messageId.slice(messageId.lastIndexOf(':') + 1).toLowerCase()
  if (!textAt(header, 'RelatesTo').toLowerCase().endsWith(uuid)) return []
  return elementsNamed(content.element, 'ProbeMatch')
    .slice(0, MAX_MATCHES)
    .flatMap((match) => readMatch(match, from))
}

function readMatch(match: XmlElement, from: string): DiscoveredDevice[] {
  const endpoint = plainText(textAt(elementAt(match, 'EndpointReference'), 'Address'))
  const types = words(textAt(match, 'Types')).map((type) => plainText(type.slice(type.indexOf(':') + 1)))
  const scopes = readScopes(words(textAt(match, 'Scopes')))
  // Others answer too: printers and Windows machines speak WS-Discovery.
  const isCamera = types.includes('NetworkVideoTransmitter') || scopes.onvif
  if (endpoint === '' || !isCamera) return []
  const addresses = words(textAt(match, 'XAddrs')).flatMap(readAddress).slice(0, MAX_XADDRS)
  const { name, hardware, location } = scopes
  const xaddrs = addresses.map(({ href }) => href)
  return [{ endpoint, source: sourceOf(addresses, from), address: from, xaddrs, types, name, hardware, location }]
}

/** Types, Scopes and XAddrs are lists of URIs between blanks. */
function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

function readAddress(text: string): URL[] {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) return []
  url.username = url.password = url.hash = ''
  return [url]
}

/** The address that surely leads there: the one the answer came from, when the device names it; else its first that is not link-local. */
function sourceOf(addresses: readonly URL[], from: string): string {
  const plain = addresses.filter(({ protocol }) => protocol === 'http:')
  const chosen =
    plain.find(({ hostname }) => hostname === from) ??
    plain.find(({ hostname }) => !/^(169\.254\.|\[fe80:)/i.test(hostname))
  if (chosen === undefined) return `onvif://${from}`
  const path = `${chosen.pathname}${chosen.search}`
  return `onvif://${chosen.host}${path === '/onvif/device_service' ? '' : path}`
}

const SCOPE = /^onvif:\/\/www\.onvif\.org\/([^/]+)\/(.*)$/i

/** ONVIF Core §7.3.2.2: `onvif://www.onvif.org/name/…`, values percent-encoded. */
function readScopes(scopes: readonly string[]) {
  const values = (category: string) =>
    scopes.flatMap((scope) => {
      const [, found, value] = SCOPE.exec(scope) ?? []
      const text = found?.toLowerCase() === category ? plainText(decoded(value!)) : ''
      return text === '' ? [] : [text]
    })
  return {
    onvif: scopes.some((scope) => SCOPE.test(scope)),
    name: values('name')[0] ?? null,
    hardware: values('hardware')[0] ?? null,
    location: values('location').join(', ') || null,
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
