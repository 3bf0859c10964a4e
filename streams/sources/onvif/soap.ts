/**
 * SOAP 1.2 envelopes: builds requests, reads answers and faults. Pure; session hosts and commands.
 * Must never carry a device's free text into an error: a fault's codes are reported, its reason is not.
 */
import { GrabberError } from '../../../core/errors.ts'
import { elementAt, elementsNamed, parseXml, textAt, type XmlElement } from './xml.ts'

export const SOAP_NAMESPACE = 'http://www.w3.org/2003/05/soap-envelope'

/** `header` and `body` are XML; their namespaces are theirs to declare, but for `s:`, the envelope's. */
export function envelope(body: string, header = ''): string {
  const head = header === '' ? '' : `<s:Header>${header}</s:Header>`
  return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="${SOAP_NAMESPACE}">${head}<s:Body>${body}</s:Body></s:Envelope>`
}

export interface Fault {
  /** Local names, outermost first: `Sender`, `NotAuthorized`. */
  codes: readonly string[]
  /** The device wants other credentials, or any. */
  unauthorized: boolean
}

export interface SoapMessage {
  header: XmlElement | undefined
  /** The one element of the body, or a fault. */
  content: { element: XmlElement } | { fault: Fault }
}

/** Reads SOAP 1.2, and the 1.1 that some devices fall back to in faults. Errors: SRC_ONVIF. */
export function readSoap(text: string): SoapMessage {
  const root = parseXml(text)
  const body = root.name === 'Envelope' ? elementAt(root, 'Body') : undefined
  if (body === undefined) throw new GrabberError('SRC_ONVIF', 'an answer is no SOAP message')
  const element = body.children[0]
  if (element === undefined) throw new GrabberError('SRC_ONVIF', 'an answer has an empty body')
  const content = element.name === 'Fault' ? { fault: readFault(element) } : { element }
  return { header: elementAt(root, 'Header'), content }
}

/** `ter:NotAuthorized` of ONVIF Core §5.9.1; the others are WS-Security's (SOAP Message Security 1.0 §12). */
const UNAUTHORIZED = new Set([
  'NotAuthorized',
  'FailedAuthentication',
  'FailedCheck',
  'InvalidSecurity',
  'InvalidSecurityToken',
])
/** Devices that give no subcode say it in their reason: gSOAP's default, and a few that were seen. */
const UNAUTHORIZED_REASON = /not authori[sz]ed|unauthori[sz]ed|authenticat|authority failure/i
/** A subcode in a subcode in a subcode: ONVIF uses two. */
const MAX_CODES = 4

function readFault(fault: XmlElement): Fault {
  const codes: string[] = []
  const note = (text: string) => {
    const name = /[\w.-]{1,64}$/.exec(text)?.[0]
    if (name !== undefined) codes.push(name)
  }
  for (let code = elementAt(fault, 'Code'); code && codes.length < MAX_CODES; code = elementAt(code, 'Subcode')) {
    note(textAt(code, 'Value'))
  }
  note(textAt(fault, 'faultcode'))
  const reasons = [...elementsNamed(elementAt(fault, 'Reason'), 'Text'), ...elementsNamed(fault, 'faultstring')]
  const unauthorized =
    codes.some((code) => UNAUTHORIZED.has(code)) || reasons.some(({ text }) => UNAUTHORIZED_REASON.test(text))
  return { codes, unauthorized }
}
