/**
 * `grabber replay`: recorded files through the camera graph, nothing dropped. Runs as a command, beside a daemon or alone:
 * it reads a snapshot of the gallery, never writes it, and has an engine of its own.
 */
import type { Command } from 'commander'
import { ReplayJob } from '../../actors/replay-job.ts'
import { cameraConfig } from '../../config/camera-config.ts'
import type { Config } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import type { CloudEvent } from '../../core/event.ts'
import { mediaEventTypes } from '../../core/event.ts'
import type { FacesSpec, KeyframeSpec } from '../../core/wire/session-spec.ts'
import { modelIds } from '../face-models.ts'
import { featuresModelOf } from '../features-model.ts'
import { keyframeSpec } from '../keyframe-spec.ts'
import { checkGalleryModel, settleModels } from '../model-choice.ts'
import { cameraIdOf, checkRecording, findRecordings, fingerprint } from '../recordings.ts'
import { type ReplaySummary, ReplayTally } from '../replay-summary.ts'
import { sessionSpec } from '../session-spec.ts'
import type { GallerySnapshot } from '../store/gallery-snapshot.ts'
import type { MemoryVisitors } from '../store/memory-visitors.ts'
import { type CliContext, openConfig, usage } from './context.ts'
import { pickFaces } from './faces-choice.ts'
import { openGallerySnapshot, visitorsOf } from './gallery-snapshot.ts'
import { LineFile } from './line-file.ts'
import { progressLine } from './progress-line.ts'
import { openPublication, type Publication } from './publication.ts'
import { openWorkbench, type Workbench } from './workbench.ts'

interface ReplayFlags {
  camera?: string
  speed: string
  loop: string
  events?: string
  allEvents?: true
  summary?: string
  publish?: true
}

export function registerReplay(program: Command, context: CliContext): void {
  program
    .command('replay <recordings...>')
    .description('recorded files, folders or patterns through the camera graph; nothing is dropped')
    .option('--camera <id>', 'play this camera of the configuration (default: the name of the file)')
    .option('--speed <speed>', 'media seconds per second, or max', 'max')
    .option('--loop <passes>', 'play each recording so many times', '1')
    .option('--events <file>', 'write one JSON event a line; - is stdout')
    .option('--all-events', 'events of the camera and the engine as well')
    .option('--summary <file>', 'write the JSON summaries there instead of stdout')
    .option('--publish', 'publish the events on the bus, each once')
    .addHelpText('after', '\nExample:\n  grabber replay recordings/*.mp4 --events events.jsonl')
    .action(async (words: string[], flags: ReplayFlags, command: Command) => {
      const config = settleModels(openConfig(context, command).config)
      const speed = flags.speed === 'max' ? null : positive('--speed', flags.speed)
      const passes = positive('--loop', flags.loop)
      if (!Number.isInteger(passes)) throw usage('--loop takes a whole number of passes')
      if (flags.camera !== undefined && cameraIdOf(`${flags.camera}.x`) !== flags.camera)
        throw usage(`--camera takes an id of a–z, 0–9, _ and -, not ${flags.camera}`)
      const known = Object.keys(config.cameras)
      if (flags.camera !== undefined && known.length > 0 && !known.includes(flags.camera))
        throw usage(`the configuration has no camera ${flags.camera}; it has ${known.join(', ')}`)
      const files = await findRecordings(words, context.cwd)
      await replayAll(context, config, files, flags, { speed, passes })
    })
}

interface Pace {
  speed: number | null
  passes: number
}

async function replayAll(context: CliContext, config: Config, files: string[], flags: ReplayFlags, pace: Pace) {
  const { faces: wanted, keyframes: kept } = cameraParts(config, flags.camera)
  const faces = await pickFaces(context, config, wanted)
  if (faces) checkGalleryModel(config, faces.embedder)
  await using events = await LineFile.open(context, flags.events)
  await using summaries = await LineFile.open(context, flags.summary ?? (flags.events === '-' ? undefined : '-'))
  await using publication = flags.publish ? await openPublication(context, config) : undefined
  const gallery = openGallerySnapshot(config, wanted.embedder)
  const visitors = visitorsOf(gallery, config)
  const keyframes = kept.enabled ? keyframeSpec(kept, featuresModelOf(config, kept), null) : null
  const models = [...(faces ? modelIds(faces) : []), ...(keyframes?.features ? [keyframes.features.model] : [])]
  await using bench = await openWorkbench(config, models, context.logger)
  const tools = { events, publication, gallery, visitors, faces, keyframes, flags, pace }
  const replay = new Replay(context, config, bench, tools)
  let failed: GrabberError | undefined
  for (const file of files) {
    context.signal.throwIfAborted()
    try {
      summaries.write(await replay.run(file))
    } catch (error) {
      context.signal.throwIfAborted()
      if (!(error instanceof GrabberError)) throw error
      const named = nameFile(error, file)
      // One bad file never stops a batch; alone it is the command's error.
      if (files.length === 1) throw named
      context.stderr.write(`${named.line}\n`)
      failed ??= named
    }
  }
  context.signal.throwIfAborted()
  await publication?.finish()
  await events.commit()
  await summaries.commit()
  if (failed) throw new GrabberError(failed.code, 'not all recordings could be replayed', { cause: failed })
}

interface ReplayTools {
  events: LineFile
  publication: Publication | undefined
  gallery: GallerySnapshot
  visitors: MemoryVisitors
  faces: FacesSpec | null
  keyframes: KeyframeSpec | null
  flags: ReplayFlags
  pace: Pace
}

class Replay {
  readonly #context: CliContext
  readonly #config: Config
  readonly #bench: Workbench
  readonly #tools: ReplayTools

  constructor(context: CliContext, config: Config, bench: Workbench, tools: ReplayTools) {
    this.#context = context
    this.#config = config
    this.#bench = bench
    this.#tools = tools
  }

  async run(file: string): Promise<ReplaySummary> {
    const { flags, faces, keyframes, gallery, visitors, pace } = this.#tools
    const camera = flags.camera ?? cameraIdOf(file)
    await checkRecording(file)
    const spec = sessionSpec(this.#config, cameraParts(this.#config, flags.camera), {
      camera,
      epoch: await fingerprint(file),
      originMs: null,
      source: { kind: 'file', path: file, ...pace, overflow: 'wait', from: null },
      picturesDir: null,
      faces,
      keyframes,
    })
    const tally = new ReplayTally()
    const progress = progressLine(this.#context, camera)
    const job = new ReplayJob({
      name: `replay:${camera}`,
      spec,
      directory: this.#bench.directory,
      host: this.#bench.host,
      search: (embedding, k) => gallery.search(embedding, k),
      visitors: {
        remember: (sighting) => visitors.remember(camera, sighting),
        keep: (track) => visitors.keep(camera, track),
        mark: () => visitors.mark(),
        rewind: () => visitors.rewind(),
      },
      onEvent: (event) => {
        tally.add(event)
        this.#take(event)
      },
      onProgress: (ptsMs, { durationMs }) => progress.update(ptsMs ?? 0, (durationMs ?? 0) * pace.passes),
      onRestart: (error, attempt) => this.#context.logger.warn({ camera, code: error.code, attempt }, error.message),
    })
    const stop = () => void job.stop()
    this.#context.signal.addEventListener('abort', stop, { once: true })
    const startedMs = performance.now()
    const { engineRestarts } = this.#bench
    try {
      // A signal that was aborted before this calls no listener.
      this.#context.signal.throwIfAborted()
      const outcome = await job.run()
      const wallSeconds = (performance.now() - startedMs) / 1000
      reportDamage(this.#context, file, outcome.damage)
      const { device, engineRestarts: now } = this.#bench
      return tally.summary({ file, camera, outcome, wallSeconds, device, engineRestarts: now - engineRestarts })
    } finally {
      this.#context.signal.removeEventListener('abort', stop)
      progress.clear()
    }
  }

  #take(event: CloudEvent): void {
    const { events, publication, flags } = this.#tools
    if (flags.allEvents || mediaEventTypes.has(event.type)) events.write(event)
    publication?.submit(event)
  }
}

function nameFile(error: GrabberError, file: string): GrabberError {
  const { code, message, remedy, context } = error
  return new GrabberError(code, `${file}: ${message}`, { cause: error, remedy, context })
}

/** The parts of a camera's configuration that a replay uses; the defaults when it plays no configured camera. */
function cameraParts(config: Config, camera: string | undefined) {
  return camera !== undefined && Object.hasOwn(config.cameras, camera) ? cameraConfig(config, camera) : config.defaults
}

function reportDamage({ stderr }: CliContext, file: string, { count, positions }: ReplaySummary['damage']): void {
  if (count === 0) return
  const where = positions.slice(0, 3).map(({ ptsMs, what }) => `${what} at ${(ptsMs / 1000).toFixed(2)} s`)
  const more = count > where.length ? ` and ${count - where.length} more` : ''
  stderr.write(`${new GrabberError('DEC_DAMAGED', `${file}: ${where.join('; ')}${more}`).line}\n`)
}

function positive(flag: string, text: string): number {
  const value = Number(text)
  if (!(Number.isFinite(value) && value > 0)) throw usage(`${flag} takes a number above 0, not ${text}`)
  return value
}
