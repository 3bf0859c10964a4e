/**
 * Calls operations of one device, one after the other, authenticated as the device wants it. Session hosts and commands.
 * Owns the device's clock offset and what was learnt of its authentication; keeps no connection.
 * Must never name credentials or a device's own text in an error.
 */
import type { Clock } from '../../../core/clock.ts'
import { GrabberError } from '../../../core/errors.ts'
import { DeviceAuthentication } from './device-authentication.ts'
import { type HttpAnswer, post } from './http-post.ts'
import type { Operation } from './media-service.ts'
import { envelope, type Fault, readSoap } from './soap.ts'
import type { Credentials } from './username-token.ts'
import type { XmlElement } from './xml.ts'

const SCHEMA = 'http://www.onvif.org/ver10/schema'

/** SRC_ONVIF: the device understood, and says no. */
export class OnvifFault extends GrabberError {
  constructor(operation: string, { codes }: Fault) {
    super('SRC_ONVIF', `the camera refuses ${operation} (${codes.join(', ') || 'no code'})`, {
      context: { operation, codes },
    })
    this.name = 'OnvifFault'
  }
}

export interface OnvifSessionOptions {
  credentials: Credentials | undefined
  clock: Clock
  /** Ends a call that is under way; its reason is what the call rejects with. */
  signal: AbortSignal
}

type Outcome = { element: XmlElement } | { refusal: { challenges: readonly string[]; bySoap: boolean } }

export class OnvifSession {
  /** Device time minus ours, ms. */
  clockOffsetMs = 0
  readonly authentication: DeviceAuthentication
  /** The operation that was called last. */
  current = ''
  readonly #options: OnvifSessionOptions

  constructor(options: OnvifSessionOptions) {
    this.#options = options
    this.authentication = new DeviceAuthentication(options.credentials)
  }

  /** The response's element. Errors: SRC_AUTH, SRC_DNS, SRC_UNREACHABLE, SRC_TIMEOUT, SRC_ONVIF (OnvifFault when it is the device's). */
  async call(service: URL, operation: Operation): Promise<XmlElement> {
    for (;;) {
      const outcome = await this.#send(service, operation, true)
      if ('element' in outcome) {
        this.authentication.accepted()
        return outcome.element
      }
      if (!this.authentication.refused(outcome.refusal)) throw this.#unauthorized(operation)
    }
  }

  /** The same without credentials, whatever was learnt; `undefined` when the device wants some. */
  async callOpenly(service: URL, operation: Operation): Promise<XmlElement | undefined> {
    const outcome = await this.#send(service, operation, false)
    return 'element' in outcome ? outcome.element : undefined
  }

  async #send(service: URL, operation: Operation, authenticated: boolean): Promise<Outcome> {
    const { clock, signal } = this.#options
    const { name, namespace, content } = operation
    this.current = name
    const uri = `${service.pathname}${service.search}`
    const { authorization, security } = authenticated
      ? this.authentication.headers(uri, clock.nowMs() + this.clockOffsetMs)
      : { authorization: '', security: '' }
    const headers = {
      'content-type': `application/soap+xml; charset=utf-8; action="${namespace}/${name}"`,
      ...(authorization && { authorization }),
    }
    const body = `<t:${name} xmlns:t="${namespace}" xmlns:tt="${SCHEMA}">${content}</t:${name}>`
    return readOutcome(name, await post(service, headers, envelope(body, security), signal))
  }

  #unauthorized({ name }: Operation): GrabberError {
    if (this.#options.credentials === undefined) {
      return new GrabberError(
        'SRC_AUTH',
        `the camera wants a user and a password for ${name}, and its source names none`,
      )
    }
    const { scheme } = this.authentication
    return new GrabberError('SRC_AUTH', `the camera refuses the credentials of its source for ${name}`, {
      context: { operation: name, scheme },
    })
  }
}

function readOutcome(name: string, { status, challenges, body }: HttpAnswer): Outcome {
  if (status === 401 || status === 403) return { refusal: { challenges, bySoap: false } }
  if (status >= 300 && status < 400) {
    throw new GrabberError('SRC_ONVIF', `the camera answers ${name} with a redirection, which is not followed`)
  }
  const content = readContent(name, status, body)
  if ('fault' in content) {
    if (content.fault.unauthorized) return { refusal: { challenges: [], bySoap: true } }
    throw new OnvifFault(name, content.fault)
  }
  if (content.element.name === `${name}Response`) return content
  throw new GrabberError('SRC_ONVIF', `the camera answers ${name} with another answer`)
}

function readContent(name: string, status: number, body: string): { element: XmlElement } | { fault: Fault } {
  try {
    return readSoap(body).content
  } catch (error) {
    const what = error instanceof GrabberError ? error.message : 'an answer cannot be read'
    throw new GrabberError(
      'SRC_ONVIF',
      `the camera answers ${name} with HTTP status ${status}, not with ONVIF: ${what}`,
      {
        cause: error,
      },
    )
  }
}
