/**
 * The daemon's doors, as one group of its tree: HTTP for monitoring and reading, the control socket for the command line, the bus
 * for commands and triggers; and the watch of the configuration file, which is a door of a kind. Runs in the daemon.
 */

import { DynamicGroup } from '../actors/dynamic-group.ts'
import type { GalleryActor } from '../actors/gallery.ts'
import type { ChildSpec } from '../actors/kernel/child.ts'
import type { Transition } from '../actors/kernel/supervision-node.ts'
import { Service, serviceChild } from '../actors/service.ts'
import { systemClock } from '../core/clock.ts'
import type { CloudEvent } from '../core/event.ts'
import type { EventBus, Logger, NewName, Page } from '../core/ports.ts'
import packageJson from '../package.json' with { type: 'json' }
import { discoverOnvif } from '../streams/sources/onvif/discover-onvif.ts'
import { DeadLetters } from './bus/dead-letters.ts'
import type { CameraDesk } from './camera-fleet.ts'
import { commandService } from './commands/bus-door.ts'
import { cameraView } from './commands/camera-view.ts'
import { type Call, CommandDesk } from './commands/command-desk.ts'
import type { NodeInfo } from './commands/node-commands.ts'
import { commandTable } from './commands/table.ts'
import { ConfigWatch } from './config-watch.ts'
import type { EnrollInput } from './http/control-routes.ts'
import type { HealthReport } from './http/health.ts'
import type { KeyframeRecords } from './http/keyframe-routes.ts'
import type { HttpPorts } from './http/public-routes.ts'
import { controlServer, startHttp } from './http/server.ts'
import type { LiveConfig } from './live-config.ts'
import type { DataDir } from './store/data-dir.ts'
import { readJobs } from './store/jobs.ts'
import { TriggerDesk } from './trigger-desk.ts'

const STOP_MS = 5000
/** All stop at once. */
const GROUP_STOP_MS = 10_000

export interface DoorParts {
  dataDir: DataDir
  bus: EventBus
  live: LiveConfig
  cameras: CameraDesk
  gallery: GalleryActor
  logger: Logger
  submit(event: CloudEvent): void
  refreshModels(): Promise<object>
  health(): HealthReport
  /** Prometheus text format. */
  metrics(): Promise<string>
  supervision(): unknown
  info(): NodeInfo
  /** Newest first. */
  events(limit: number, camera?: string): CloudEvent[]
  keyframes: KeyframeRecords
  /** Counts a dead letter. */
  onLetter(reason: string): void
  onTransition(transition: Transition): void
}

export class Doors {
  /** Their place in the tree. */
  readonly child: ChildSpec
  readonly #parts: DoorParts
  readonly #group: DynamicGroup
  readonly #commands: CommandDesk
  #httpUrl: string | null = null

  constructor(parts: DoorParts) {
    this.#parts = parts
    const { logger, onTransition } = parts
    const discover = (timeoutMs: number) => discoverOnvif({ timeoutMs })
    this.#commands = new CommandDesk({ commands: commandTable({ ...parts, discover }), clock: systemClock, logger })
    this.#group = new DynamicGroup('http', GROUP_STOP_MS, { clock: systemClock, logger, onTransition })
    this.child = this.#group.child
    for (const [id, open] of [
      ['http', () => this.#openHttp()],
      ['control', () => this.#openControl()],
      ['commands', () => this.#openBus()],
      ['config', () => this.#watchConfig()],
    ] as const) {
      void this.#group.add(serviceChild(id, STOP_MS, open))
    }
  }

  /** `null` while HTTP is not open. */
  get httpUrl(): string | null {
    return this.#httpUrl
  }

  /** Where the configuration says now; resolves when that was tried. */
  reopenHttp(): Promise<void> {
    this.#httpUrl = null
    this.#parts.dataDir.announce({ httpUrl: null })
    return this.#group.restart('http')
  }

  /** API_LISTEN. */
  async #openHttp(): Promise<Service> {
    const { cameras, dataDir, events, health, keyframes, live, logger, metrics, supervision } = this.#parts
    const ports: HttpPorts = {
      ...{ events, health, keyframes, metrics, supervision },
      cameras: () => cameras.list().map((report) => cameraView(report, live)),
      command: (name, call) => this.#commands.answer(name, call),
      jobs: (read) => readJobs(live.config.data, read),
    }
    const server = await startHttp({ ...live.config.http, ports, logger })
    this.#httpUrl = server.url
    dataDir.announce({ httpUrl: server.url })
    return new Service({ close: () => server.close(), inspect: () => ({ url: server.url }) })
  }

  /** API_LISTEN, STO_UNUSABLE. */
  async #openControl(): Promise<Service> {
    const { dataDir, gallery, logger, refreshModels, submit } = this.#parts
    const ports = {
      enroll: ({ subject, name, embeddings, model }: EnrollInput) => gallery.enroll(subject, name, embeddings, model),
      remove: (subject: string) => gallery.remove(subject),
      list: (page: Page) => gallery.list(page),
      visitors: (page: Page) => gallery.visitors(page),
      nameVisitor: (id: string, given: NewName) => gallery.name(id, given),
      forgetVisitor: (id: string) => gallery.forget(id),
      submit,
      refreshModels,
      command: (name: string, call: Call) => this.#commands.answer(name, call),
    }
    const server = await controlServer(dataDir.socketPath('control'), ports, logger)
    dataDir.announce({ controlSocket: server.url })
    return new Service({ close: () => server.close(), inspect: () => ({ socket: server.url }) })
  }

  /** On each connection of the bus. */
  #openBus(): Service {
    const { bus, cameras, live, logger, onLetter } = this.#parts
    const { node } = live.config
    const stop = bus.serve(commandService(this.#commands, node, packageJson.version))
    const dead = new DeadLetters({ bus, logger, onLetter })
    const triggers = new TriggerDesk({ node, bus, cameras, dead, clock: systemClock, logger })
    return new Service({
      close() {
        stop()
        triggers.close()
      },
      inspect: () => ({ bus: bus.state }),
    })
  }

  /** The configuration file, where there is one. What does not load is said by the configuration itself. */
  #watchConfig(): Service {
    const { live, logger } = this.#parts
    const path = live.file
    if (path === null) return new Service({ close: () => undefined })
    const watch = new ConfigWatch({
      path,
      isCurrent: (digest) => digest === live.digest && live.trouble === '',
      onChange: () => void live.reload('file').catch(() => undefined),
      clock: systemClock,
      logger,
    })
    return new Service({ close: () => watch.close(), inspect: () => ({ file: path }) })
  }
}
