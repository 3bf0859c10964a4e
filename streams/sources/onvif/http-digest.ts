/**
 * HTTP Digest (RFC 7616) with MD5 and SHA-256, `qop=auth` or the older form without. Pure; session hosts and commands.
 * Stale nonces and the count of uses are the caller's (device-authentication).
 */
import { createHash } from 'node:crypto'
import type { Credentials } from './username-token.ts'

const HASHES = { 'SHA-256': 'sha256', MD5: 'md5' } as const
/** Strongest first. RFC 7616 §3.7 lets the client decide so by policy; cameras that offer both put MD5 first. */
const ALGORITHMS = Object.keys(HASHES) as (keyof typeof HASHES)[]

export interface DigestChallenge {
  realm: string
  nonce: string
  opaque: string | undefined
  algorithm: keyof typeof HASHES
  /** False for a challenge without qop (RFC 2069), which old cameras send. */
  qop: boolean
  /** The nonce was too old, the password may be right. */
  stale: boolean
}

/** The strongest challenge of these `WWW-Authenticate` headers that can be answered. */
export function digestChallenge(headers: readonly string[]): DigestChallenge | undefined {
  const challenges = headers.flatMap(splitChallenges).flatMap(({ scheme, parameters }): DigestChallenge[] => {
    const algorithm = ALGORITHMS.find((name) => name === (parameters.get('algorithm') ?? 'MD5').toUpperCase())
    const nonce = parameters.get('nonce')
    const qops = parameters
      .get('qop')
      ?.toLowerCase()
      .split(/[\s,]+/)
    if (scheme !== 'digest' || algorithm === undefined || nonce === undefined) return []
    if (qops !== undefined && !qops.includes('auth')) return []
    const stale = parameters.get('stale')?.toLowerCase() === 'true'
    const realm = parameters.get('realm') ?? ''
    return [{ realm, nonce, opaque: parameters.get('opaque'), algorithm, qop: qops !== undefined, stale }]
  })
  return challenges.sort((a, b) => ALGORITHMS.indexOf(a.algorithm) - ALGORITHMS.indexOf(b.algorithm))[0]
}

export interface DigestUse {
  method: string
  /** The request's target: path and query. */
  uri: string
  /** How often the nonce was used, this time included. */
  count: number
  cnonce: string
}

/** The value of the `Authorization` header. */
export function digestAuthorization(
  challenge: DigestChallenge,
  { user, password }: Credentials,
  use: DigestUse,
): string {
  const { realm, nonce, opaque, algorithm, qop } = challenge
  const hash = (...parts: string[]) => createHash(HASHES[algorithm]).update(parts.join(':')).digest('hex')
  const nc = use.count.toString(16).padStart(8, '0')
  const middle = qop ? [nonce, nc, use.cnonce, 'auth'] : [nonce]
  const response = hash(hash(user, realm, password), ...middle, hash(use.method, use.uri))
  return `Digest ${[
    userParameter(user),
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(use.uri)}`,
    `response="${response}"`,
    // Old servers that sent none do not know MD5 by name.
    ...(qop || algorithm !== 'MD5' ? [`algorithm=${algorithm}`] : []),
    ...(qop ? ['qop=auth', `nc=${nc}`, `cnonce=${quoted(use.cnonce)}`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
  ].join(', ')}`
}

/** A name that a header cannot hold goes in the extended notation of RFC 5987 (RFC 7616 §3.4). */
function userParameter(user: string): string {
  if (/^[\x20-\x7E]*$/.test(user)) return `username=${quoted(user)}`
  const encoded = encodeURIComponent(user).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `username*=UTF-8''${encoded}`
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}

interface Challenge {
  /** In lower case. */
  scheme: string
  parameters: Map<string, string>
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"

/** One header may hold several challenges, with commas between them and inside them (RFC 9110 §11.6.1). */
function splitChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  const separators = /[\s,]*/y
  const parameter = new RegExp(`(${TOKEN})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]+))[ \\t]*(?=,|$)`, 'y')
  const scheme = new RegExp(`(${TOKEN})(?=[\\s,]|$)`, 'y')
  const next = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at
    return pattern.exec(header)
  }
  for (let at = next(separators, 0)![0].length; at < header.length; at += next(separators, at)![0].length) {
    const found = next(parameter, at)
    const begun = found ? null : next(scheme, at)
    if (found) challenges.at(-1)?.parameters.set(found[1]!.toLowerCase(), unquoted(found[2]) ?? found[3]!)
    else if (begun) challenges.push({ scheme: begun[1]!.toLowerCase(), parameters: new Map() })
    // What is neither is passed over up to the next comma.
    const comma = header.indexOf(',', at)
    at = found || begun ? at + (found ?? begun)![0].length : comma < 0 ? header.length : comma
  }
  return challenges
}

function unquoted(text: string | undefined): string | undefined {
  return text?.replaceAll(/\\(.)/g, '$1')
}
