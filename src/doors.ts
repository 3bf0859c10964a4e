/**
 * The daemon's doors: HTTP for monitoring and reading, the control socket for the command line. Runs in the daemon.
 */
import type { GalleryActor } from '../actors/gallery.ts'
import { Service } from '../actors/service.ts'
import type { Config } from '../config/schema.ts'
import type { CloudEvent } from '../core/event.ts'
import type { Logger, NewName, Page } from '../core/ports.ts'
import type { EnrollInput } from './http/control-routes.ts'
import type { HttpPorts } from './http/public-routes.ts'
import { controlServer, startHttp } from './http/server.ts'
import type { DataDir } from './store/data-dir.ts'

export interface DaemonDoors extends HttpPorts {
  logger: Logger
  gallery: GalleryActor
  submit(event: CloudEvent): void
  refreshModels(): Promise<object>
}

/** API_LISTEN. */
export async function openHttp(
  { host, port }: Config['http'],
  doors: DaemonDoors,
): Promise<{ service: Service; url: string }> {
  const server = await startHttp({ host, port, ports: doors, logger: doors.logger })
  return {
    url: server.url,
    service: new Service({ close: () => server.close(), inspect: () => ({ url: server.url }) }),
  }
}

/** API_LISTEN, STO_UNUSABLE. */
export async function openControl(dataDir: DataDir, doors: DaemonDoors): Promise<Service> {
  const { gallery, submit, refreshModels, logger } = doors
  const ports = {
    enroll: ({ subject, name, embeddings, model }: EnrollInput) => gallery.enroll(subject, name, embeddings, model),
    remove: (subject: string) => gallery.remove(subject),
    list: (page: Page) => gallery.list(page),
    visitors: (page: Page) => gallery.visitors(page),
    nameVisitor: (id: string, given: NewName) => gallery.name(id, given),
    forgetVisitor: (id: string) => gallery.forget(id),
    submit,
    refreshModels,
  }
  const server = await controlServer(dataDir.socketPath('control'), ports, logger)
  dataDir.announce({ controlSocket: server.url })
  return new Service({ close: () => server.close(), inspect: () => ({ socket: server.url }) })
}
