/**
 * A second pass over keyframes, in a session host of its own. Runs in the command or the daemon that asks. Must never keep a
 * host longer than its answer.
 */
import type { SecondPassOutcome, SecondPassSpec } from '../core/wire/second-pass.ts'
import { againIfDied, runErrand } from './errand.ts'
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

/** Rejects with SRC_*, DEC_* of a picture, ACT_HOST_DIED when two hosts died, and the reason of the signal. */
export function runSecondPass(options: SecondPassOptions): Promise<SecondPassOutcome> {
  return againIfDied(() => runHost(options), 'run the same command again: it goes on there')
}

async function runHost({ spec, host, signal, onProgress }: SecondPassOptions): Promise<SecondPassOutcome> {
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
