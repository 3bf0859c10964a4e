/**
 * Whether a request that changes something may be acted on, as long as nobody can say who sent it: only on a loopback address, and
 * only from a program of this machine, not from a web page that a browser here has open. Pure.
 *
 * - A page of any site can have the browser send a POST to 127.0.0.1 (cross-site request forgery). Browsers put `Origin` on each
 *   POST (Fetch Standard, "append a request `Origin` header"), programs do not: its presence is the sign (OWASP, Cross-Site Request
 *   Forgery Prevention Cheat Sheet, "Verifying Origin With Standard Headers").
 * - A name that is made to point to 127.0.0.1 after the page was loaded makes the page and this server one origin (DNS rebinding;
 *   Jackson et al., Protecting Browsers from DNS Rebinding Attacks, CCS 2007, whose advice is to check `Host`).
 */
import { GrabberError } from '../../core/errors.ts'

/** `localhost`, 127.0.0.0/8 (RFC 1122, 3.2.1.3) or ::1. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

/** What is wrong with it; `undefined` when it may be acted on. `local`: the server listens on a loopback address. */
export function foreignRequest(headers: Record<string, string | undefined>, local: boolean): GrabberError | undefined {
  if (!local) return forbidden('HTTP listens beyond this machine, and has no authentication yet')
  if (headers.origin !== undefined) return forbidden('the request comes from a web page')
  if (!isLoopback(nameOf(headers.host ?? '')))
    return forbidden('the request is not addressed to this machine by a loopback name')
  return undefined
}

function forbidden(message: string): GrabberError {
  return new GrabberError('API_FORBIDDEN', message)
}

/** Without the port, and without the brackets of IPv6. */
function nameOf(host: string): string {
  const name = host.replace(/:\d*$/, '').toLowerCase()
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
}
