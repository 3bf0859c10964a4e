/**
 * `grabber models bench`: how fast each model is on this machine, by batch size, through a real engine host. Runs as a
 * command. For batch size B the host's limit is B and 2·B requests are open at every moment: while one batch runs the next one
 * is complete.
 */
import type { Command } from 'commander'
import type { Config } from '../../config/schema.ts'
import { DurationSketch } from '../../core/histogram.ts'
import type { EngineFigures } from '../../core/wire/engine-control.ts'
import { adapterFor } from '../../models/adapters.ts'
import { EngineClient } from '../../models/engine-client.ts'
import type { ModelEntry } from '../../models/model-entry.ts'
import { type DeviceDescription, describeDevices } from '../engine-report.ts'
import { engineThreads } from '../engine-service.ts'
import { facesSpec, knownModel, missingModels, modelIds, withoutMissing } from '../face-models.ts'
import { settleModels } from '../model-choice.ts'
import { type CliContext, openConfig, usage } from './context.ts'
import { keepOpen, noise } from './engine-load.ts'
import { namedModels } from './models-named.ts'
import { progressLine } from './progress-line.ts'
import { table } from './table.ts'
import { openWorkbench } from './workbench.ts'

const BATCH_SIZES = '1,4,8'
const MAX_BATCH = 64
/** Requests that one client may have open. */
const CREDITS = 8
const WARM_UP_BATCHES = 3

export interface BenchRow {
  model: string
  batch: number
  imagesPerSecond: number
  /** From the request to its answer: about two runs. */
  p50Ms: number
  p95Ms: number
  /** One run of the model. */
  runP50Ms: number
  /** Of the batches that ran. */
  meanBatch: number
}

interface BenchReport {
  /** Chosen, refused and why, figures of GPUs. */
  devices: DeviceDescription
  threads: number
  rows: BenchRow[]
}

export function registerBench(models: Command, context: CliContext): void {
  models
    .command('bench [ids...]')
    .description('how fast the models in use (or those named) are here, and on which device')
    .option('--batch <sizes>', 'batch sizes, separated by commas', BATCH_SIZES)
    .option('--seconds <seconds>', 'for each model and batch size', '1')
    .option('--json', 'one JSON object')
    .addHelpText('after', '\nExample:\n  grabber models bench yunet --batch 1,2,4')
    .action(async (ids: string[], flags: { batch: string; seconds: string; json?: true }, command: Command) => {
      const config = settleModels(openConfig(context, command).config)
      const sizes = flags.batch.split(',').map((text) => whole('--batch', text))
      const seconds = Number(flags.seconds)
      if (!(seconds > 0 && seconds <= 600)) throw usage('--seconds takes a number above 0, up to 600')
      const spec = facesSpec(config)
      const missing = new Set(await missingModels(config, modelIds(spec)))
      const usable = withoutMissing(spec, missing, config.defaults.faces.liveness) ?? spec
      const used = modelIds(usable).map((id) => knownModel(config, id).entry)
      const entries = ids.length > 0 ? namedModels(config, ids) : used
      const report = await bench(context, config, entries, sizes, seconds)
      context.stdout.write(
        flags.json ? `${JSON.stringify({ ...report, devices: report.devices.json }, null, 2)}\n` : benchText(report),
      )
    })
}

async function bench(
  context: CliContext,
  config: Config,
  entries: readonly ModelEntry[],
  sizes: readonly number[],
  seconds: number,
): Promise<BenchReport> {
  const progress = progressLine(context, 'bench')
  const rows: BenchRow[] = []
  let devices: DeviceDescription | undefined
  try {
    for (const [index, batch] of sizes.entries()) {
      const able = entries.filter(({ input }) => batch <= (input.maxBatch ?? batch))
      if (able.length === 0) continue
      const limited = { ...config, engine: { ...config.engine, batch: { ...config.engine.batch, max: batch } } }
      const figures: EngineFigures[] = []
      const ids = able.map(({ id }) => id)
      await using engine = await openWorkbench(limited, ids, context.logger, (one) => void figures.push(one))
      devices ??= describeDevices(engine.devices, engine.gpus)
      const endpoint = engine.endpoint
      for (const entry of able) {
        context.signal.throwIfAborted()
        progress.update(index, sizes.length, `${entry.id}, batches of ${batch}`)
        rows.push(await measure(entry, batch, seconds, figures, () => connect(config, endpoint)))
      }
    }
  } finally {
    progress.clear()
  }
  if (!devices) throw usage('no model here takes batches of these sizes')
  rows.sort((a, b) => entries.findIndex(({ id }) => id === a.model) - entries.findIndex(({ id }) => id === b.model))
  return { devices, threads: engineThreads(config.engine), rows }
}

function connect(config: Config, endpoint: Parameters<EngineClient['setEndpoint']>[0]): EngineClient {
  const client = new EngineClient({ session: 'bench', priority: 1, askDeadlineMs: config.timeouts.askMs })
  client.setEndpoint(endpoint)
  return client
}

async function measure(
  entry: ModelEntry,
  batch: number,
  seconds: number,
  figures: EngineFigures[],
  newClient: () => EngineClient,
): Promise<BenchRow> {
  const { id } = entry
  const open = 2 * batch
  const clients = Array.from({ length: Math.ceil(open / CREDITS) }, newClient)
  const picture = noise(adapterFor(entry).warmUpSize)
  try {
    await keepOpen(clients, id, picture, open, (done) => done < WARM_UP_BATCHES * batch)
    figures.length = 0
    const latency = new DurationSketch()
    const startMs = performance.now()
    const images = await keepOpen(
      clients,
      id,
      picture,
      open,
      () => performance.now() - startMs < 1000 * seconds,
      latency,
    )
    const elapsed = (performance.now() - startMs) / 1000
    const samples = figures.flatMap((one) => one.samples[id] ?? [])
    const batches = samples.flatMap(({ batchSizes }) => batchSizes)
    const runs = new DurationSketch()
    for (const ms of samples.flatMap(({ runMs }) => runMs)) runs.add(ms)
    return {
      model: id,
      batch,
      imagesPerSecond: figure(images / elapsed),
      p50Ms: figure(latency.quantile(0.5)),
      p95Ms: figure(latency.quantile(0.95)),
      runP50Ms: figure(runs.quantile(0.5)),
      meanBatch: figure(batches.reduce((sum, size) => sum + size, 0) / Math.max(1, batches.length)),
    }
  } finally {
    for (const client of clients) client.close()
  }
}

function benchText({ devices, threads, rows }: BenchReport): string {
  const lines = rows.map((row) => [
    row.model,
    String(row.batch),
    String(row.imagesPerSecond),
    String(row.p50Ms),
    String(row.p95Ms),
    String(row.runP50Ms),
    String(row.meanBatch),
  ])
  const heads = ['MODEL', 'BATCH', 'IMAGES/S', 'P50 MS', 'P95 MS', 'RUN P50 MS', 'MEAN BATCH']
  const machine = [...devices.lines, `threads  ${threads} a model on the CPU`]
  return `${machine.join('\n')}\n\n${table([heads, ...lines])}`
}

function whole(flag: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0 && value <= MAX_BATCH) return value
  throw usage(`${flag} takes whole numbers from 1 to ${MAX_BATCH}, not ${text}`)
}

function figure(value: number): number {
  return Number(value.toPrecision(3))
}
