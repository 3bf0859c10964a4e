/**
 * How a camera is opened: from its address to a demuxer, and FFmpeg's refusals as codes. Session host only.
 * The address holds credentials: it goes to FFmpeg and nowhere else. Retries are the daemon's business.
 */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import {
  AVERROR_EOF,
  AVERROR_HTTP_FORBIDDEN,
  AVERROR_HTTP_OTHER_4XX,
  AVERROR_HTTP_UNAUTHORIZED,
} from 'node-av/constants'
import { type Clock, within } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { CaptureFormat, LiveSource } from '../../core/wire/session-spec.ts'
import { Demuxer } from './demuxer.ts'
import { statusText } from './ffmpeg-status.ts'

/** FFmpeg's HTTP and RTSP statuses are tags of four characters: `0xF8`, then `4` or `5` and two digits or `XX`. */
const HTTP_STATUS = /^[45][0-9X]{2}$/
/** POSIX numbers, as Linux has them. */
const ENOENT = 2
const ENODEV = 19
const ENOTTY = 25
const EPROTONOSUPPORT = 93
const unreachableErrnos = new Set([101, 111, 112, 113, 61, 64, 65, 51])
const timeoutErrnos = new Set([110, 60])
/** It accepted, and ended the connection before a picture came: EIO, EPIPE, ECONNABORTED, ECONNRESET. */
const lostErrnos = new Set([5, 32, 103, 104, 53, 54])
/** Two pictures give the rate; without these limits FFmpeg looks for a second at every start. */
const PROBE = { fpsprobesize: '2', analyzeduration: '500000' }

export interface LiveInputOptions {
  openTimeoutMs: number
  clock: Clock
  signal: AbortSignal
}

export interface LiveInput {
  demuxer: Demuxer
  /** Of RTP. */
  transport: 'tcp' | 'udp' | null
}

/**
 * `left` says what is left of the time for opening, each time it is asked. Opens the camera at `source.url`, an rtsp or http address or a V4L2 device. Errors: SRC_UNREACHABLE, SRC_DNS, SRC_AUTH,
 * SRC_REFUSED, SRC_LOST, SRC_TIMEOUT, SRC_UNREADABLE, SRC_NO_VIDEO, SRC_TOO_LARGE, SRC_NOT_FOUND, DEC_UNSUPPORTED.
 */
export async function openLiveInput(source: LiveSource, left: () => LiveInputOptions): Promise<LiveInput> {
  const { readTimeoutMs, url, protocol } = source
  if (protocol === 'v4l2') {
    const settings = captureSettings(source.capture)
    const device = { ...left(), readTimeoutMs, format: 'v4l2', settings, failure: deviceFailure }
    return { demuxer: await Demuxer.open(url, device), transport: null }
  }
  await resolveName(url, left())
  const open = (settings: Record<string, string>) =>
    Demuxer.open(url, { ...left(), readTimeoutMs, settings: { ...PROBE, ...settings }, failure: networkFailure })
  if (protocol !== 'rtsp') return { demuxer: await open({}), transport: null }
  const over = async (transport: 'tcp' | 'udp') => ({ demuxer: await open({ rtsp_transport: transport }), transport })
  if (source.transport !== 'auto') return over(source.transport)
  try {
    return await over('tcp')
  } catch (error) {
    // RTSP's 461, Unsupported Transport (RFC 2326), or FFmpeg's word for it.
    if (!(error instanceof GrabberError && error.context.unsupportedTransport)) throw error
    return over('udp')
  }
}

function captureSettings({ width, height, fps, format }: CaptureFormat): Record<string, string> {
  return {
    ...(width !== null && height !== null ? { video_size: `${width}x${height}` } : {}),
    ...(fps !== null ? { framerate: String(fps) } : {}),
    ...(format !== null ? { input_format: format } : {}),
  }
}

/** FFmpeg says of a name that it cannot resolve what it says of any other failed read, hence this look before. */
async function resolveName(url: string, { openTimeoutMs, clock }: LiveInputOptions): Promise<void> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0) return
  try {
    if (await within(clock, openTimeoutMs, lookup(host))) return
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new GrabberError('SRC_DNS', `the name ${host} cannot be resolved (${code})`, { cause })
  }
  throw new GrabberError('SRC_DNS', `the name ${host} was not resolved in ${openTimeoutMs} ms`)
}

function networkFailure(status: number): GrabberError {
  if (status === AVERROR_HTTP_UNAUTHORIZED || status === AVERROR_HTTP_FORBIDDEN)
    return new GrabberError('SRC_AUTH', 'the camera refuses the user or the password')
  if (status === -EPROTONOSUPPORT || status === AVERROR_HTTP_OTHER_4XX)
    return new GrabberError('SRC_REFUSED', 'the camera refuses the transport or the request', {
      context: { unsupportedTransport: true },
    })
  const answer = httpStatus(status)
  if (answer !== undefined) return new GrabberError('SRC_REFUSED', `the camera answers ${answer}`)
  if (unreachableErrnos.has(-status)) return new GrabberError('SRC_UNREACHABLE', statusText(status))
  if (timeoutErrnos.has(-status)) return new GrabberError('SRC_TIMEOUT', 'the camera did not answer in time')
  if (status === AVERROR_EOF || lostErrnos.has(-status))
    return new GrabberError('SRC_LOST', 'the camera ended the connection')
  return new GrabberError('SRC_UNREADABLE', `what the camera sends cannot be read: ${statusText(status)}`)
}

function deviceFailure(status: number): GrabberError {
  if (status === -ENOENT || status === -ENODEV)
    return new GrabberError('SRC_NOT_FOUND', 'there is no such device', { remedy: 'look at `v4l2-ctl --list-devices`' })
  if (status === -ENOTTY) return new GrabberError('SRC_UNREADABLE', 'it is not a V4L2 capture device')
  return new GrabberError('SRC_UNREADABLE', `the device cannot be opened: ${statusText(status)}`)
}

/** The code in FFmpeg's tag, such as `404`; `undefined` when it is another error. */
function httpStatus(status: number): string | undefined {
  const tag = -status
  const code = String.fromCharCode((tag >> 8) & 0xff, (tag >> 16) & 0xff, (tag >> 24) & 0xff)
  return (tag & 0xff) === 0xf8 && HTTP_STATUS.test(code) ? code : undefined
}
