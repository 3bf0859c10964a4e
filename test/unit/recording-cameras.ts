/**
 * Cameras that do nothing but keep what they were told, over a real LiveConfig with real files. Test support.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CameraReport } from '../../actors/camera-report.ts'
import type { Trigger } from '../../actors/session-process.ts'
import { configDiff } from '../../config/diff.ts'
import { loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import { emptyLedger } from '../../core/ledger.ts'
import type { CameraDesk, FleetChange } from '../../src/camera-fleet.ts'
import { LiveConfig } from '../../src/live-config.ts'
import { CameraFileStore } from '../../src/store/camera-file.ts'
import { RecordingLogger } from './recording-logger.ts'

export class RecordingCameras implements CameraDesk {
  readonly told: string[] = []
  awake = true
  #config: Config

  constructor(config: Config) {
    this.#config = config
  }

  get config(): Config {
    return this.#config
  }

  list(): CameraReport[] {
    return Object.keys(this.#config.cameras).map((id) => this.get(id))
  }

  get(id: string): CameraReport {
    const camera = this.#config.cameras[id]
    if (!camera) throw new GrabberError('API_NOT_FOUND', `there is no camera ${id}`)
    const state = camera.enabled ? 'live' : 'stopped'
    return { id, state, stream: null, ledger: emptyLedger(), lastFrameAgeMs: null } as CameraReport
  }

  async start(id: string): Promise<CameraReport> {
    this.told.push(`start ${id}`)
    return this.get(id)
  }

  async stop(id: string): Promise<CameraReport> {
    this.told.push(`stop ${id}`)
    return this.get(id)
  }

  async restart(id: string): Promise<CameraReport> {
    this.told.push(`restart ${id}`)
    return this.get(id)
  }

  trigger(id: string, { reason, holdMs, keyframe }: Trigger): boolean {
    this.get(id)
    this.told.push(`trigger ${id} ${reason} ${holdMs} ${keyframe}`)
    return this.awake
  }

  async apply(next: Config): Promise<FleetChange> {
    const { added, removed, changed } = configDiff(this.#config, next).cameras
    this.#config = next
    if (added.length + removed.length + changed.length > 0) {
      this.told.push(`apply +${added} -${removed} ~${changed}`)
    }
    const unchanged = Object.keys(next.cameras).filter((id) => !added.includes(id) && !changed.includes(id))
    return { added, removed, restarted: changed, unchanged }
  }
}

/** A main file and a data folder in `folder`, and the configuration that runs. */
export function liveConfigIn(folder: string, main: string, env: Record<string, string> = {}) {
  const file = join(folder, 'grabber.yaml')
  const cameraFile = new CameraFileStore(join(folder, 'data'))
  const logger = new RecordingLogger()
  mkdirSync(join(folder, 'data'), { recursive: true })
  writeFileSync(file, main)

  /** As a daemon that starts. */
  function start() {
    const load = (given?: { path: string; text: string }) =>
      loadConfig({ path: file, env, cwd: folder, ...(given && { cameraFile: given }) })
    const first = load()
    const cameras = new RecordingCameras(first.config)
    const refusal: { error?: GrabberError } = {}
    const live = new LiveConfig({
      first,
      load,
      cameraFile,
      prepare: async (next) => {
        if (refusal.error) throw refusal.error
        return () => cameras.apply(next)
      },
      logger,
    })
    return { live, cameras, refusal }
  }

  return {
    start,
    logger,
    write: (text: string) => writeFileSync(file, text),
    stored: () => readFileSync(cameraFile.path, 'utf8'),
    mode: () => statSync(cameraFile.path).mode & 0o777,
    cameraFile,
  }
}
