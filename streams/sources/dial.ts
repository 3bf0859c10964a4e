/**
 * From what is known of a camera to its opened stream, within one limit for everything that has to be asked before. Session
 * host only. When to dial again is the daemon's business; what is a camera's failure and what a defect is said here.
 */
import { GrabberError } from '../../core/errors.ts'
import type { LiveSource } from '../../core/wire/session-spec.ts'
import { type LiveInput, type LiveInputOptions, openLiveInput } from '../media/live-input.ts'
import { resolveOnvif } from './onvif/resolve-onvif.ts'

/** Errors: SRC_*, DEC_UNSUPPORTED. */
export async function dial(source: LiveSource, options: LiveInputOptions): Promise<LiveInput> {
  const { openTimeoutMs, clock, signal } = options
  const endMs = clock.monotonicMs() + openTimeoutMs
  const left = () => ({ clock, signal, openTimeoutMs: Math.max(1, endMs - clock.monotonicMs()) })
  return openLiveInput(await streamOf(source, left()), left)
}

/** An ONVIF device is asked for its stream each time: addresses and profiles change while it is away. */
async function streamOf(source: LiveSource, { openTimeoutMs, clock, signal }: LiveInputOptions): Promise<LiveSource> {
  if (source.protocol !== 'onvif') return source
  const transport = source.transport === 'udp' ? 'udp' : 'tcp'
  const { uri } = await resolveOnvif({ url: source.url, transport, timeoutMs: openTimeoutMs, signal, clock })
  return { ...source, protocol: 'rtsp', url: uri }
}

const recoverable = new Set(['DEC_FAILED', 'DEC_UNSUPPORTED', 'DEC_HARDWARE'])

/** The failure of a source, for which the session waits until it may dial again; anything else ends the host. */
export function isSourceFailure(error: unknown): error is GrabberError {
  return error instanceof GrabberError && (error.code.startsWith('SRC_') || recoverable.has(error.code))
}
