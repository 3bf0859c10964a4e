/**
 * A second pass over keyframes, in a session host of its own. Runs in the command or the daemon that asks. Must never keep the
 * host longer than its answer.
 */
import type { SecondPassOutcome, SecondPassSpec } from '../core/wire/second-pass.ts'
import { runErrand } from './errand.ts'
import type { HostSettings } from './host-settings.ts'
import { hostDied } from './kernel/child-process.ts'

const INCARNATION = 1
/** A picture or a pair takes a tenth of a second; one host says nothing for so long only when it hangs. */
const SILENCE_MS = 60_000

export interface SecondPassOptions {
  spec: SecondPassSpec
  host: HostSettings
  signal: AbortSignal
  /** 0–1. */
  onProgress?(ratio: number): void
}

/** Rejects with SRC_*, DEC_* of a picture, ACT_HOST_DIED, and the reason of the signal. */
export async function runSecondPass({ spec, host, signal, onProgress }: SecondPassOptions): Promise<SecondPassOutcome> {
  let outcome: SecondPassOutcome | undefined
  const exit = await runErrand({
    name: 'second-pass',
    message: { type: 'second-pass', incarnation: INCARNATION, spec },
    silenceMs: SILENCE_MS,
    onMessage: (message) => {
      if (message.type === 'second-pass.done') outcome = message.outcome
      else if (message.type === 'second-pass.sign') onProgress?.(message.ratio)
    },
    ...{ host, signal },
  })
  if (outcome) return outcome
  throw hostDied('the second pass', exit)
}
