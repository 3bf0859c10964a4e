/**
 * One entry of a self-test on an engine of its own, which is handed the entry with its file: so a changed entry runs through
 * the very code that serves cameras. Runs in commands.
 */
import { answerStills } from '../../actors/stills-job.ts'
import type { Config } from '../../config/schema.ts'
import type { RgbPicture } from '../../core/frame.ts'
import type { StillFace } from '../../core/wire/control.ts'
import type { FacesSpec } from '../../core/wire/session-spec.ts'
import { EngineClient } from '../../models/engine-client.ts'
import type { ModelEntry } from '../../models/model-entry.ts'
import { installedPath } from '../../models/model-files.ts'
import { facesSpec, modelsDir } from '../face-models.ts'
import type { CliContext } from './context.ts'
import type { PersonPicture } from './self-test-pictures.ts'
import { openWorkbench, type Workbench } from './workbench.ts'

/** Below the usual 0.7: a detector that is fed wrongly still answers, only less surely, and that is what is measured. */
const DETECT_THRESHOLD = 0.3

export class SelfTestRig implements AsyncDisposable {
  readonly bench: Workbench
  readonly entry: ModelEntry
  readonly #context: CliContext
  readonly #config: Config

  private constructor(context: CliContext, config: Config, entry: ModelEntry, bench: Workbench) {
    this.#context = context
    this.#config = config
    this.entry = entry
    this.bench = bench
  }

  /** An engine with `entry`, and for an embedder the configured detector beside it. MDL_*, ENG_START. */
  static async open(context: CliContext, config: Config, entry: ModelEntry): Promise<SelfTestRig> {
    const model = { id: entry.id, path: installedPath(modelsDir(config), entry), entry }
    const detector = entry.kind === 'face-detector' ? [] : [config.defaults.faces.detector]
    return new SelfTestRig(context, config, entry, await openWorkbench(config, [...detector, model], context.logger))
  }

  /** The model's answer to one picture of its own size. ENG_*. */
  async infer(pictures: readonly RgbPicture[]): Promise<Float32Array[]> {
    const client = new EngineClient({ session: 'self-test', priority: 1, askDeadlineMs: this.#config.timeouts.askMs })
    client.setEndpoint(this.bench.endpoint)
    try {
      const answers = await Promise.all(pictures.map((picture) => client.infer(this.entry.id, picture, {})))
      return answers.map(({ data }) => data)
    } finally {
      client.close()
    }
  }

  /** The largest face of each picture, or `undefined`; aligned by `alignment`, which defaults to the entry's. */
  async look(
    pictures: readonly PersonPicture[],
    alignment: ModelEntry['alignment'] = this.entry.alignment,
  ): Promise<(StillFace | undefined)[]> {
    const files = pictures.map(({ file }) => file)
    const found = new Map<string, StillFace>()
    const { openMs: openTimeoutMs, askMs: askDeadlineMs } = this.#config.timeouts
    await answerStills({
      spec: {
        files,
        faces: this.#faces(alignment),
        embed: alignment !== null,
        maxFrames: 1,
        openTimeoutMs,
        askDeadlineMs,
      },
      directory: this.bench.directory,
      host: this.bench.host,
      signal: this.#context.signal,
      onAnswer: (answer) => {
        if ('error' in answer) return
        const largest = answer.stills[0]?.faces.toSorted((a, b) => area(b) - area(a))[0]
        if (largest) found.set(answer.file, largest)
      },
    })
    return files.map((file) => found.get(file))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bench[Symbol.asyncDispose]()
  }

  #faces(alignment: ModelEntry['alignment']): FacesSpec {
    const base: FacesSpec = { ...facesSpec(this.#config), liveness: null }
    if (!alignment) return { ...base, detector: this.entry.id, detectThreshold: DETECT_THRESHOLD, maxPerFrame: 10 }
    const { template, cropPx } = alignment
    return { ...base, embedder: this.entry.id, template, cropPx, maxPerFrame: 10 }
  }
}

function area({ box: [, , width, height] }: StillFace): number {
  return width * height
}
