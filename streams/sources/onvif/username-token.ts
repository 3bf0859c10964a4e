/**
 * WS-Security: the UsernameToken with PasswordDigest (OASIS WSS UsernameToken Profile 1.0), as ONVIF Core §5.9.5 demands it:
 * always with a nonce and a time of creation. Pure; session hosts and commands. The password never leaves its digest.
 */
import { createHash, randomBytes } from 'node:crypto'
import { escapeXml } from './xml.ts'

export interface Credentials {
  user: string
  password: string
}

const WSS = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-'

/** The `wsse:Security` header block, for an envelope whose prefix is `s`. `createdMs` is the device's time. */
export function usernameToken(
  { user, password }: Credentials,
  createdMs: number,
  nonce: Uint8Array = randomBytes(16),
): string {
  // To the second, as in the Application Programmer's Guide: not every device reads fractions.
  const created = `${new Date(createdMs).toISOString().slice(0, 19)}Z`
  return (
    `<wsse:Security s:mustUnderstand="1" xmlns:wsse="${WSS}wssecurity-secext-1.0.xsd" xmlns:wsu="${WSS}wssecurity-utility-1.0.xsd">` +
    `<wsse:UsernameToken><wsse:Username>${escapeXml(user)}</wsse:Username>` +
    `<wsse:Password Type="${WSS}username-token-profile-1.0#PasswordDigest">${passwordDigest(nonce, created, password)}</wsse:Password>` +
    `<wsse:Nonce EncodingType="${WSS}soap-message-security-1.0#Base64Binary">${Buffer.from(nonce).toString('base64')}</wsse:Nonce>` +
    `<wsu:Created>${created}</wsu:Created></wsse:UsernameToken></wsse:Security>`
  )
}

/** Base64(SHA-1(nonce + created + password)). */
export function passwordDigest(nonce: Uint8Array, created: string, password: string): string {
  return createHash('sha1').update(nonce).update(created).update(password).digest('base64')
}
