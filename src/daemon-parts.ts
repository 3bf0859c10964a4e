/**
 * What the daemon takes hold of before it starts anything: models, devices, the data folder with its store, the bus. Runs in the
 * daemon. What it took it gives back when it cannot have the rest.
 */
import type { Config } from '../config/schema.ts'
import { systemClock } from '../core/clock.ts'
import type { Logger } from '../core/ports.ts'
import { type BusService, createBus } from './bus-service.ts'
import type { GpuFindings } from './engine-plan.ts'
import { findGpus } from './engine-service.ts'
import { chooseModels, type ModelChoice } from './model-choice.ts'
import { DataDir } from './store/data-dir.ts'
import { openStore, type Store } from './store/sqlite.ts'

/** A crash a second for 11 days: the longest name of an engine's socket. */
const MOST_INCARNATIONS = 999_999

export const engineSocket = (incarnation: number) => `engine-${incarnation}`

/** `dataDir` is to be released by its user. */
export interface DaemonParts {
  models: ModelChoice
  gpus: GpuFindings
  dataDir: DataDir
  store: Store
  bus: BusService
}

/** STO_*, MDL_HASH, GAL_MODEL_MISMATCH, CFG_INVALID. */
export async function takeParts(config: Config, logger: Logger): Promise<DaemonParts> {
  const models = await chooseModels(config, logger)
  const gpus = await findGpus(config.engine)
  const dataDir = await DataDir.acquire(config.data, { logger, clock: systemClock })
  try {
    // Now, instead of at the start of each member that has one.
    dataDir.socketPath(engineSocket(MOST_INCARNATIONS))
    const store = openStore(dataDir.database)
    const bus = await createBus(config.nats.url, config.node, dataDir, logger)
    return { models, gpus, dataDir, store, bus }
  } catch (error) {
    dataDir.release()
    throw error
  }
}
