/**
 * What a command needs that extracts keyframes of recordings, opened and closed together, and what it prints. Runs in commands.
 */
import { availableParallelism } from 'node:os'
import { basename, resolve } from 'node:path'
import { copyPictures } from '../../actors/copies-job.ts'
import { HostPool } from '../../actors/host-pool.ts'
import { figuresOf } from '../../config/keyframe-schema.ts'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { fromCoded, GrabberError } from '../../core/errors.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { clockText, type ProgressReport } from '../jobs/batch-progress.ts'
import { type ExtractSettings, settingsFingerprint } from '../jobs/extract-settings.ts'
import { ExtractionRun } from '../jobs/extraction-run.ts'
import { type FileReport, reportHeader, reportRow, type TotalReport, totalOf, totalText } from '../jobs/file-report.ts'
import { OutputRoot, sharedStems, stemOf } from '../jobs/output-root.ts'
import { makeFolder } from '../store/data-dir.ts'
import { JobStore, jobsPath } from '../store/jobs.ts'
import { type CliContext, usage } from './context.ts'
import { type ExtractFlags, extractSettings, wholeNumber } from './extract-options.ts'
import { type ProgressLine, progressLine } from './progress-line.ts'
import { table } from './table.ts'
import { openWorkbench } from './workbench.ts'

const NO_FEATURES =
  'no model of dense features is installed: saliency goes without semantics; grabber models pull xfeat adds it'

/** Of what is configured and will not happen. */
function warnOfFeatures({ logger }: CliContext, { featuresModel, keyframes }: ExtractSettings): void {
  const { features, mode } = keyframes
  if (featuresModel !== null || features === 'off') return
  if (figuresOf(keyframes).featuresEvery === null) {
    if (features !== 'auto')
      logger.warn({ features, mode }, 'keyframes.features is not asked in this mode: high_quality and custom ask it')
  } else logger.warn({ code: 'MDL_MISSING' }, NO_FEATURES)
}

export interface DeskOptions {
  context: CliContext
  config: Config
  flags: ExtractFlags
  label: string
  /** Recordings that are known at the beginning: those of the same stem get names of their own. */
  known: readonly string[]
  /** Tells of each recording at once, instead of a table at the end. */
  runningText: boolean
}

export class ExtractionDesk implements AsyncDisposable {
  readonly run: ExtractionRun
  readonly #options: DeskOptions
  readonly #line: ProgressLine
  readonly #close: () => Promise<void>
  readonly #startedMs = performance.now()

  private constructor(options: DeskOptions, line: ProgressLine, run: ExtractionRun, close: () => Promise<void>) {
    this.#options = options
    this.#line = line
    this.run = run
    this.#close = close
  }

  /** STO_*, MDL_*, ENG_*, CFG_USAGE. */
  static async open(options: DeskOptions): Promise<ExtractionDesk> {
    const { context, config, flags, known } = options
    const parallel = parallelOf(config, flags)
    const settings = extractSettings(config, flags)
    warnOfFeatures(context, settings)
    const shared = sharedStems(known)
    const stack = new AsyncDisposableStack()
    try {
      const root = stack.use(await OutputRoot.open(resolve(context.cwd, flags.out)))
      makeFolder(config.data)
      const jobs = stack.use(JobStore.open(jobsPath(config.data), systemClock))
      const models = settings.featuresModel === null ? [] : [settings.featuresModel]
      const bench = stack.use(await openWorkbench(config, models, context.logger))
      const pool = stack.use(new HostPool({ host: bench.host }))
      const host = pool.settings
      const openTimeoutMs = config.timeouts.openMs
      const line = progressLine(context, options.label)
      stack.defer(() => line.clear())
      const run = new ExtractionRun({
        tools: {
          ...{ config, settings, root, jobs, resume: flags.resume, version: packageJson.version },
          fingerprint: settingsFingerprint(config, settings),
          isShared: (path) => shared.has(stemOf(path).toLowerCase()),
          ...{ directory: bench.directory, host, logger: context.logger },
          copyPictures: (orders) => copyPictures({ orders, host, signal: context.signal, openTimeoutMs }),
        },
        ...{ parallel, signal: context.signal },
        onReport: (report) => desk.#tell(report),
        onProgress: (progress) => line.update(progress.share, 1, progressText(progress)),
      })
      const opened = stack.move()
      const desk: ExtractionDesk = new ExtractionDesk(options, line, run, () => opened.disposeAsync())
      return desk
    } catch (error) {
      await stack.disposeAsync()
      throw error
    }
  }

  /** When all has ended: the summary, and its error where a recording failed. */
  async finish(): Promise<void> {
    try {
      await this.run.ended()
    } finally {
      this.#summarise()
    }
  }

  /** The recordings that failed, as the error of the command; `undefined` when none did. */
  get failure(): GrabberError | undefined {
    const failures = this.run.reports.flatMap(({ file, error }) => (error ? [{ file, error: fromCoded(error) }] : []))
    // What is wrong with this machine tells more than what is wrong with a recording.
    const first = failures.find(({ error }) => error.exitStatus !== 3) ?? failures[0]
    if (!first) return undefined
    const { code, message, remedy } = first.error
    if (this.run.reports.length === 1) return new GrabberError(code, `${first.file}: ${message}`, { remedy })
    return new GrabberError(code, `${failures.length} of ${this.run.reports.length} recordings failed`, {
      remedy: 'see the summary for each of them',
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }

  #tell(report: FileReport): void {
    const { context, flags, runningText } = this.#options
    if (!flags.json && !runningText) return
    this.#line.clear()
    context.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : `${lineOf(report)}\n`)
  }

  #summarise(): void {
    const { context, flags, runningText } = this.#options
    const { reports } = this.run
    const total: TotalReport = totalOf(reports, (performance.now() - this.#startedMs) / 1000)
    this.#line.clear()
    if (flags.json) {
      context.stdout.write(`${JSON.stringify({ total })}\n`)
      return
    }
    if (!runningText) context.stdout.write(table([reportHeader, ...reports.map((one) => reportRow(one, nameOf(one)))]))
    context.stdout.write(`${totalText(total)}\n`)
  }
}

/** Half of the cores: each recording is decoded by one thread and measured by another. */
function parallelOf({ jobs: { parallel } }: Config, flags: ExtractFlags): number {
  if (flags.parallel !== undefined) {
    const value = wholeNumber('--parallel', flags.parallel)
    if (value > 64) throw usage('--parallel takes 64 at most')
    return value
  }
  return parallel === 'auto' ? Math.max(1, Math.floor(availableParallelism() / 2)) : parallel
}

function progressText({ ended, files, secondsLeft }: ProgressReport): string {
  const left = secondsLeft === null ? '' : `, ${clockText(secondsLeft)} left`
  return files === 1 ? left.slice(2) : `${ended} of ${files}${left}`
}

const nameOf = ({ file }: FileReport) => basename(file)

function lineOf(report: FileReport): string {
  const [outcome, name, keyframes, frames, speed, remark] = reportRow(report, nameOf(report))
  const counts = keyframes === '' ? '' : `${keyframes} keyframes${frames === '' ? '' : ` of ${frames} frames`}`
  return [`${name}: ${outcome}`, counts, speed, remark].filter((part) => part !== '').join(', ')
}

/** The recordings that are known, one after the other or some at a time; the summary; the error where one failed. */
export async function extractAll(options: DeskOptions): Promise<void> {
  await using desk = await ExtractionDesk.open(options)
  for (const path of options.known) await desk.run.add(path)
  await desk.finish()
  options.context.signal.throwIfAborted()
  if (desk.failure) throw desk.failure
}
