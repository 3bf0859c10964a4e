import { describe, expect, it } from 'vitest'
import { parseOnvifUrl, reachableService, reachableStream } from '../../../../../streams/sources/onvif/onvif-address.ts'

describe('a source', () => {
  it.each([
    ['onvif://192.0.2.1', 'http://192.0.2.1/onvif/device_service', undefined, undefined],
    ['ONVIF://cam.example:8080/', 'http://cam.example:8080/onvif/device_service', undefined, undefined],
    ['onvif://[2001:db8::1]:80/a?b=c', 'http://[2001:db8::1]/a?b=c', undefined, undefined],
    ['onvif://u@h/x?profile=P%201&y=1#z', 'http://h/x?y=1', { user: 'u', password: '' }, 'P 1'],
    ['onvif://a%40b:p%3Aq%2F@h', 'http://h/onvif/device_service', { user: 'a@b', password: 'p:q/' }, undefined],
    ['onvif://u:50%off@h', 'http://h/onvif/device_service', { user: 'u', password: '50%off' }, undefined],
  ])('%s', (text, service, credentials, profile) => {
    const address = parseOnvifUrl(text)
    expect({ ...address, service: address.service.href }).toEqual({ service, credentials, profile })
  })

  it.each([
    'onvif:',
    'onvif://',
    'onvif://u:geheim@',
    'http://u:geheim@h',
    'onvif://u:geheim@h:99999',
    'onvif://u:geheim@h h',
    '',
  ])('is not %s, and the error does not show it', (text) => {
    expect(() => parseOnvifUrl(text)).toThrow(expect.objectContaining({ code: 'SRC_UNSUPPORTED' }))
    expect(() => parseOnvifUrl(text)).not.toThrow(/geheim/)
  })
})

describe('a service', () => {
  const reached = new URL('http://cam.example:8080/onvif/device_service')
  it.each([
    ['http://cam.example:8081/m?x=1', 'http://cam.example:8081/m?x=1'],
    ['http://cam.example/m', 'http://cam.example/m'],
    ['http://10.0.0.1/m?x=1', 'http://cam.example:8080/m?x=1'],
    ['http://10.0.0.1:8999/m', 'http://cam.example:8080/m'],
    ['https://cam.example/m', 'http://cam.example:8080/m'],
    ['/m', 'http://cam.example:8080/m'],
    ['http://u:p@10.0.0.1/m', 'http://cam.example:8080/m'],
    ['http://10.0.0.1//evil.example/m', 'http://cam.example:8080//evil.example/m'],
    ['//evil.example/m', 'http://cam.example:8080/m'],
  ])('%s is reached at %s', (given, url) => expect(reachableService(given, reached)?.href).toBe(url))

  it.each(['', 'ftp://10.0.0.1/m', 'javascript:alert(1)', 'http://'])('%j is none', (given) =>
    expect(reachableService(given, reached)).toBeUndefined(),
  )
})

describe('a stream', () => {
  const reached = new URL('http://192.0.2.1:8080/')
  it('gets host and credentials, keeps the rest', () => {
    const credentials = { user: 'a@b', password: "p%:/?#[]!'()*ö" }
    expect(reachableStream('RTSP://10.0.0.1:8554/cam/realmonitor?channel=1&subtype=0', reached, credentials)).toBe(
      'rtsp://a%40b:p%25%3A%2F%3F%23%5B%5D%21%27%28%29%2A%C3%B6@192.0.2.1:8554/cam/realmonitor?channel=1&subtype=0',
    )
    expect(reachableStream('rtsps://[2001:db8::1]/%zz|"', reached, undefined)).toBe('rtsps://192.0.2.1/%zz|"')
    expect(reachableStream('rtsp://10.0.0.1', new URL('http://[2001:db8::2]/'), undefined)).toBe('rtsp://[2001:db8::2]')
  })

  it('has the device’s own credentials when there are no others', () => {
    expect(reachableStream('rtsp://x:y@10.0.0.1/z', reached, undefined)).toBe('rtsp://x:y@192.0.2.1/z')
    expect(reachableStream('rtsp://x:y@10.0.0.1/z', reached, { user: 'u', password: '' })).toBe('rtsp://u:@192.0.2.1/z')
  })

  it.each([
    '',
    'http://10.0.0.1/z',
    'file:///etc/passwd',
    'rtsp://10.0.0.1/a b',
    'rtsp://10.0.0.1/a\u0007',
    'rtsp:///z',
    'concat:rtsp://10.0.0.1/z',
    `rtsp://10.0.0.1/${'z'.repeat(2000)}`,
  ])('is none: %j', (given) => expect(reachableStream(given, reached, undefined)).toBeUndefined())
})
