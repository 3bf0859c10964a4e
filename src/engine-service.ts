/**
 * The engine as the application runs it: its child specification, its directory, its report. Runs in the daemon and in
 * commands that need inference.
 */
import { availableParallelism } from 'node:os'
import { startEngine } from '../actors/engine.ts'
import { EngineDirectory } from '../actors/engine-directory.ts'
import type { HostSettings } from '../actors/host-settings.ts'
import type { ChildSpec } from '../actors/kernel/child.ts'
import type { Config } from '../config/schema.ts'
import type { DeviceReport, EngineFigures, EngineModelSpec } from '../core/wire/engine-control.ts'

/** Requests one session may have open: two frames' detections and a frame's faces. */
const CREDITS = 8
/** Loading and warming up; a software GPU takes 6 s to create a session (FACTS). */
const READY_MS = 60_000

/** Intra-op threads of ONNX Runtime. One core is left for decoding; more than four bring little to models this small. */
export function engineThreads({ threads }: Config['engine']): number {
  return threads === 'auto' ? Math.max(1, Math.min(4, availableParallelism() - 1)) : threads
}

export interface EngineServiceOptions {
  config: Config['engine']
  models: EngineModelSpec[]
  socketPath(incarnation: number): string
  host: HostSettings
  onReady?(report: DeviceReport, pid: number): void
  onFigures?(figures: EngineFigures): void
  onGone?(reason: string): void
}

export class EngineService {
  readonly directory = new EngineDirectory()
  /** Permanent: whoever supervises it starts it again after a crash. */
  readonly child: ChildSpec
  /** There is no model to run. */
  readonly idle: boolean
  #report: DeviceReport | undefined
  #incarnation = 0

  constructor({ config, models, socketPath, host, onReady, onFigures, onGone }: EngineServiceOptions) {
    const { device, queueLimit, batch } = config
    this.idle = models.length === 0
    const { max, maxWaitMs, targetLatencyMs } = batch
    const start = {
      device,
      models,
      credits: CREDITS,
      batch: { max, maxWaitMs, targetLatencyMs, queueLimit },
      threads: engineThreads(config),
    }
    this.child = {
      id: `engine:${device}`,
      restart: 'permanent',
      shutdownMs: host.stopMs + host.killMs,
      start: (context) =>
        startEngine(
          {
            start,
            socketPath,
            host,
            directory: this.directory,
            readyMs: READY_MS,
            nextIncarnation: () => ++this.#incarnation,
            onReady: (report, pid) => {
              this.#report = report
              onReady?.(report, pid)
            },
            onFigures: (figures) => onFigures?.(figures),
            onGone: (reason) => onGone?.(reason),
          },
          context,
        ),
    }
  }

  /** Of the engine that ran last. */
  get report(): DeviceReport | undefined {
    return this.#report
  }
}
