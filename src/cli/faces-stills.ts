/**
 * Pictures of a command line through an engine and a stills session of the command's own. Runs in commands; never touches
 * the data folder.
 */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { answerStills, type StillAnswer } from '../../actors/stills-job.ts'
import type { Config } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import type { FacesSpec } from '../../core/wire/session-spec.ts'
import { facesSpec, missingModels, modelIds, withoutMissing } from '../face-models.ts'
import type { CliContext } from './context.ts'
import { openWorkbench } from './workbench.ts'

/** A photograph of a group holds more faces than a camera's frame is searched for. */
const MAX_FACES = 100

export interface LookOptions {
  embed: boolean
  /** Moments that are taken of a video; a picture has one. */
  moments: number
}

/**
 * Calls `onAnswer` with each file as it was named: first those that are not there at all, then the others in their order.
 * What `onAnswer` throws ends the work and is thrown. MDL_*, ENG_*.
 */
export async function lookAt(
  context: CliContext,
  config: Config,
  files: readonly string[],
  { embed, moments }: LookOptions,
  onAnswer: (file: string, answer: StillAnswer) => void,
): Promise<void> {
  const present: { file: string; path: string }[] = []
  for (const file of files) {
    const path = resolve(context.cwd, file)
    const error = await whyNot(path)
    if (error) onAnswer(file, { file, error })
    else present.push({ file, path })
  }
  if (present.length === 0) return
  const faces = { ...(await stillFaces(config)), maxPerFrame: MAX_FACES }
  await using bench = await openWorkbench(config, modelIds(faces), context.logger)
  const { openMs: openTimeoutMs, askMs: askDeadlineMs } = config.timeouts
  // A listener that throws must not be called inside the host's message handler: its error would be a defect there.
  const refusal = new AbortController()
  let answered = 0
  await answerStills({
    spec: {
      files: present.map(({ path }) => path),
      faces,
      embed,
      maxFrames: moments,
      openTimeoutMs,
      askDeadlineMs,
    },
    directory: bench.directory,
    host: bench.host,
    signal: AbortSignal.any([context.signal, refusal.signal]),
    onAnswer(answer) {
      if (refusal.signal.aborted) return
      try {
        onAnswer(present[answered++]!.file, answer)
      } catch (error) {
        refusal.abort(error)
      }
    },
  })
  // Also when the last answer was refused: then there was nothing left to abort.
  refusal.signal.throwIfAborted()
}

/** A missing liveness model is no reason to say nothing of a picture; a missing detector or embedder is MDL_MISSING later. */
async function stillFaces(config: Config): Promise<FacesSpec> {
  const { faces } = config.defaults
  const spec = facesSpec(config)
  const missing = await missingModels(config, modelIds(spec))
  return withoutMissing(spec, new Set(missing), faces.liveness) ?? spec
}

async function whyNot(path: string): Promise<GrabberError | undefined> {
  const kind = await stat(path).catch(() => undefined)
  if (!kind) return new GrabberError('SRC_NOT_FOUND', 'it does not exist')
  if (kind.isDirectory()) return new GrabberError('SRC_UNREADABLE', 'it is a folder', { remedy: 'name its pictures' })
  if (kind.size === 0) return new GrabberError('SRC_EMPTY', 'it is empty', { remedy: 'check what wrote it' })
  return undefined
}
