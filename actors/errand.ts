/**
 * One errand to a session host of its own (streams/errands): what has no engine and no gallery, is asked once and answered once.
 * Runs in the command or the daemon that asks. Owns the host's life.
 */
import { type CodedError, fromCoded, GrabberError } from '../core/errors.ts'
import type { FromSession, ToSession } from '../core/wire/control.ts'
import type { HostSettings } from './host-settings.ts'
import { type HostExit, spawnHost } from './kernel/child-process.ts'

export interface ErrandOptions {
  name: string
  message: Extract<ToSession, { type: 'probe' | 'cut' | 'copy' | 'second-pass' }>
  host: HostSettings
  signal: AbortSignal
  /** A host that says nothing for so long hangs, and is killed. */
  silenceMs: number
  onMessage(message: FromSession): void
}

/**
 * Resolves when the host has ended without saying that it failed: whether it has answered is the caller's to know. Rejects with
 * the host's coded error, ACT_HOST_DIED when none started, and the reason of the signal.
 */
export async function runErrand({
  name,
  message,
  host: settings,
  signal,
  silenceMs,
  onMessage,
}: ErrandOptions): Promise<HostExit> {
  signal.throwIfAborted()
  const spawn = settings.spawn ?? spawnHost
  const host = await spawn<ToSession, FromSession>({
    ...settings,
    entry: settings.sessionEntry,
    name,
    silenceMs,
    signal,
  }).catch((error) => {
    signal.throwIfAborted()
    throw error
  })
  let failure: CodedError | undefined
  host.onMessage((answer) => {
    if (answer.type === 'failed') failure = answer.error
    else onMessage(answer)
  })
  host.send(message)
  const exit = await host.exited
  signal.throwIfAborted()
  if (failure) throw fromCoded(failure)
  return exit
}

/**
 * What `work` answers; begun anew, once, when its host died: the system may have killed it for another's memory, and nothing that
 * kills a host by itself is missed by trying twice. The second death is told with `remedy`.
 */
export async function againIfDied<T>(work: () => Promise<T>, remedy: string): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isDeath(error)) throw error
  }
  return work().catch((error: unknown) => {
    if (!isDeath(error)) throw error
    throw new GrabberError(error.code, error.message, { context: error.context, remedy, cause: error })
  })
}

function isDeath(error: unknown): error is GrabberError {
  return error instanceof GrabberError && error.code === 'ACT_HOST_DIED'
}
