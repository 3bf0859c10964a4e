/**
 * Smaller copies of pictures through a session host. Runs in the command or the daemon that asks. Owns one host for all of
 * them; when it dies, one more goes on with what is missing.
 */
import type { CopyOrder } from '../core/wire/copies.ts'
import { againIfDied, runErrand } from './errand.ts'
import type { HostSettings } from './host-settings.ts'
import { hostDied } from './kernel/child-process.ts'

/** The host gives up what does not return by itself; one that is silent for so much longer cannot. */
const SILENCE_FACTOR = 2.5
const INCARNATION = 1

export interface CopiesOptions {
  orders: readonly CopyOrder[]
  host: HostSettings
  signal: AbortSignal
  /** For opening and each call of the decoder. */
  openTimeoutMs: number
}

/**
 * Resolves when all copies are written. Rejects with SRC_* and DEC_* of a picture, STO_* of a copy, ACT_HOST_DIED when two hosts
 * died, and the reason of the signal.
 */
export async function copyPictures(options: CopiesOptions): Promise<void> {
  if (options.orders.length === 0) return
  let done = 0
  const copyRest = async () => {
    const { copied, exit } = await runHost(options, options.orders.slice(done))
    done += copied
    if (done < options.orders.length) throw hostDied('the host of the copies', exit)
  }
  await againIfDied(copyRest, 'run the same command again: it goes on there')
}

async function runHost({ host, signal, openTimeoutMs }: CopiesOptions, orders: readonly CopyOrder[]) {
  let copied = 0
  const exit = await runErrand({
    name: 'copies',
    message: { type: 'copy', incarnation: INCARNATION, spec: { orders, openTimeoutMs } },
    silenceMs: Math.max(host.silenceMs, SILENCE_FACTOR * openTimeoutMs),
    onMessage: (message) => {
      if (message.type === 'copied') copied = message.index + 1
    },
    ...{ host, signal },
  })
  return { copied, exit }
}
