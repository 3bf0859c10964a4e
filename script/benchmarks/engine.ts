/**
 * `script/bench engine`: each face model at batch sizes 1 to 8 on a CPU, 1 to 64 on a GPU, through the real engine host, its
 * socket and its batcher, and how busy the device was meanwhile. Runs in a process of its own.
 *
 * For batch size B the host's limit is B, and 2·B requests are open at every moment: while one batch runs the next one is
 * complete. Latency is from `infer()` to its answer, so about two runs; `runP50Ms` is one run.
 */
import { availableParallelism } from 'node:os'
import type { RgbPicture } from '../../core/frame.ts'
import { DurationSketch } from '../../core/histogram.ts'
import type { EngineModelSpec } from '../../core/wire/engine-control.ts'
import { adapterFor } from '../../models/adapters.ts'
import type { EngineClient } from '../../models/engine-client.ts'
import { findModel } from '../../models/manifest.ts'
import { table } from '../../src/cli/table.ts'
import { engineThreads } from '../../src/engine-service.ts'
import { facesSpec, installedModels } from '../../src/face-models.ts'
import { DeviceLoad } from './device-load.ts'
import { BenchEngine } from './engine-host.ts'
import { type BenchContext, type BenchResult, figure } from './kit.ts'

/** A CPU gains nothing from more (docs/performance.md); a GPU may. */
const CPU_BATCH_SIZES = [1, 2, 4, 8]
const GPU_BATCH_SIZES = [...CPU_BATCH_SIZES, 16, 32, 64]
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
  const rows: Row[] = []
  let sizes = CPU_BATCH_SIZES
  for (let n = 0; n < sizes.length; n++) {
    const batch = sizes[n]!
    await using engine = await BenchEngine.start({ config, logger, models, maxBatch: batch, threads, credits: CREDITS })
    if (engine.device !== 'cpu') sizes = GPU_BATCH_SIZES
    for (const model of models) rows.push(await measure(engine, model, batch, seconds))
  }
  rows.sort((a, b) => models.findIndex(({ id }) => id === a.model) - models.findIndex(({ id }) => id === b.model))
  const report = { bench: 'engine', cores: availableParallelism(), threads, rows }
  const cells = rows.map((row) => Object.values(row).map(String))
  return { report, text: table([Object.keys(rows[0]!), ...cells]) }
}

async function measure(engine: BenchEngine, { id }: EngineModelSpec, batch: number, seconds: number): Promise<Row> {
  const open = 2 * batch
  const clients = Array.from({ length: Math.ceil(open / CREDITS) }, () => engine.client())
  const picture = noise(adapterFor(findModel(id)).warmUpSize)
  try {
    await keepOpen(clients, id, picture, open, (done) => done < WARM_UP_BATCHES * batch)
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
      model: id,
      batch,
      imagesPerSecond: figure(images / elapsed),
      p50Ms: figure(latency.quantile(0.5)),
      p95Ms: figure(latency.quantile(0.95)),
      device: engine.device,
      runP50Ms: figure(runs.quantile(0.5)),
      meanBatch: figure(batchSizes.reduce((sum, size) => sum + size, 0) / Math.max(1, batchSizes.length)),
      deviceLoadPercent: deviceLoadPercent === null ? null : figure(deviceLoadPercent),
    }
  } finally {
    for (const client of clients) client.close()
  }
}

/** Sends a new request for each answer as long as `goOn`; returns how many were answered. */
async function keepOpen(
  clients: EngineClient[],
  model: string,
  picture: RgbPicture,
  open: number,
  goOn: (done: number) => boolean,
  latency?: DurationSketch,
): Promise<number> {
  let done = 0
  const one = async (client: EngineClient) => {
    while (goOn(done)) {
      const startMs = performance.now()
      await client.infer(model, picture, {})
      latency?.add(performance.now() - startMs)
      done++
    }
  }
  await Promise.all(Array.from({ length: open }, (_, i) => one(clients[i % clients.length]!)))
  return done
}

/** The same noise each time. The embedder takes 12 % longer for it than for a picture, the detector the same. */
function noise({ width, height }: { width: number; height: number }): RgbPicture {
  let state = 1
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  }
  return { width, height, data: Uint8Array.from({ length: 3 * width * height }, next) }
}
