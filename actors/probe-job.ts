/**
 * A look at a recording through a session host, before a job works on it. Runs in the command or the daemon that asks.
 * Owns one host process at a time: a file that kills its decoder, or never lets it return, costs that process.
 */
import { GrabberError } from '../core/errors.ts'
import type { PreflightReport } from '../core/wire/preflight.ts'
import { againIfDied, runErrand } from './errand.ts'
import type { HostSettings } from './host-settings.ts'
import { type HostExit, hostDied } from './kernel/child-process.ts'

/** The host gives up what does not open or does not return by itself; one that is silent for so much longer cannot. */
const SILENCE_FACTOR = 2.5
const INCARNATION = 1

export interface ProbeOptions {
  /** Of a regular file (src/recordings, checkRecording). */
  path: string
  host: HostSettings
  signal: AbortSignal
  /** For opening, for each packet and for each call of the decoder. */
  openTimeoutMs: number
  /** So far the look has come: media time, and the position in the file where the container tells it. */
  onProgress?(ptsMs: number, byte: number | null): void
}

/**
 * What is known of the recording; `judgePreflight` says whether it will do. A host that dies is followed by one more: it may have
 * been killed for another's memory, and a file that kills its decoder does so again. Rejects with SRC_* and DEC_* of the input
 * (DEC_HUNG for a host that fell silent, DEC_FAILED for two that died on the file), ACT_HOST_DIED when no host started, and the reason
 * of the signal.
 */
export async function probeRecording(options: ProbeOptions): Promise<PreflightReport> {
  /** Of the last host, when it had begun. */
  let exit: HostExit | undefined
  const look = () => {
    exit = undefined
    return runHost(options, (ended) => {
      exit = ended
    })
  }
  return againIfDied(look, 'try again when the machine has room').catch((error: unknown) => {
    if (!exit) throw error
    const how = exit.signal ?? `status ${exit.code}`
    throw new GrabberError('DEC_FAILED', `the process that read it died (${how})`, { context: { ...exit } })
  })
}

async function runHost(options: ProbeOptions, onDeath: (exit: HostExit) => void): Promise<PreflightReport> {
  const { path, host, signal, openTimeoutMs } = options
  let report: PreflightReport | undefined
  const exit = await runErrand({
    name: 'probe',
    message: { type: 'probe', incarnation: INCARNATION, path, openTimeoutMs },
    silenceMs: Math.max(host.silenceMs, SILENCE_FACTOR * openTimeoutMs),
    onMessage: (message) => {
      if (message.type === 'probed') report = message.report
      else if (message.type === 'probing') options.onProgress?.(message.ptsMs, message.byte)
    },
    ...{ host, signal },
  })
  if (report) return report
  if (exit.silent) throw new GrabberError('DEC_HUNG', 'reading it did not return', { context: { ...exit } })
  onDeath(exit)
  throw hostDied('the process that read it', exit)
}
