import { describe, expect, it } from 'vitest'
import { DeviceAuthentication } from '../../../../../streams/sources/onvif/device-authentication.ts'

const credentials = { user: 'u', password: 'p' }
const challenge = (nonce: string, stale = false) => ({
  challenges: [`Digest realm="r", nonce="${nonce}", qop="auth", stale=${stale}`],
  bySoap: false,
})
const bySoap = { challenges: [], bySoap: true }
const bare = { challenges: [], bySoap: false }

/** What is sent now: which schemes, which nonce, used for the how manieth time. */
function sent(authentication: DeviceAuthentication): string {
  const { authorization, security } = authentication.headers('/x', 0)
  const nonce = /nonce="(\w+)".* nc=0*(\d+)/.exec(authorization)
  return [security && 'token', nonce && `${nonce[1]}/${nonce[2]}`].filter(Boolean).join(' ')
}

describe('without credentials', () => {
  it('nothing is sent, and a refusal is final', () => {
    const authentication = new DeviceAuthentication(undefined)
    expect(sent(authentication)).toBe('')
    expect(authentication.refused(challenge('a'))).toBe(false)
  })
})

describe('with credentials', () => {
  it('nothing is sent before it is asked for', () => {
    expect(sent(new DeviceAuthentication(credentials))).toBe('')
  })

  it('a challenge is answered, and its nonce used again', () => {
    const authentication = new DeviceAuthentication(credentials)
    expect(authentication.refused(challenge('a'))).toBe(true)
    expect(sent(authentication)).toBe('a/1')
    authentication.accepted()
    expect([sent(authentication), sent(authentication)]).toEqual(['a/2', 'a/3'])
  })

  it('a nonce that is stale, or refused after it has worked, is replaced', () => {
    const authentication = new DeviceAuthentication(credentials)
    authentication.refused(challenge('a'))
    sent(authentication)
    expect(authentication.refused(challenge('b', true))).toBe(true)
    expect(sent(authentication)).toBe('b/1')
    authentication.accepted()
    // Some devices change the nonce without saying that the old one was stale.
    expect(authentication.refused(challenge('c'))).toBe(true)
    expect(sent(authentication)).toBe('c/1')
  })

  it('a device whose nonces are always stale is given up', () => {
    const authentication = new DeviceAuthentication(credentials)
    let attempts = 0
    while (authentication.refused(challenge('a', true))) expect(++attempts).toBeLessThan(10)
    expect(attempts).toBeGreaterThan(1)
  })

  it('HTTP Digest refused, the token is tried, and nothing after it', () => {
    const authentication = new DeviceAuthentication(credentials)
    expect(authentication.refused(challenge('a'))).toBe(true)
    expect(authentication.refused(challenge('b'))).toBe(true)
    expect(sent(authentication)).toBe('token')
    expect(authentication.refused(challenge('c'))).toBe(false)
  })

  it('HTTP Digest taken and SOAP not content, both are sent', () => {
    const authentication = new DeviceAuthentication(credentials)
    authentication.refused(challenge('a'))
    sent(authentication)
    expect(authentication.refused(bySoap)).toBe(true)
    expect(sent(authentication)).toBe('token a/2')
    expect(authentication.refused(bySoap)).toBe(false)
  })

  it.each([
    ['a fault', bySoap],
    ['a bare 401', bare],
  ])('after %s the token is tried', (_, refusal) => {
    const authentication = new DeviceAuthentication(credentials)
    expect(authentication.refused(refusal)).toBe(true)
    expect(sent(authentication)).toBe('token')
    expect(authentication.scheme).toBe('username-token')
    expect(authentication.refused(refusal)).toBe(false)
  })

  it('the token taken and HTTP not content, both are sent', () => {
    const authentication = new DeviceAuthentication(credentials)
    authentication.refused(bySoap)
    expect(authentication.refused(challenge('a'))).toBe(true)
    expect(sent(authentication)).toBe('token a/1')
    expect(authentication.refused(challenge('b'))).toBe(false)
  })

  it('the token has the device’s time', () => {
    const authentication = new DeviceAuthentication(credentials)
    authentication.refused(bySoap)
    expect(authentication.headers('/x', Date.UTC(1999, 0, 2)).security).toContain('>1999-01-02T00:00:00Z<')
  })
})
