/**
 * Finds the stream of an ONVIF device: its clock, its media service, its profiles, the stream's URI. Session hosts and commands.
 * "Ask until an answer, an error or an abort", nothing more: when to try again is the camera actor's.
 * The URI holds the password: it is for the demuxer, and must never be logged.
 */
import { type Clock, systemClock } from '../../../core/clock.ts'
import { GrabberError } from '../../../core/errors.ts'
import { askDevice, askDeviceTimeMs, findMedia, type MediaEndpoint, type OnvifDevice } from './device-service.ts'
import { chooseProfile, type OnvifProfile, type RtpTransport } from './media-service.ts'
import { type OnvifAddress, parseOnvifUrl, reachableStream } from './onvif-address.ts'
import { OnvifSession } from './onvif-session.ts'
import { plainText } from './plain-text.ts'

export interface OnvifRequest {
  /** `onvif://[USER:PASSWORD@]HOST[:PORT][/PATH][?profile=TOKEN]`. */
  url: string
  /** Token of the wanted profile, before the one of the URL; the largest picture when neither is given. */
  profile?: string
  /** How RTP is to come; 'tcp' unless told. */
  transport?: RtpTransport
  /** For everything together. */
  timeoutMs: number
  /** Cuts it short: SRC_TIMEOUT, as an opening that is cut short. */
  signal?: AbortSignal
  clock?: Clock
}

export interface OnvifStream {
  /** `rtsp://` with the credentials percent-encoded in it: never to be logged. */
  uri: string
  profile: OnvifProfile
  /** All that the device offers, in its order. */
  profiles: OnvifProfile[]
  /** `null` when the device does not tell. */
  device: OnvifDevice | null
  /** The device's clock minus ours, ms, to about a second; 0 when it does not tell. */
  clockOffsetMs: number
}

/**
 * Errors: SRC_UNSUPPORTED (the URL), SRC_AUTH, SRC_TIMEOUT, SRC_UNREACHABLE, SRC_DNS, SRC_ONVIF (no ONVIF there, no such
 * profile, no stream).
 */
export async function resolveOnvif(request: OnvifRequest): Promise<OnvifStream> {
  const { url, timeoutMs, signal, clock = systemClock } = request
  const address = parseOnvifUrl(url)
  const ending = new AbortController()
  const session = new OnvifSession({ credentials: address.credentials, clock, signal: ending.signal })
  const end = (message: string, cause?: unknown) => ending.abort(new GrabberError('SRC_TIMEOUT', message, { cause }))
  const onAbort = () => end('the camera was no longer asked', signal?.reason)
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = clock.after(timeoutMs, () =>
    end(`the camera did not answer ${session.current} within the ${timeoutMs} ms for all`),
  )
  try {
    return await resolveAt(address, session, request)
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}

async function resolveAt(
  address: OnvifAddress,
  session: OnvifSession,
  { profile: wanted = address.profile, transport = 'tcp', signal, clock = systemClock }: OnvifRequest,
): Promise<OnvifStream> {
  const { service } = address
  const deviceMs = await askDeviceTimeMs(session, service)
  session.clockOffsetMs = deviceMs === undefined ? 0 : deviceMs - clock.nowMs()
  const stream = await firstThatStreams(await findMedia(session, service), (endpoint) =>
    askStream(session, endpoint, address, wanted, transport),
  )
  // Asked last and not insisted on: who has the stream does not need the name of the maker.
  const device = await askDevice(session, service).catch((error) => {
    if (signal?.aborted || !(error instanceof GrabberError)) throw error
    return null
  })
  return { ...stream, device, clockOffsetMs: session.clockOffsetMs }
}

type Streaming = Pick<OnvifStream, 'uri' | 'profile' | 'profiles'>

/** There are devices whose Media2 is announced and broken, and whose Media1 works. */
async function firstThatStreams(
  [first, ...others]: MediaEndpoint[],
  ask: (endpoint: MediaEndpoint) => Promise<Streaming>,
): Promise<Streaming> {
  try {
    return await ask(first!)
  } catch (error) {
    const next = error instanceof GrabberError && error.code === 'SRC_ONVIF' && others.length > 0
    if (!next) throw error
    return firstThatStreams(others, ask)
  }
}

async function askStream(
  session: OnvifSession,
  { media, url }: MediaEndpoint,
  { service, credentials }: OnvifAddress,
  wanted: string | undefined,
  transport: RtpTransport,
): Promise<Streaming> {
  const profiles = media.readProfiles(await session.call(url, media.getProfiles))
  const profile = chooseProfile(profiles, wanted)
  if (profile === undefined) throw noProfile(profiles, wanted)
  const given = media.readStreamUri(await session.call(url, media.getStreamUri(profile.token, transport)))
  const uri = reachableStream(given, service, credentials)
  if (uri === undefined) throw new GrabberError('SRC_ONVIF', 'the camera gives no RTSP address for the profile')
  return { uri, profile, profiles }
}

function noProfile(profiles: readonly OnvifProfile[], wanted: string | undefined): GrabberError {
  if (profiles.length === 0) return new GrabberError('SRC_ONVIF', 'the camera has no media profile')
  const tokens = profiles.slice(0, 8).map(({ token }) => plainText(token))
  return new GrabberError('SRC_ONVIF', `the camera has no profile '${plainText(wanted ?? '')}'`, {
    remedy: `give one of its profiles: ${tokens.join(', ')}`,
  })
}
