/**
 * `grabber models pull`. Runs as a command; writes the models folder only.
 *
 * Without ids it brings what faces need: of detectors and embedders, which are alternatives, the first that can be had (what
 * was verified before what was not, then the order of the manifest), and every model of another kind that can be had. A
 * mirror therefore gives what it holds, and a network gives the free YuNet and SFace.
 */
import type { Command } from 'commander'
import { GrabberError } from '../../core/errors.ts'
import { knownModels } from '../../models/manifest.ts'
import type { ModelEntry } from '../../models/model-entry.ts'
import { canBePulled, pullModel } from '../../models/model-pull.ts'
import { modelsDir } from '../face-models.ts'
import { askDaemon } from '../http/control-client.ts'
import { isThere } from '../model-preference.ts'
import { findOwner } from '../store/data-dir.ts'
import { type CliContext, openConfig } from './context.ts'
import { eachModel, namedModels } from './models-named.ts'
import { pullProgress } from './models-progress.ts'

const ALTERNATIVES: readonly ModelEntry['kind'][] = ['face-detector', 'face-embedder']

export function registerPull(models: Command, context: CliContext): void {
  models
    .command('pull [ids...]')
    .description('fetch models: from GRABBER_ASSETS (a folder or an address) when it is set, then from their addresses')
    .addHelpText(
      'after',
      '\nWithout ids: a face detector and a face embedder, and what else can be had. An interrupted download goes on where it was.\n\nExample:\n  GRABBER_ASSETS=/media/usb/assets grabber models pull\n  grabber models pull sface',
    )
    .action(async (ids: string[], _, command: Command) => {
      const { config } = openConfig(context, command)
      const puller = new Puller(context, modelsDir(config))
      if (ids.length > 0) await eachModel(context, namedModels(config, ids), (entry) => puller.pull(entry))
      else await puller.pullWhatIsNeeded()
      if (puller.brought > 0) await tellDaemon(context, config.data)
    })
}

/** Loading and warming up models: TensorRT takes minutes (actors/engine). */
const LOAD_TIMEOUT_MS = 660_000

class Puller {
  readonly #context: CliContext
  readonly #folder: string
  #brought = 0

  constructor(context: CliContext, folder: string) {
    this.#context = context
    this.#folder = folder
  }

  /** Files that were not there before. */
  get brought(): number {
    return this.#brought
  }

  /** What became of it, in words. MDL_DOWNLOAD. */
  async pull(entry: ModelEntry): Promise<string> {
    const { env, signal } = this.#context
    const progress = pullProgress(this.#context, entry.id)
    try {
      const { from } = await pullModel(entry, {
        modelsDir: this.#folder,
        onProgress: progress.update,
        onNotice: progress.notice,
        signal,
        ...(env.GRABBER_ASSETS ? { mirror: env.GRABBER_ASSETS } : {}),
      })
      if (from === null) return 'already installed'
      this.#brought++
      return `pulled from ${from}`
    } finally {
      progress.clear()
    }
  }

  /** MDL_DOWNLOAD when there is no detector or no embedder in the end. */
  async pullWhatIsNeeded(): Promise<void> {
    const entries = knownModels(this.#folder).map(({ entry }) => entry)
    const reachable: ModelEntry[] = []
    for (const entry of entries) {
      if (isThere(this.#folder, entry) || (await canBePulled(entry, this.#context.env.GRABBER_ASSETS)))
        reachable.push(entry)
    }
    for (const kind of ALTERNATIVES)
      await this.#pullOneOf(
        kind,
        reachable.filter((entry) => entry.kind === kind),
      )
    const others = reachable.filter(({ kind }) => !ALTERNATIVES.includes(kind))
    for (const entry of others) await this.#tryPull(entry)
  }

  async #pullOneOf(kind: string, entries: readonly ModelEntry[]): Promise<void> {
    const rank = ({ verification }: ModelEntry) => (verification.status === 'verified' ? 0 : 1)
    let failed: GrabberError | undefined
    for (const entry of [...entries].sort((a, b) => rank(a) - rank(b))) {
      const error = await this.#tryPull(entry)
      if (!error) return
      failed ??= error
    }
    throw (
      failed ?? new GrabberError('MDL_DOWNLOAD', `no ${kind} can be had: none has an address that is reachable here`)
    )
  }

  /** Says on stderr why one did not come: another may. */
  async #tryPull(entry: ModelEntry): Promise<GrabberError | undefined> {
    try {
      this.#context.stdout.write(`${entry.id}: ${await this.pull(entry)}\n`)
      return undefined
    } catch (error) {
      this.#context.signal.throwIfAborted()
      if (!(error instanceof GrabberError)) throw error
      this.#context.stderr.write(`${entry.id}: ${error.line}\n`)
      return error
    }
  }
}

/** A running daemon takes new models without a restart, if its version can. */
async function tellDaemon({ stderr }: CliContext, data: string): Promise<void> {
  const socket = findOwner(data)?.controlSocket
  if (!socket) return
  try {
    await askDaemon(socket, { method: 'POST', path: '/control/models/refresh', body: {}, timeoutMs: LOAD_TIMEOUT_MS })
    stderr.write('the running grabber takes the new models now\n')
  } catch (error) {
    if (!(error instanceof GrabberError)) throw error
    const why = error.code === 'API_NOT_FOUND' ? '' : ` (${error.message})`
    stderr.write(`restart the running grabber for it to take the new models${why}\n`)
  }
}
