/**
 * What a command needs that does inference itself: an engine under its own supervisor, away from any daemon. Runs in
 * commands. Owns the engine and a temporary folder for its socket; both are gone after `close`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EngineDirectory } from '../../actors/engine-directory.ts'
import type { HostSettings } from '../../actors/host-settings.ts'
import type { Transition } from '../../actors/kernel/supervision-node.ts'
import { Supervisor } from '../../actors/kernel/supervisor.ts'
import { servicePolicy } from '../../actors/policies.ts'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { fromCoded, GrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import type { DeviceReport, EngineFigures, EngineModelSpec } from '../../core/wire/engine-control.ts'
import { EngineService } from '../engine-service.ts'
import { installedModels } from '../face-models.ts'
import { hostSettings } from '../host-settings.ts'

export interface Workbench extends AsyncDisposable {
  readonly directory: EngineDirectory
  readonly host: HostSettings
  /** What was chosen and what was refused; `undefined` without an engine. */
  readonly report: DeviceReport | undefined
  /** Device the engine runs on, or `none`. */
  readonly device: string
  /** Times the engine was started again so far. */
  readonly engineRestarts: number
}

/** Starts an engine with `models` (ids, or files of which the caller says where they are described), or none when there are none to run. MDL_*, ENG_START. */
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
  let failed: Transition | undefined
  const service = new EngineService({
    config: config.engine,
    models: files,
    host,
    onFigures,
    socketPath: (incarnation) => join(folder, `engine-${incarnation}.sock`),
  })
  const supervisor = Supervisor.start(
    { ...servicePolicy, id: 'engines', children: files.length > 0 ? [service.child] : [] },
    {
      clock: systemClock,
      logger,
      onTransition: (transition) => {
        if (transition.error) failed = transition
      },
    },
  )
  const close = async () => {
    await supervisor.stop()
    await rm(folder, { recursive: true, force: true })
  }
  await supervisor.ready
  if (files.length > 0 && !service.directory.endpoint) {
    await close()
    throw failed?.error ? fromCoded(failed.error) : new GrabberError('ENG_START', 'the engine did not start')
  }
  return {
    directory: service.directory,
    host,
    get report() {
      return service.report
    },
    get device() {
      return service.report?.chosen ?? 'none'
    },
    get engineRestarts() {
      return supervisor.inspect().restarts
    },
    [Symbol.asyncDispose]: close,
  }
}
