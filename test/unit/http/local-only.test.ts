import { describe, expect, it } from 'vitest'
import { foreignRequest, isLoopback } from '../../../src/http/local-only.ts'

const code = (headers: Record<string, string | undefined>, local = true) => foreignRequest(headers, local)?.code

describe('a request that changes something', () => {
  it.each(['localhost', 'LocalHost:8080', '127.0.0.1', '127.1.2.3:80', '[::1]', '[::1]:8080'])(
    'is taken at %s',
    (host) => {
      expect(code({ host })).toBeUndefined()
    },
  )

  it.each([
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.evil.example',
    '192.0.2.1',
    '0.0.0.0',
    '[::2]',
    '::1:80:evil',
    'localhost:80:90x',
  ])('is refused at %s', (host) => {
    expect(code({ host })).toBe('API_FORBIDDEN')
  })

  it.each(['http://evil.example', 'http://127.0.0.1:8080', 'null', ''])('is refused from a page of %s', (origin) => {
    expect(code({ host: '127.0.0.1', origin })).toBe('API_FORBIDDEN')
  })

  it('is refused where the server listens beyond this machine', () => {
    expect(code({ host: '127.0.0.1' }, false)).toBe('API_FORBIDDEN')
    expect(['0.0.0.0', '::', '192.0.2.1', 'localhost.example', '127.0.0.1.example'].some(isLoopback)).toBe(false)
  })
})
