import { expect, it } from 'vitest'
import { buildProbe, readProbeMatches } from '../../../../../streams/sources/onvif/probe-match.ts'
import { elementAt, parseXml, textAt } from '../../../../../streams/sources/onvif/xml.ts'

const id = 'urn:uuid:6f0d1f6e-0a0b-4c3d-9e0f-111213141516'

const matches = (inner: string, relatesTo = id) =>
  `<E:Envelope><E:Header><a:RelatesTo>${relatesTo}</a:RelatesTo></E:Header><E:Body><d:ProbeMatches>${inner}</d:ProbeMatches></E:Body></E:Envelope>`
const match = (xaddrs: string, scopes = '', types = 'dn:NetworkVideoTransmitter') =>
  `<d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address></a:EndpointReference><d:Types>${types}</d:Types>` +
  `<d:Scopes>${scopes}</d:Scopes><d:XAddrs>${xaddrs}</d:XAddrs></d:ProbeMatch>`
const read = (inner: string, relatesTo = id) => readProbeMatches(matches(inner, relatesTo), id, '192.0.2.9')

it('asks for video transmitters', () => {
  const probe = parseXml(buildProbe(id))
  expect(textAt(probe, 'Header', 'MessageID')).toBe(id)
  expect(textAt(probe, 'Header', 'To')).toBe('urn:schemas-xmlsoap-org:ws:2005:04:discovery')
  expect(textAt(probe, 'Header', 'Action')).toBe('http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe')
  expect(textAt(elementAt(probe, 'Body', 'Probe'), 'Types')).toBe('dn:NetworkVideoTransmitter')
})

it.each([
  [
    'the one it came from',
    'http://10.0.0.1/onvif/device_service http://192.0.2.9:8080/onvif/device_service',
    'onvif://192.0.2.9:8080',
  ],
  ['another path', 'http://192.0.2.9/onvif/x?y=1', 'onvif://192.0.2.9/onvif/x?y=1'],
  [
    'not a link-local one',
    'http://169.254.1.1/a http://[fe80::1]/b http://10.0.0.1/onvif/device_service',
    'onvif://10.0.0.1',
  ],
  ['no HTTPS', 'https://192.0.2.9/onvif/device_service', 'onvif://192.0.2.9'],
  ['none', 'x ftp://192.0.2.9/', 'onvif://192.0.2.9'],
  ['without credentials', 'http://u:p@192.0.2.9/onvif/device_service', 'onvif://192.0.2.9'],
])('the source is an address that leads there: %s', (_, xaddrs, source) => {
  const [device] = read(match(xaddrs))
  expect(device).toMatchObject({ source, address: '192.0.2.9' })
  expect(device?.xaddrs.join(' ')).not.toMatch(/u:p|ftp/)
})

it('scopes are decoded, and cannot write to a terminal', () => {
  const scopes =
    'onvif://www.onvif.org/name/A%1B%5B31mB onvif://www.onvif.org/Hardware/100%25 onvif://www.onvif.org/location/country/AT ' +
    'onvif://www.onvif.org/location/50%zz onvif://www.onvif.org/name/second http://other/name/x'
  expect(read(match('', scopes))[0]).toMatchObject({ name: 'A [31mB', hardware: '100%', location: 'country/AT, 50%zz' })
})

it('the id may have another scheme, or capitals', () => {
  expect(read(match(''), id.replace('urn:', '').toUpperCase())).toHaveLength(1)
  expect(read(match(''), '')).toEqual([])
  expect(read(match(''), id.replace('6f', '6e'))).toEqual([])
})

it('other kinds of device are left out, unless their scopes are ONVIF’s', () => {
  expect(read(match('', '', 'wsdp:Device'))).toEqual([])
  expect(read(match('', 'onvif://www.onvif.org/Profile/T', 'tds:Device'))).toHaveLength(1)
})

it('is bounded', () => {
  const [device] = read(match(Array.from({ length: 50 }, (_, i) => `http://192.0.2.${i}/`).join('\n')))
  expect(device?.xaddrs).toHaveLength(8)
  expect(read(match('').repeat(100))).toHaveLength(32)
})

it('faults and other messages are no answers', () => {
  for (const body of ['<Fault/>', '<Hello/>', '<ProbeMatches/>']) {
    expect(readProbeMatches(`<Envelope><Body>${body}</Body></Envelope>`, id, '192.0.2.9')).toEqual([])
  }
})
