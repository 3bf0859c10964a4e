/**
 * FFmpeg's own log. Session host only. It writes to stderr by itself, URLs with their credentials included, hence quiet:
 * what matters comes back as a status and is reported as a coded error or as damage.
 */
import { Log } from 'node-av'
import { AV_LOG_QUIET } from 'node-av/constants'

export function silenceNativeLog(): void {
  Log.setLevel(AV_LOG_QUIET)
}
