/**
 * A batch of stills through a session host: faces of pictures, with embeddings when asked. Runs in the command that asks.
 * One host for the batch; when it dies, the files without an answer are tried once more, each in a host of its own, so
 * that a picture that kills its decoder costs only itself.
 */
import { type CodedError, fromCoded, GrabberError } from '../core/errors.ts'
import type { FromSession, ToSession } from '../core/wire/control.ts'
import type { StillsSpec } from '../core/wire/session-spec.ts'
import type { EngineDirectory } from './engine-directory.ts'
import type { HostSettings } from './host-settings.ts'
import { hostDied, spawnHost } from './kernel/child-process.ts'

/** Longest time a still may take; a host that says nothing for it hangs in a decoder. */
const STILL_MS = 60_000

export type Still = Extract<FromSession, { type: 'still' }>

/** A file's pictures, or why there are none. */
export type StillAnswer = { file: string; stills: Still[] } | { file: string; error: GrabberError }

export interface StillsOptions {
  spec: StillsSpec
  directory: EngineDirectory
  host: HostSettings
  signal: AbortSignal
  /** Called as each file is answered, in the order of the files. */
  onAnswer(answer: StillAnswer): void
}

/** Answers every file. Rejects with ENG_*, ACT_* when that is not possible. */
export async function answerStills(options: StillsOptions): Promise<void> {
  let files = options.spec.files
  while (files.length > 0) {
    const answered = await runBatch(options, files)
    files = files.slice(answered)
    const next = files[0]
    if (next === undefined) return
    // The one the host died on.
    if ((await runBatch(options, [next])) === 0) {
      const error = new GrabberError('DEC_FAILED', `its decoder died on ${next}`)
      options.onAnswer({ file: next, error })
    }
    files = files.slice(1)
  }
}

/** The number of files answered before the host ended. */
async function runBatch(
  { spec, directory, host: settings, signal, onAnswer }: StillsOptions,
  files: string[],
): Promise<number> {
  if (!directory.available) throw new GrabberError('ENG_UNAVAILABLE', 'the engine is not running')
  const host = await spawnHost<ToSession, FromSession>({
    ...settings,
    entry: settings.sessionEntry,
    name: 'stills',
    silenceMs: STILL_MS,
    signal,
  })
  let answered = 0
  let open: Still[] = []
  let failure: CodedError | undefined
  let ended = false
  const close = () => {
    const first = open[0]
    if (!first) return
    onAnswer({ file: first.file, stills: open })
    open = []
    answered++
  }
  host.onMessage((message) => {
    if (message.type === 'still') {
      if (open[0] && open[0].index !== message.index) close()
      open.push(message)
    } else if (message.type === 'still.failed') {
      close()
      onAnswer({ file: message.file, error: fromCoded(message.error) })
      answered++
    } else if (message.type === 'stills.ended') {
      ended = true
      close()
    } else if (message.type === 'failed') {
      failure = message.error
    }
  })
  const seat = directory.seat((news) => host.send({ type: 'engine', incarnation: 1, ...news }))
  host.send({ type: 'stills', incarnation: 1, spec: { ...spec, files }, ...seat.news })
  const exit = await host.exited
  seat.leave()
  signal.throwIfAborted()
  if (failure) throw fromCoded(failure)
  if (!ended && exit.code === 0) throw hostDied('the host of the stills', exit)
  return answered
}
