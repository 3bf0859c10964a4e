import { expect, it } from 'vitest'
import { FoundDevices } from '../../../../../streams/sources/onvif/found-devices.ts'

const id = 'urn:uuid:6f0d1f6e-0a0b-4c3d-9e0f-111213141516'

const answer = (endpoint: string, xaddr = 'http://192.0.2.1/', padding = 0) =>
  Buffer.from(
    `<Envelope><Header><RelatesTo>${id}</RelatesTo></Header><Body><ProbeMatches><ProbeMatch>` +
      `<EndpointReference><Address>${endpoint}</Address></EndpointReference><Types>dn:NetworkVideoTransmitter</Types>` +
      `<XAddrs>${xaddr}</XAddrs></ProbeMatch></ProbeMatches></Body></Envelope>${' '.repeat(padding)}`,
  )

function find(datagrams: Iterable<Buffer>, limit?: number): FoundDevices {
  const found = new FoundDevices(id, limit)
  for (const datagram of datagrams) found.take(datagram, '192.0.2.1')
  return found
}

it('keeps each device once, with the addresses of all its answers, at most 16', () => {
  const { devices } = find(Array.from({ length: 20 }, (_, i) => answer('a', `http://192.0.2.${i}/`)))
  expect(devices.map(({ endpoint }) => endpoint)).toEqual(['a'])
  expect(devices[0]?.xaddrs).toHaveLength(16)
})

it('keeps no more than it is told, and never more than 256', () => {
  const many = Array.from({ length: 300 }, (_, i) => answer(`${i}`))
  expect(find(many, 3).devices.map(({ endpoint }) => endpoint)).toEqual(['0', '1', '2'])
  expect(find(many, 1000).devices).toHaveLength(256)
  expect(find(many).full).toBe(true)
  expect(find(many.slice(1), 300).full).toBe(true)
  expect(find(many.slice(200)).full).toBe(false)
})

it('reads no long datagrams, and of a flood only its beginning', () => {
  expect(find([answer('a', '', 16_384)]).devices).toEqual([])
  expect(find([Buffer.alloc(60_000), answer('a')]).devices).toHaveLength(1)
  const flood = (length: number, bytes: number) => Array.from({ length }, () => Buffer.alloc(bytes))
  expect(find([...flood(250, 16_000), answer('a')]).devices).toHaveLength(1)
  expect(find([...flood(270, 16_000), answer('a')]).devices).toEqual([])
  expect(find([...flood(17_000, 0), answer('a')]).devices).toEqual([])
})
