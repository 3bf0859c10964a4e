/**
 * The daemon: the one place where everything is put together. Owns the data folder from start to stop.
 * No pixel comes here, and nothing here takes longer than a few milliseconds on the event loop.
 */
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { GalleryActor } from '../actors/gallery.ts'
import type { Supervisor } from '../actors/kernel/supervisor.ts'
import { Service, serviceChild } from '../actors/service.ts'
import { startTree } from '../actors/tree.ts'
import type { Config } from '../config/schema.ts'
import { systemClock } from '../core/clock.ts'
import { type GrabberError, toGrabberError } from '../core/errors.ts'
import { type CloudEvent, type EventData, NODE_CAMERA, toCloudEvent } from '../core/event.ts'
import type { Logger } from '../core/ports.ts'
import { type BusService, createBus } from './bus-service.ts'
import { CameraFleet } from './camera-fleet.ts'
import { type DaemonDoors, openControl, openHttp } from './doors.ts'
import { EngineDesk } from './engine-desk.ts'
import type { GpuFindings } from './engine-plan.ts'
import { findGpus } from './engine-service.ts'
import { EventDesk } from './event-desk.ts'
import { healthParts } from './health-parts.ts'
import { HealthWatch } from './health-watch.ts'
import { hostSettings } from './host-settings.ts'
import type { HealthPart } from './http/health.ts'
import { chooseModels, type ModelChoice } from './model-choice.ts'
import { Metrics } from './ops/metrics.ts'
import { StoredPeople } from './people.ts'
import { DataDir } from './store/data-dir.ts'
import { PlaybackTable } from './store/playback.ts'
import { openStore, type Store } from './store/sqlite.ts'

const SERVICE_STOP_MS = 5000
const BUS_STOP_MS = 15_000
/** A crash a second for 11 days: the longest name of an engine's socket. */
const MOST_INCARNATIONS = 999_999
const engineSocket = (incarnation: number) => `engine-${incarnation}`

export interface DaemonInfo {
  httpUrl: string | null
  natsUrl: string | null
  device: string | null
}

export class Daemon {
  readonly #config: Config
  readonly #logger: Logger
  readonly #metrics = new Metrics()
  readonly #dataDir: DataDir
  readonly #store: Store
  readonly #bus: BusService
  readonly #gallery: GalleryActor
  readonly #events: EventDesk
  readonly #engines: EngineDesk
  readonly #fleet: CameraFleet
  #tree: Supervisor | undefined
  #started = false
  #httpUrl: string | null = null
  #models: ModelChoice
  /** One after the other: the choice of the later one stands. */
  #refreshing: Promise<unknown> = Promise.resolve()
  #stateChanges = 0
  #health: HealthWatch | undefined

  private constructor(config: Config, logger: Logger, parts: DaemonParts) {
    this.#config = config
    this.#logger = logger
    this.#dataDir = parts.dataDir
    this.#store = parts.store
    this.#bus = parts.bus
    const host = hostSettings(config, logger)
    const openSinceMs = Date.now()
    this.#gallery = new GalleryActor({
      open: async (signal) => {
        const submit = (event: CloudEvent) => this.#events.submit(event)
        const settled = { config: this.#models.config, clock: systemClock, submit, openSinceMs }
        const people = await new StoredPeople({ store: parts.store, ...settled }).load(signal)
        this.#metrics.gallery(people.sizes)
        return people
      },
      clock: systemClock,
      logger,
      askDeadlineMs: config.timeouts.askMs,
      onSearch: (durationMs) => this.#metrics.matching(durationMs / 1000),
    })
    this.#events = new EventDesk({ store: parts.store, bus: parts.bus.bus, config, logger, metrics: this.#metrics })
    this.#models = parts
    this.#engines = new EngineDesk({
      config: config.engine,
      models: parts.engineModels,
      gpus: parts.gpus,
      host,
      logger,
      metrics: this.#metrics,
      socketPath: (incarnation) => parts.dataDir.socketPath(engineSocket(incarnation)),
      tell: (report) => this.#tell('engine.state', report),
      onHost: (name, pid) => this.#note(name, pid),
    })
    this.#fleet = new CameraFleet({
      config,
      host: (given) => hostSettings(given, logger),
      logger,
      metrics: this.#metrics,
      faces: (camera) => this.#models.faces(camera),
      directory: this.#engines.service.directory,
      search: (embedding, k) => this.#gallery.search(embedding, k),
      visitors: this.#gallery,
      playbacks: new PlaybackTable(parts.store),
      picturesDir: join(config.data, 'pictures'),
      bus: parts.bus.bus,
      submit: (event) => this.#events.submit(event),
      tell: (event) => this.#events.tell(event),
      onHost: (name, pid) => this.#note(name, pid),
    })
  }

  /** Takes the data folder and raises the tree; resolves when every member was tried once. STO_*, MDL_HASH, CFG_*. */
  static async start(config: Config, logger: Logger): Promise<Daemon> {
    const choice = await chooseModels(config, logger)
    const gpus = await findGpus(config.engine)
    const dataDir = await DataDir.acquire(config.data, { logger, clock: systemClock })
    try {
      // Now, instead of at the start of each member that has one.
      dataDir.socketPath(engineSocket(MOST_INCARNATIONS))
      const store = openStore(dataDir.database)
      const bus = await createBus(config.nats.url, config.node, dataDir, logger)
      const daemon = new Daemon(config, logger, { ...choice, dataDir, store, bus, gpus })
      try {
        await daemon.#raise()
      } catch (error) {
        await daemon.stop()
        throw error
      }
      return daemon
    } catch (error) {
      dataDir.release()
      throw error
    }
  }

  get info(): DaemonInfo {
    const device = this.#engines.service.devices[0]?.chosen ?? null
    return { httpUrl: this.#httpUrl, natsUrl: this.#dataDir.run.natsUrl, device }
  }

  /** Resolves when the tree has ended: undefined after `stop`, the error when a defect ended it. */
  async ended(): Promise<GrabberError | undefined> {
    const exit = await this.#tree!.exited
    // Its timer would keep the process alive after a defect.
    this.#health?.close()
    this.#engines.close()
    this.#metrics.close()
    this.#dataDir.release()
    return exit.kind === 'crash' ? exit.error : undefined
  }

  /** Reverse order of the start, each member drained and flushed, each bounded in time. */
  async stop(): Promise<void> {
    this.#health?.close()
    this.#engines.close()
    await this.#tree?.stop()
  }

  /**
   * Takes up models that were installed since the start: the engines load them, and cameras for which they change something
   * (faces, liveness, another embedder while nobody is enrolled) start a new session. The others go on undisturbed. Answers
   * with those cameras. MDL_*, ENG_*, GAL_MODEL_MISMATCH.
   */
  refreshModels(): Promise<RefreshedModels> {
    const refresh = this.#refreshing.then(() => this.#refreshModels())
    this.#refreshing = refresh.catch(() => undefined)
    return refresh
  }

  async #refreshModels(): Promise<RefreshedModels> {
    const before = this.#models
    const choice = await chooseModels(this.#config, this.#logger)
    await this.#engines.service.swapModels(choice.engineModels)
    this.#models = choice
    if (choice.config.defaults.faces.embedder !== before.config.defaults.faces.embedder)
      await this.#tree?.restart('gallery')
    const cameras = await this.#fleet.restartWhere((camera) => {
      return !isDeepStrictEqual(before.faces(camera), choice.faces(camera))
    })
    return { models: choice.engineModels.map(({ id }) => id), cameras }
  }

  async #raise(): Promise<void> {
    const members = {
      store: serviceChild('store', SERVICE_STOP_MS, () => this.#storeService()),
      bus: [
        ...(this.#bus.child ? [this.#bus.child] : []),
        serviceChild('outbox', BUS_STOP_MS, () => this.#events.open()),
      ],
      engines: this.#engines.service.child,
      gallery: this.#gallery.child,
      cameras: this.#fleet.child,
      http: [
        serviceChild('http', SERVICE_STOP_MS, () => this.#openHttp()),
        serviceChild('control', SERVICE_STOP_MS, () => openControl(this.#dataDir, this.#doors())),
      ],
    }
    const tree = startTree(members, {
      clock: systemClock,
      logger: this.#logger,
      onTransition: ({ event, child }) => {
        if (event === 'crashed') this.#metrics.restarts(child)
      },
    })
    this.#tree = tree
    await tree.ready
    this.#started = true
    this.#health = new HealthWatch(
      () => this.#healthParts(),
      (data) => this.#tell('node.health', data),
    )
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

  async #openHttp(): Promise<Service> {
    const { service, url } = await openHttp(this.#config.http, this.#doors())
    this.#httpUrl = url
    this.#dataDir.announce({ httpUrl: url })
    return service
  }

  #doors(): DaemonDoors {
    return {
      logger: this.#logger,
      gallery: this.#gallery,
      submit: (event: CloudEvent) => this.#events.submit(event),
      refreshModels: () => this.refreshModels(),
      health: () => ({ started: this.#started, parts: this.#healthParts() }),
      metrics: () => {
        this.#metrics.outboxDepth(this.#events.depth)
        this.#fleet.measureAges()
        return this.#metrics.text()
      },
      supervision: () => this.#tree?.inspect(),
      cameras: () => this.#fleet.list(),
      events: (limit, camera) => this.#events.recent(limit, camera),
    }
  }

  #healthParts(): HealthPart[] {
    return healthParts({
      bus: this.#bus.bus.state,
      waitingEvents: this.#events.depth,
      engineTrouble: this.#engines.trouble,
      cameras: this.#fleet.list(),
      blind: this.#models.blind,
      listens: this.#httpUrl !== null,
    })
  }

  /** For the sweep after a kill. Hosts end with the daemon by themselves, so a list that cannot be written ends nobody. */
  #note(name: string, pid: number | null): void {
    try {
      if (pid === null) this.#dataDir.removeChild(name)
      else this.#dataDir.addChild(name, pid)
    } catch (error) {
      this.#logger.warn({ child: name, error: toGrabberError(error).line }, 'run.json could not be written')
    }
  }

  /** An event of the node itself; its key is unique over restarts of the daemon. */
  #tell<T extends 'engine.state' | 'node.health'>(type: T, data: EventData<T>): void {
    const timeMs = Date.now()
    const key = `${process.pid}-${timeMs}-${++this.#stateChanges}`
    const { node } = this.#config
    this.#events.tell(toCloudEvent({ type, node, camera: NODE_CAMERA, key, timeMs, data }))
  }
}

interface RefreshedModels {
  models: string[]
  /** Those that started a new session. */
  cameras: string[]
}

interface DaemonParts extends ModelChoice {
  gpus: GpuFindings
  dataDir: DataDir
  store: Store
  bus: BusService
}
