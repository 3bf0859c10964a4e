/**
 * The gallery as `grabber faces` reaches it: through the running daemon when the data folder has an owner, else directly,
 * for writing under the folder's lock. Runs in commands. Must never log a name or an embedding.
 */
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import { type CloudEvent, eventSubject } from '../../core/event.ts'
import { ANONYMOUS_PREFIX } from '../../core/observation.ts'
import type { NewName, Subject, Visitor } from '../../core/ports.ts'
import { askDaemon } from '../http/control-client.ts'
import { LIST_PAGE } from '../http/control-routes.ts'
import { StoredPeople } from '../people.ts'
import { DataDir, findOwner } from '../store/data-dir.ts'
import { SqliteEventLog } from '../store/events.ts'
import { openStore } from '../store/sqlite.ts'
import type { CliContext } from './context.ts'
import { openGallerySnapshot, visitorsOf } from './gallery-snapshot.ts'
import { table } from './table.ts'

/** Rejects with GAL_*, STO_*, and ACT_DEADLINE when a daemon does not answer. */
export interface GalleryAccess extends AsyncDisposable {
  list(): Promise<Subject[]>
  enroll(subject: string, name: string | null, embeddings: readonly Float32Array[]): Promise<Subject>
  /** A subject, or a person without a name. */
  remove(id: string): Promise<void>
  /** People without a name. */
  visitors(): Promise<Visitor[]>
  /** Gives a person without a name one, and tells it for their tracks in the history. */
  name(visitor: string, given: NewName): Promise<Subject>
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
  return access === 'read' ? readOnly(config, model) : underLock(context, config)
}

/** A long history takes a while to be told anew. */
const NAMING_TIMEOUT_MS = 120_000

function throughDaemon(socket: string, model: string): GalleryAccess {
  const path = '/control/subjects'
  const visitors = '/control/visitors'
  return {
    list: () => allPages<Subject>(socket, path, ({ subject }) => subject),
    async enroll(subject, name, embeddings) {
      const body = { subject, name, model, embeddings: embeddings.map((each) => [...each]) }
      return (await askDaemon(socket, { method: 'POST', path, body })) as Subject
    },
    async remove(id) {
      const place = isVisitor(id) ? visitors : path
      await askDaemon(socket, { method: 'DELETE', path: `${place}/${encodeURIComponent(id)}` })
    },
    visitors: () => allPages<Visitor>(socket, visitors, ({ id }) => id),
    async name(visitor, given) {
      const call = {
        method: 'POST',
        path: `${visitors}/${encodeURIComponent(visitor)}/name`,
        body: given,
        timeoutMs: NAMING_TIMEOUT_MS,
      } as const
      return (await askDaemon(socket, call)) as Subject
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** A list comes in pages, so that a long one does not hold the daemon's loop. */
async function allPages<T>(socket: string, path: string, id: (item: T) => string): Promise<T[]> {
  const items: T[] = []
  for (let page: T[] | undefined; page === undefined || page.length === LIST_PAGE; items.push(...page)) {
    const last = items.at(-1)
    const after = last === undefined ? '' : `&after=${encodeURIComponent(id(last))}`
    page = (await askDaemon(socket, { method: 'GET', path: `${path}?limit=${LIST_PAGE}${after}` })) as T[]
  }
  return items
}

const isVisitor = (id: string) => id.startsWith(ANONYMOUS_PREFIX)

function readOnly(config: Config, model: string): GalleryAccess {
  const refuse = async () => {
    throw new GrabberError('ACT_DEFECT', 'the gallery was opened for reading')
  }
  return {
    list: () => openGallerySnapshot(config, model).list(),
    enroll: refuse,
    remove: refuse,
    visitors: () => visitorsOf(openGallerySnapshot(config, model), config).list(),
    name: refuse,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Events wait in the outbox for the next daemon. */
async function underLock({ logger }: CliContext, config: Config): Promise<GalleryAccess> {
  await using opening = new AsyncDisposableStack()
  const dataDir = opening.use(await DataDir.acquire(config.data, { logger, clock: systemClock }))
  const store = opening.use(openStore(dataDir.database))
  const log = new SqliteEventLog(store)
  const submit = (event: CloudEvent) => void log.append(eventSubject(config.node, event.subject, event.type), event)
  // Nobody else runs: no track is open.
  const openSinceMs = Number.POSITIVE_INFINITY
  const people = new StoredPeople({ store, config, clock: systemClock, submit, openSinceMs })
  opening.defer(() => people.close())
  const { gallery, visitors } = people
  const open = opening.move()
  return {
    list: () => gallery.list(),
    enroll: (subject, name, embeddings) => gallery.enroll(subject, name, [...embeddings]),
    remove: (id) => (isVisitor(id) ? visitors.forget(id) : gallery.remove(id)),
    visitors: () => visitors.list(),
    name: (visitor, given) => people.name(visitor, given),
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

export function visitorsTable(visitors: readonly Visitor[]): string {
  if (visitors.length === 0) return 'nobody without a name is remembered\n'
  return table([
    ['ID', 'TRACKS', 'EMBEDDINGS', 'FIRST SEEN', 'LAST SEEN'],
    ...visitors.map(({ id, tracks, embeddings, firstSeenMs, lastSeenMs }) => [
      id,
      String(tracks),
      String(embeddings),
      new Date(firstSeenMs).toISOString(),
      new Date(lastSeenMs).toISOString(),
    ]),
  ])
}
