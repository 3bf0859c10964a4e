/**
 * How a device checks who asks: WS-Security's PasswordDigest and HTTP Digest, written from their specifications and apart from
 * the product's code. Counts the logins that failed. Test support.
 */
import { createHash, randomBytes } from 'node:crypto'

export interface LoginOptions {
  /** `either` is what ONVIF Core §5.9.1 says of a device that knows both; `both` wants both at once. */
  demand: 'none' | 'wsse' | 'digest' | 'either' | 'both'
  user: string
  password: string
  algorithms: ('MD5' | 'SHA-256')[]
  realm: string
  /** Challenges without qop, as before RFC 2617. */
  withoutQop: boolean
  /** All challenges in one header. */
  oneHeader: boolean
  /** How often a nonce may be used before it is stale. */
  nonceUses: number
  /** What is used up is refused without saying that it was stale, as some devices do. */
  silentlyStale: boolean
  /** The device's clock, ms. */
  nowMs: () => number
}

export interface Presented {
  method: string
  /** The request's target. */
  target: string
  authorization: string | undefined
  security: Map<string, string> | undefined
}

export type Verdict = { ok: true } | { ok: false; challenges: string[] } | { ok: false; fault: true }

const WSS = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-'
const SECEXT = `{${WSS}wssecurity-secext-1.0.xsd}`
const CREATED = `{${WSS}wssecurity-utility-1.0.xsd}Created`
/** How far a token's time may be from the device's. */
const MAX_SKEW_MS = 5000
const OPAQUE = '5ccc069c403ebaf9f0171e9517f40e41'

export class Login {
  /** Credentials that were presented and are wrong; a stale nonce is none. */
  failed = 0
  readonly #options: LoginOptions
  readonly #nonces = new Map<string, { uses: number; count: number }>()
  readonly #tokens = new Set<string>()

  constructor(options: LoginOptions) {
    this.#options = options
  }

  check(presented: Presented): Verdict {
    const { demand } = this.#options
    if (demand === 'none') return { ok: true }
    if (demand === 'wsse') return this.#checkToken(presented)
    if (demand === 'digest') return this.#checkDigest(presented)
    if (demand === 'both') {
      const digest = this.#checkDigest(presented)
      return digest.ok ? this.#checkToken(presented) : digest
    }
    return presented.security ? this.#checkToken(presented) : this.#checkDigest(presented)
  }

  #checkToken({ security }: Presented): Verdict {
    if (security === undefined) return { ok: false, fault: true }
    const { user, password, nowMs } = this.#options
    const text = (name: string) => security.get(`${SECEXT}${name}`)?.trim() ?? ''
    const created = security.get(CREATED)?.trim() ?? ''
    const digest = createHash('sha1')
      .update(Buffer.from(text('Nonce'), 'base64'))
      .update(created, 'utf8')
      .update(password, 'utf8')
      .digest('base64')
    const right =
      security.get(`${SECEXT}Password@Type`) === `${WSS}username-token-profile-1.0#PasswordDigest` &&
      security.get(`${SECEXT}Nonce@EncodingType`) === `${WSS}soap-message-security-1.0#Base64Binary` &&
      text('Username') === user &&
      text('Password') === digest &&
      text('Nonce') !== '' &&
      !this.#tokens.has(text('Nonce')) &&
      Math.abs(Date.parse(created) - nowMs()) <= MAX_SKEW_MS
    this.#tokens.add(text('Nonce'))
    if (right) return { ok: true }
    this.failed++
    return { ok: false, fault: true }
  }

  #checkDigest({ method, target, authorization }: Presented): Verdict {
    if (authorization === undefined) return this.#challenge(false)
    const given = readParameters(authorization)
    const { algorithm, right } = this.#isRight(given, method, target)
    const nonce = this.#nonces.get(given.get('nonce') ?? '')
    const count = Number.parseInt(given.get('nc') ?? '', 16)
    const replayed = !this.#options.withoutQop && nonce !== undefined && !(count > nonce.count)
    if (!right || nonce === undefined || replayed || !this.#options.algorithms.includes(algorithm)) {
      this.failed++
      return this.#challenge(false)
    }
    nonce.count = count
    const { nonceUses, silentlyStale } = this.#options
    return ++nonce.uses > nonceUses ? this.#challenge(!silentlyStale) : { ok: true }
  }

  #isRight(given: Map<string, string>, method: string, target: string) {
    const { user, password, realm, withoutQop } = this.#options
    const algorithm = (given.get('algorithm') ?? 'MD5') as 'MD5' | 'SHA-256'
    const hash = (text: string) =>
      createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
        .update(text, 'utf8')
        .digest('hex')
    const qop = withoutQop ? '' : `${given.get('nc')}:${given.get('cnonce')}:auth:`
    const expected = hash(
      `${hash(`${user}:${realm}:${password}`)}:${given.get('nonce')}:${qop}${hash(`${method}:${target}`)}`,
    )
    const extended = given.get('username*')?.replace(/^UTF-8''/, '')
    const right =
      (given.get('username') ?? decodeURIComponent(extended ?? '')) === user &&
      given.get('realm') === realm &&
      given.get('uri') === target &&
      given.get('opaque') === OPAQUE &&
      (withoutQop || (given.get('qop') === 'auth' && /^[0-9a-f]{8}$/.test(given.get('nc') ?? ''))) &&
      given.get('response') === expected
    return { algorithm, right }
  }

  #challenge(stale: boolean): Verdict {
    const { algorithms, realm, withoutQop, oneHeader } = this.#options
    const challenges = algorithms.map((algorithm) => {
      const nonce = randomBytes(16).toString('base64')
      this.#nonces.set(nonce, { uses: 0, count: 0 })
      const more = withoutQop ? '' : `, qop="auth,auth-int", algorithm=${algorithm}`
      return `Digest realm="${realm.replaceAll(/["\\]/g, '\\$&')}", nonce="${nonce}", opaque="${OPAQUE}", stale=${stale ? 'TRUE' : 'FALSE'}${more}`
    })
    // Some web servers offer Basic as well; it must never be taken.
    const all = [...challenges, 'Basic realm="web"']
    return { ok: false, challenges: oneHeader ? [all.join(', ')] : all }
  }
}

function readParameters(authorization: string): Map<string, string> {
  const parameters = new Map<string, string>()
  if (!/^Digest /.test(authorization)) return parameters
  for (const [, name, quoted, plain] of authorization.matchAll(/([\w*]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
    parameters.set(name!, quoted?.replaceAll(/\\(.)/g, '$1') ?? plain!)
  }
  return parameters
}
