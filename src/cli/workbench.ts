/**
 * What a command needs that does inference itself: an engine under its own supervisor, away from any daemon. Runs in
 * commands. Owns the engine and a temporary folder for its socket; both are gone after `close`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EngineDirectory } from '../../actors/engine-directory.ts'
import type { HostSettings } from '../../actors/host-settings.ts'
import { Supervisor } from '../../actors/kernel/supervisor.ts'
import { groupPolicy } from '../../actors/policies.ts'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import type { EngineEndpoint } from '../../core/wire/control.ts'
import type { DeviceReport, EngineFigures, EngineModelSpec } from '../../core/wire/engine-control.ts'
import type { GpuFindings } from '../engine-plan.ts'
import { EngineService, findGpus } from '../engine-service.ts'
import { installedModels } from '../face-models.ts'
import { hostSettings } from '../host-settings.ts'

export interface Workbench extends AsyncDisposable {
  readonly directory: EngineDirectory
  readonly host: HostSettings
  /** What each engine found of its device. */
  readonly devices: readonly DeviceReport[]
  readonly gpus: GpuFindings
  /** Where a client of the command's own finds an engine now. */
  readonly endpoint: EngineEndpoint | null
  /** Device the engine runs on, or `none`. */
  readonly device: string
  /** Times the engine was started again so far. */
  readonly engineRestarts: number
}

/** Starts an engine with `models` (ids, or files with their entries), or none when there are none to run. MDL_*, ENG_START. */
export async function openWorkbench(
  config: Config,
  models: readonly (string | EngineModelSpec)[],
  logger: Logger,
  onFigures: (figures: EngineFigures) => void = () => undefined,
): Promise<Workbench> {
  const host = hostSettings(config, logger)
  const given = models.filter((model) => typeof model !== 'string')
  const named = models.filter((model) => typeof model === 'string')
  const files = [...(await installedModels(config, named)), ...given]
  const folder = await mkdtemp(join(tmpdir(), 'grabber-'))
  const gpus = await findGpus(config.engine)
  const service = new EngineService({
    config: config.engine,
    gpus,
    models: files,
    host,
    onFigures,
    socketPath: (incarnation) => join(folder, `engine-${incarnation}.sock`),
  })
  const supervisor = Supervisor.start(
    { ...groupPolicy, id: 'workbench', children: [service.child] },
    { clock: systemClock, logger },
  )
  const close = async () => {
    await supervisor.stop()
    await rm(folder, { recursive: true, force: true })
  }
  await supervisor.ready
  if (files.length > 0 && !service.directory.available) {
    await close()
    const reasons = service.plan.refused.map(({ device, reason }) => `${device}: ${reason}`)
    throw service.lastError ?? new GrabberError('ENG_START', `no engine can be started (${reasons.join(', ')})`)
  }
  return {
    directory: service.directory,
    host,
    gpus,
    get devices() {
      return service.devices
    },
    get endpoint() {
      const seat = service.directory.seat(() => undefined)
      seat.leave()
      return seat.news.engine
    },
    get device() {
      return [...new Set(service.devices.map(({ chosen }) => chosen))].join('+') || 'none'
    },
    get engineRestarts() {
      return service.restarts
    },
    [Symbol.asyncDispose]: close,
  }
}
