/**
 * The gallery as `grabber faces` reaches it: through the running daemon when the data folder has an owner, else directly,
 * for writing under the folder's lock. Runs in commands. Must never log a name or an embedding.
 */
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { Subject } from '../../core/ports.ts'
import { embeddingDimension } from '../face-models.ts'
import { askDaemon } from '../http/control-client.ts'
import { DataDir, findOwner } from '../store/data-dir.ts'
import { SqliteGallery } from '../store/gallery.ts'
import { openStore } from '../store/sqlite.ts'
import type { CliContext } from './context.ts'
import { openGallerySnapshot } from './gallery-snapshot.ts'
import { table } from './table.ts'

/** Rejects with GAL_*, STO_*, and ACT_DEADLINE when a daemon does not answer. */
export interface GalleryAccess extends AsyncDisposable {
  list(): Promise<Subject[]>
  enroll(subject: string, name: string | null, embeddings: readonly Float32Array[]): Promise<Subject>
  remove(subject: string): Promise<void>
}

/** 'read' beside whoever owns the folder, and makes nothing. STO_*. */
export async function openGallery(
  context: CliContext,
  config: Config,
  access: 'read' | 'write',
): Promise<GalleryAccess> {
  const model = config.defaults.faces.embedder
  const socket = findOwner(config.data)?.controlSocket
  if (socket) return throughDaemon(socket, model)
  return access === 'read' ? readOnly(config, model) : underLock(context, config, model)
}

function throughDaemon(socket: string, model: string): GalleryAccess {
  const path = '/control/subjects'
  return {
    list: async () => (await askDaemon(socket, { method: 'GET', path })) as Subject[],
    async enroll(subject, name, embeddings) {
      const body = { subject, name, model, embeddings: embeddings.map((each) => [...each]) }
      return (await askDaemon(socket, { method: 'POST', path, body })) as Subject
    },
    async remove(subject) {
      await askDaemon(socket, { method: 'DELETE', path: `${path}/${encodeURIComponent(subject)}` })
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function readOnly(config: Config, model: string): GalleryAccess {
  const refuse = async () => {
    throw new GrabberError('ACT_DEFECT', 'the gallery was opened for reading')
  }
  return {
    list: async () => openGallerySnapshot(config, model).list(),
    enroll: refuse,
    remove: refuse,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function underLock({ logger }: CliContext, config: Config, model: string): Promise<GalleryAccess> {
  await using opening = new AsyncDisposableStack()
  const dataDir = opening.use(await DataDir.acquire(config.data, { logger, clock: systemClock }))
  const store = opening.use(openStore(dataDir.database))
  const gallery = new SqliteGallery(store, { model, dimension: embeddingDimension(config, model), clock: systemClock })
  const open = opening.move()
  return {
    list: async () => gallery.list(),
    enroll: async (subject, name, embeddings) => gallery.enroll(subject, name, [...embeddings]),
    remove: async (subject) => gallery.remove(subject),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}

/** Columns for a person; says so when nobody is known. */
export function subjectsTable(subjects: readonly Subject[]): string {
  if (subjects.length === 0) return 'nobody is known yet; see `grabber faces enroll --help`\n'
  return table([
    ['SUBJECT', 'NAME', 'EMBEDDINGS', 'ENROLLED'],
    ...subjects.map(({ subject, name, embeddings, enrolledAtMs }) => [
      subject,
      name ?? '',
      String(embeddings),
      new Date(enrolledAtMs).toISOString(),
    ]),
  ])
}
