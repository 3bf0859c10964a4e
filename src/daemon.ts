/**
 * The daemon: the one place where everything is put together. Owns the data folder from start to stop.
 * No pixel comes here, and nothing here takes longer than a few milliseconds on the event loop.
 */
import { GalleryActor } from '../actors/gallery.ts'
import type { Transition } from '../actors/kernel/supervision-node.ts'
import type { Supervisor } from '../actors/kernel/supervisor.ts'
import { Service, serviceChild } from '../actors/service.ts'
import { startTree } from '../actors/tree.ts'
import type { CameraFileText } from '../config/camera-file.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { LogLevel } from '../config/schema.ts'
import { systemClock } from '../core/clock.ts'
import type { GrabberError } from '../core/errors.ts'
import type { CloudEvent } from '../core/event.ts'
import type { EventBus, Logger } from '../core/ports.ts'
import packageJson from '../package.json' with { type: 'json' }
import type { BusService } from './bus-service.ts'
import { CameraFleet } from './camera-fleet.ts'
import type { NodeInfo } from './commands/node-commands.ts'
import { type DaemonParts, engineSocket, takeParts } from './daemon-parts.ts'
import { Doors } from './doors.ts'
import { EngineDesk } from './engine-desk.ts'
import { EventDesk } from './event-desk.ts'
import { healthParts } from './health-parts.ts'
import { HealthWatch } from './health-watch.ts'
import { hostSettings } from './host-settings.ts'
import type { HealthPart } from './http/health.ts'
import { type ConfigReport, LiveConfig } from './live-config.ts'
import { LoadWatch } from './load-watch.ts'
import { ModelDesk } from './model-desk.ts'
import { NodeWords } from './node-words.ts'
import { Metrics } from './ops/metrics.ts'
import { StoredPeople } from './people.ts'
import { Reconfiguration } from './reconfiguration.ts'
import { CameraFileStore } from './store/camera-file.ts'
import type { DataDir } from './store/data-dir.ts'
import { KeyframeHistory } from './store/keyframes.ts'
import { PlaybackTable } from './store/playback.ts'
import type { Store } from './store/sqlite.ts'

const SERVICE_STOP_MS = 5000
const BUS_STOP_MS = 15_000
export interface DaemonOptions {
  loaded: LoadedConfig
  /** The configuration as it is written now, with these cameras of commands. CFG_*. */
  load(cameraFile: CameraFileText): LoadedConfig
  setLogLevel(level: LogLevel): void
  logger: Logger
  /** Aborted: it stops in order, also while it starts. */
  signal: AbortSignal
}

export class Daemon {
  readonly #logger: Logger
  readonly #metrics = new Metrics()
  readonly #dataDir: DataDir
  readonly #store: Store
  readonly #bus: BusService
  readonly #gallery: GalleryActor
  readonly #events: EventDesk
  readonly #engines: EngineDesk
  readonly #fleet: CameraFleet
  readonly #live: LiveConfig
  readonly #models: ModelDesk
  readonly #words: NodeWords
  readonly #doors: Doors
  readonly #load: LoadWatch
  readonly #startedAt = new Date().toISOString()
  #tree: Supervisor | undefined
  #started = false
  #health: HealthWatch | undefined

  private constructor(options: DaemonOptions, parts: DaemonParts) {
    const { logger, loaded } = options
    const { config } = loaded
    this.#logger = logger
    this.#dataDir = parts.dataDir
    this.#store = parts.store
    this.#bus = parts.bus
    const { store } = parts
    const { bus } = parts.bus
    const openSinceMs = Date.now()
    this.#gallery = new GalleryActor({
      open: async (signal) => {
        const submit = (event: CloudEvent) => this.#events.submit(event)
        const settled = { config: this.#models.config, clock: systemClock, submit, openSinceMs }
        const people = await new StoredPeople({ store, ...settled }).load(signal)
        this.#metrics.gallery(people.sizes)
        return people
      },
      clock: systemClock,
      logger,
      askDeadlineMs: config.timeouts.askMs,
      onSearch: (durationMs) => this.#metrics.matching(durationMs / 1000),
    })
    const historyRows = () => this.#live.config.events.historyRows
    this.#events = new EventDesk({ store, bus, config, historyRows, logger, metrics: this.#metrics })
    this.#words = new NodeWords(config.node, this.#events, parts.dataDir, logger)
    this.#models = new ModelDesk({
      first: parts.models,
      logger,
      swap: (models) => this.#engines.service.swapModels(models),
      reopenGallery: async () => this.#tree?.restart('gallery'),
    })
    this.#engines = new EngineDesk({
      config: config.engine,
      models: parts.models.engineModels,
      gpus: parts.gpus,
      host: hostSettings(config, logger),
      logger,
      metrics: this.#metrics,
      socketPath: (incarnation) => parts.dataDir.socketPath(engineSocket(incarnation)),
      tell: (report) => this.#words.tell('engine.state', report),
      onHost: (name, pid) => this.#words.note(name, pid),
    })
    this.#fleet = new CameraFleet({
      config,
      host: (given) => hostSettings(given, logger),
      logger,
      metrics: this.#metrics,
      faces: (camera) => this.#models.faces(camera),
      keyframes: (camera) => this.#models.keyframes(camera),
      directory: this.#engines.service.directory,
      search: (embedding, k) => this.#gallery.search(embedding, k),
      visitors: this.#gallery,
      playbacks: new PlaybackTable(parts.store),
      picturesDir: parts.dataDir.pictures,
      bus,
      submit: (event) => this.#events.submit(event),
      tell: (event) => this.#events.tell(event),
      onHost: (name, pid) => this.#words.note(name, pid),
    })
    const change = new Reconfiguration({
      models: this.#models,
      fleet: this.#fleet,
      setLogLevel: options.setLogLevel,
      reopenHttp: () => this.#doors.reopenHttp(),
    })
    this.#live = new LiveConfig({
      first: loaded,
      load: options.load,
      cameraFile: new CameraFileStore(config.data),
      prepare: (next, diff) => change.prepare(next, diff),
      logger,
    })
    this.#load = new LoadWatch({
      config: () => this.#live.config,
      fleet: this.#fleet,
      engine: () => this.#engines.totals,
      clock: systemClock,
      metrics: this.#metrics,
      logger,
    })
    const refreshModels = () => this.#live.alone(() => change.refreshModels(this.#live.config))
    this.#doors = this.#makeDoors(this.#live, bus, refreshModels)
  }

  /** Takes the data folder and raises the tree; resolves when every member was tried once. STO_*, MDL_HASH, CFG_*. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const parts = await takeParts(options.loaded.config, options.logger)
    try {
      const daemon = new Daemon(options, parts)
      try {
        await daemon.#raise(options.signal)
      } catch (error) {
        await daemon.stop()
        throw error
      }
      return daemon
    } catch (error) {
      parts.dataDir.release()
      throw error
    }
  }

  get info(): NodeInfo {
    return {
      node: this.#live.config.node,
      version: packageJson.version,
      pid: process.pid,
      startedAt: this.#startedAt,
      device: this.#engines.service.devices[0]?.chosen ?? null,
      httpUrl: this.#doors.httpUrl,
      natsUrl: this.#dataDir.run.natsUrl,
      bus: this.#bus.bus.state,
      cameras: Object.keys(this.#live.config.cameras).length,
    }
  }

  /** Resolves when the tree has ended: undefined after `stop`, the error when a defect ended it. */
  async ended(): Promise<GrabberError | undefined> {
    const exit = await this.#tree!.exited
    // Its timer would keep the process alive after a defect.
    this.#health?.close()
    this.#load.close()
    this.#engines.close()
    this.#metrics.close()
    this.#dataDir.release()
    return exit.kind === 'crash' ? exit.error : undefined
  }

  /** Reverse order of the start, each member drained and flushed, each bounded in time. */
  async stop(): Promise<void> {
    this.#health?.close()
    this.#load.close()
    this.#engines.close()
    await this.#tree?.stop()
  }

  /** Takes the configuration as it is written now. `by` is for the log. CFG_*, MDL_*, GAL_MODEL_MISMATCH: nothing changed. */
  reload(by: string): Promise<ConfigReport> {
    return this.#live.reload(by)
  }

  async #raise(signal: AbortSignal): Promise<void> {
    const members = {
      store: serviceChild('store', SERVICE_STOP_MS, () => this.#storeService()),
      bus: [
        ...(this.#bus.child ? [this.#bus.child] : []),
        serviceChild('outbox', BUS_STOP_MS, () => this.#events.open()),
      ],
      engines: this.#engines.service.child,
      gallery: this.#gallery.child,
      cameras: this.#fleet.child,
      http: this.#doors.child,
    }
    const tree = startTree(members, {
      clock: systemClock,
      logger: this.#logger,
      onTransition: (transition) => this.#onTransition(transition),
    })
    this.#tree = tree
    if (signal.aborted) void this.stop()
    else signal.addEventListener('abort', () => void this.stop(), { once: true })
    await tree.ready
    this.#started = true
    this.#health = new HealthWatch(
      () => this.#healthParts(),
      (data) => this.#words.tell('node.health', data),
    )
  }

  #onTransition({ event, child }: Transition): void {
    if (event === 'crashed') this.#metrics.restarts(child)
  }

  #storeService(): Service {
    const service = new Service({
      close: () => {
        try {
          this.#fleet.endPlaybacks()
        } finally {
          this.#store.close()
        }
      },
    })
    this.#events.onStoreFailure((error) => service.fail(error))
    return service
  }

  #makeDoors(live: LiveConfig, bus: EventBus, refreshModels: () => Promise<object>): Doors {
    return new Doors({
      ...{ bus, live, refreshModels, dataDir: this.#dataDir, gallery: this.#gallery, logger: this.#logger },
      cameras: this.#fleet,
      supervision: () => this.#tree?.inspect(),
      info: () => this.info,
      submit: (event) => this.#events.submit(event),
      events: (limit, camera) => this.#events.recent(limit, camera),
      keyframes: new KeyframeHistory(this.#store, this.#dataDir.pictures),
      health: () => ({ started: this.#started, parts: this.#healthParts() }),
      metrics: () => {
        this.#metrics.outboxDepth(this.#events.depth)
        this.#fleet.measureAges()
        return this.#metrics.text()
      },
      onLetter: (reason) => this.#metrics.deadLetter(reason),
      onTransition: (transition) => this.#onTransition(transition),
    })
  }

  #healthParts(): HealthPart[] {
    return healthParts({
      bus: this.#bus.bus.state,
      waitingEvents: this.#events.depth,
      engineTrouble: this.#engines.trouble,
      cameras: this.#fleet.list(),
      blind: this.#models.blind,
      configTrouble: this.#live.trouble,
      loadTrouble: this.#load.trouble,
      listens: this.#doors.httpUrl !== null,
    })
  }
}
