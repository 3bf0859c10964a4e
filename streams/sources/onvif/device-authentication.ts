/**
 * Finds out how a device wants to be authenticated, and does it: nothing, HTTP Digest, WS-Security, or both at once.
 * One for each device; session hosts and commands. Pure but for random nonces.
 *
 * The order is ONVIF Core's (§5.9.1): a request goes without credentials first; a device with HTTP Digest answers 401 with a
 * challenge, one that knows only the UsernameToken a SOAP fault. So the right password never counts as a failed login, and a
 * wrong one counts twice at most: cameras lock an account after a few.
 */
import { randomBytes } from 'node:crypto'
import { type DigestChallenge, digestAuthorization, digestChallenge } from './http-digest.ts'
import { type Credentials, usernameToken } from './username-token.ts'

export type AuthenticationScheme = 'none' | 'digest' | 'username-token' | 'both'

export interface Refusal {
  /** `WWW-Authenticate` headers of a 401. */
  challenges: readonly string[]
  /** The message was refused by SOAP, so that HTTP was content with it. */
  bySoap: boolean
}

/** New nonces that are taken for one request; a device that never accepts its own is given up. */
const MAX_STALE = 3

export class DeviceAuthentication {
  readonly #credentials: Credentials | undefined
  #scheme: AuthenticationScheme = 'none'
  #refused = new Set<AuthenticationScheme>()
  #challenge: DigestChallenge | undefined
  #uses = 0
  /** The nonce has worked before; a refusal may mean no more than that it is used up. */
  #proven = false
  #stale = 0

  constructor(credentials: Credentials | undefined) {
    this.#credentials = credentials
  }

  get scheme(): AuthenticationScheme {
    return this.#scheme
  }

  /** For a POST of `uri` at `deviceTimeMs`, the device's own time: a header of HTTP and one of SOAP, each empty when not wanted. */
  headers(uri: string, deviceTimeMs: number): { authorization: string; security: string } {
    const credentials = this.#credentials
    const none = { authorization: '', security: '' }
    if (credentials === undefined || this.#scheme === 'none') return none
    const security = this.#scheme === 'digest' ? '' : usernameToken(credentials, deviceTimeMs)
    if (this.#scheme === 'username-token' || this.#challenge === undefined) return { ...none, security }
    const use = { method: 'POST', uri, count: ++this.#uses, cnonce: randomBytes(8).toString('hex') }
    return { authorization: digestAuthorization(this.#challenge, credentials, use), security }
  }

  /** The device took the last request. */
  accepted(): void {
    this.#refused.clear()
    this.#proven = true
    this.#stale = 0
  }

  /** Whether it is worth sending the request again, with new headers. False: the credentials are wrong, or lack a right. */
  refused({ challenges, bySoap }: Refusal): boolean {
    if (this.#credentials === undefined) return false
    const challenge = digestChallenge(challenges)
    if (this.#renews(challenge)) return true
    this.#refused.add(this.#scheme)
    const next = this.#after(challenge, bySoap)
    if (next === undefined || this.#refused.has(next)) return false
    this.#take(challenge)
    this.#scheme = next
    return true
  }

  /** A nonce that is used up, and not a wrong password. */
  #renews(challenge: DigestChallenge | undefined): boolean {
    const uses = this.#scheme === 'digest' || this.#scheme === 'both'
    if (!uses || challenge === undefined || !(challenge.stale || this.#proven)) return false
    if (++this.#stale > MAX_STALE) return false
    this.#take(challenge)
    return true
  }

  #after(challenge: DigestChallenge | undefined, bySoap: boolean): AuthenticationScheme | undefined {
    switch (this.#scheme) {
      case 'none':
        return challenge ? 'digest' : 'username-token'
      case 'digest':
        // HTTP was content: the UsernameToken is missing. Otherwise ONVIF may have users of its own, apart from the web's.
        return bySoap ? 'both' : 'username-token'
      case 'username-token':
        return challenge && !this.#refused.has('digest') ? 'both' : undefined
      case 'both':
        return undefined
    }
  }

  #take(challenge: DigestChallenge | undefined): void {
    if (challenge === undefined) return
    this.#challenge = challenge
    this.#uses = 0
    this.#proven = false
  }
}
