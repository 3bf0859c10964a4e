/**
 * `script/bench engine`: each face model at batch sizes 1 to 8 on a CPU, 1 to 64 on a GPU, and with 1, 4 and 16 sources, through
 * the real engine host, its socket and its batcher, and how busy the device was meanwhile. Runs in a process of its own.
 *
 * For batch size B the host's limit is B, and 2·B requests are open at every moment: while one batch runs the next one is
 * complete. Latency is from `infer()` to its answer, so about two runs; `runP50Ms` is one run.
 *
 * A source keeps two requests open, as a camera does, and the host has the limits of the configuration: which batches form by
 * themselves?
 */
import { availableParallelism } from 'node:os'
import { DurationSketch } from '../../core/histogram.ts'
import { adapterFor } from '../../models/adapters.ts'
import type { ModelEntry } from '../../models/model-entry.ts'
import { keepOpen, noise } from '../../src/cli/engine-load.ts'
import { table } from '../../src/cli/table.ts'
import { engineThreads } from '../../src/engine-service.ts'
import { facesSpec, installedModels, knownModel } from '../../src/face-models.ts'
import { DeviceLoad } from './device-load.ts'
import { BenchEngine } from './engine-host.ts'
import { type BenchContext, type BenchResult, figure } from './kit.ts'

/** A CPU gains nothing from more (docs/performance.md); a GPU may. */
const CPU_BATCH_SIZES = [1, 2, 4, 8]
const GPU_BATCH_SIZES = [...CPU_BATCH_SIZES, 16, 32, 64]
/** So that the batch is as large as it is meant to be. */
const ANY_LATENCY_MS = 60_000
const SOURCES = [1, 4, 16]
/** Of one source; the product's detector and embedder have as many. */
const OPEN_PER_SOURCE = 2
/** For each model and batch size. */
const SECONDS = 1
const WARM_UP_BATCHES = 3
/** As in the product: no client has more than eight requests open. */
const CREDITS = 8

interface Row {
  model: string
  batch: number
  imagesPerSecond: number
  p50Ms: number
  p95Ms: number
  device: string
  runP50Ms: number
  /** Of the batches that ran: the size that was meant, when the load was enough. */
  meanBatch: number
  /** Of a CPU: the engine process's CPU time as a share of all cores. Of a GPU: its own utilisation. `null` when unknown. */
  deviceLoadPercent: number | null
}

export async function benchEngine({ config, logger, seconds = SECONDS }: BenchContext): Promise<BenchResult> {
  const { detector, embedder } = facesSpec(config)
  const models = await installedModels(config, [detector, embedder])
  const threads = engineThreads(config.engine)
  const entries = models.map(({ id }) => knownModel(config, id).entry)
  const rows: Row[] = []
  let sizes = CPU_BATCH_SIZES
  for (let n = 0; n < sizes.length; n++) {
    const batch = sizes[n]!
    const limits = { max: batch, targetLatencyMs: ANY_LATENCY_MS }
    await using engine = await BenchEngine.start({ config, logger, models, batch: limits, threads, credits: CREDITS })
    if (engine.device !== 'cpu') sizes = GPU_BATCH_SIZES
    for (const entry of entries) rows.push(await measure(engine, entry, batch, seconds))
  }
  const sources: SourcesRow[] = []
  await using engine = await BenchEngine.start({ config, logger, models, threads, credits: CREDITS })
  for (const entry of entries) {
    for (const count of SOURCES) sources.push(await measureSources(engine, entry, count, seconds))
  }
  rows.sort((a, b) => models.findIndex(({ id }) => id === a.model) - models.findIndex(({ id }) => id === b.model))
  const report = { bench: 'engine', cores: availableParallelism(), threads, rows, sources }
  return { report, text: `${asTable(rows)}\n${asTable(sources)}` }
}

function asTable(rows: readonly object[]): string {
  const cell = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))
  return table([Object.keys(rows[0]!), ...rows.map((row) => Object.values(row).map(cell))])
}

async function measure(engine: BenchEngine, entry: ModelEntry, batch: number, seconds: number): Promise<Row> {
  const open = 2 * batch
  const load = { clients: Math.ceil(open / CREDITS), open, warmUp: WARM_UP_BATCHES * batch, seconds }
  const { imagesPerSecond, p50Ms, p95Ms, batchSizes, runs, deviceLoadPercent } = await underLoad(engine, entry, load)
  return {
    ...{ model: entry.id, batch, imagesPerSecond, p50Ms, p95Ms, device: engine.device },
    runP50Ms: figure(runs.quantile(0.5)),
    meanBatch: mean(batchSizes),
    deviceLoadPercent,
  }
}

interface SourcesRow {
  model: string
  sources: number
  imagesPerSecond: number
  p50Ms: number
  p95Ms: number
  meanBatch: number
  /** Batches that ran, by their size. */
  batchSizes: Record<number, number>
}

async function measureSources(
  engine: BenchEngine,
  entry: ModelEntry,
  sources: number,
  seconds: number,
): Promise<SourcesRow> {
  const open = OPEN_PER_SOURCE * sources
  const load = { clients: sources, open, warmUp: WARM_UP_BATCHES * open, seconds }
  const { imagesPerSecond, p50Ms, p95Ms, batchSizes } = await underLoad(engine, entry, load)
  const histogram: Record<number, number> = {}
  for (const size of batchSizes) histogram[size] = (histogram[size] ?? 0) + 1
  return { model: entry.id, sources, imagesPerSecond, p50Ms, p95Ms, meanBatch: mean(batchSizes), batchSizes: histogram }
}

interface Load {
  clients: number
  /** Requests open at every moment, over all clients. */
  open: number
  /** Requests before anything is measured. */
  warmUp: number
  seconds: number
}

async function underLoad(engine: BenchEngine, entry: ModelEntry, { clients: count, open, warmUp, seconds }: Load) {
  const clients = Array.from({ length: count }, () => engine.client())
  const { id } = entry
  const picture = noise(adapterFor(entry).warmUpSize)
  try {
    await keepOpen(clients, id, picture, open, (done) => done < warmUp)
    engine.takeSamples(id)
    const latency = new DurationSketch()
    const load = await DeviceLoad.begin(engine)
    const startMs = performance.now()
    const endMs = startMs + 1000 * seconds
    const images = await keepOpen(clients, id, picture, open, () => performance.now() < endMs, latency)
    const elapsed = (performance.now() - startMs) / 1000
    const deviceLoadPercent = await load.end()
    const { batchSizes, runMs } = engine.takeSamples(id)
    const runs = new DurationSketch()
    for (const ms of runMs) runs.add(ms)
    return {
      imagesPerSecond: figure(images / elapsed),
      p50Ms: figure(latency.quantile(0.5)),
      p95Ms: figure(latency.quantile(0.95)),
      batchSizes,
      runs,
      deviceLoadPercent: deviceLoadPercent === null ? null : figure(deviceLoadPercent),
    }
  } finally {
    for (const client of clients) client.close()
  }
}

function mean(sizes: readonly number[]): number {
  return figure(sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length))
}
