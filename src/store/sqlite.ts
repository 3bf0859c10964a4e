/**
 * The database file: opening, versions, statements, transactions. The only importer of node:sqlite.
 * Runs in the daemon (and in commands that hold the data folder's lock, or read only). Must never run an unbounded
 * statement after start: node:sqlite is synchronous, so each statement is a pause of the event loop.
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { GrabberError } from '../../core/errors.ts'
import { storeMigrations } from './migrations.ts'

/**
 * Pages in the write-ahead log before SQLite copies them back. Measured over 50 000 appends of 0.9 KB: SQLite's own 1000
 * gives pauses up to 4.7 ms (94 above 2 ms); 100 gives 2.0 ms at most, for 0.01 ms more on the mean.
 */
const WAL_CHECKPOINT_PAGES = 100
/** How long a statement waits for another connection's write. It blocks the loop, but the data folder has one writer. */
const BUSY_TIMEOUT_MS = 1000

export type Value = SQLInputValue

/** A prepared statement whose failures are STO_UNUSABLE. Row types are the caller's claim about its own SQL. */
export class Query<Row = never> {
  readonly #statement: StatementSync
  constructor(statement: StatementSync) {
    this.#statement = statement
  }

  run(...values: Value[]): { changes: number; lastRowid: number } {
    const result = guarded(() => this.#statement.run(...values))
    return { changes: Number(result.changes), lastRowid: Number(result.lastInsertRowid) }
  }

  get(...values: Value[]): Row | undefined {
    return guarded(() => this.#statement.get(...values)) as Row | undefined
  }

  all(...values: Value[]): Row[] {
    return guarded(() => this.#statement.all(...values)) as Row[]
  }
}

/** An open database. `close` is idempotent; statements must not be used after it. */
export class Store {
  readonly path: string
  readonly #db: DatabaseSync
  readonly #dataVersion: Query<{ data_version: number }>

  constructor(path: string, db: DatabaseSync) {
    this.path = path
    this.#db = db
    this.#dataVersion = this.prepare('PRAGMA data_version')
  }

  prepare<Row = never>(sql: string): Query<Row> {
    return new Query<Row>(guarded(() => this.#db.prepare(sql)))
  }

  /** All of `body`, or nothing of it when it throws; 'read' sees one moment of the database. Does not nest. */
  transaction<T>(kind: 'write' | 'read', body: () => T): T {
    guarded(() => this.#db.exec(kind === 'write' ? 'BEGIN IMMEDIATE' : 'BEGIN'))
    try {
      const value = body()
      guarded(() => this.#db.exec('COMMIT'))
      return value
    } catch (error) {
      if (this.#db.isTransaction) guarded(() => this.#db.exec('ROLLBACK'))
      throw error
    }
  }

  /** Changes whenever another connection, of this process or of another, has committed (1 µs a call). */
  dataVersion(): number {
    return this.#dataVersion.get()?.data_version ?? 0
  }

  /**
   * Copies the write-ahead log back and empties its file, so that no deleted byte is left in it. False when a reader is in
   * the way. Waits for the disk (a few ms), but not for readers.
   */
  truncateLog(): boolean {
    const checkpoint = this.prepare<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)')
    guarded(() => this.#db.exec('PRAGMA busy_timeout = 0'))
    try {
      return checkpoint.get()?.busy === 0
    } finally {
      guarded(() => this.#db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`))
    }
  }

  close(): void {
    if (this.#db.isOpen) guarded(() => this.#db.close())
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/**
 * Opens or creates the database and brings it to the newest version, after a copy to `<path>.v<old>.backup`.
 * STO_VERSION when it was written by a newer program, STO_UNUSABLE when it cannot be opened or migrated.
 */
export function openStore(
  path: string,
  migrations: readonly string[] = storeMigrations,
  { busyTimeoutMs = BUSY_TIMEOUT_MS }: { busyTimeoutMs?: number } = {},
): Store {
  const db = guarded(() => new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true }))
  try {
    const version = checkVersion(db, path, migrations)
    guarded(() => useLog(db, busyTimeoutMs))
    // secure_delete overwrites what is deleted: a removed person's embeddings are gone from the file (F8).
    guarded(() =>
      db.exec(`PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;
               PRAGMA wal_autocheckpoint = ${WAL_CHECKPOINT_PAGES}`),
    )
    migrate(db, path, version, migrations)
    return new Store(path, db)
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens an existing database for reading beside its owner. STO_UNUSABLE when absent, STO_VERSION unless up to date. */
export function openReadOnly(path: string, migrations: readonly string[] = storeMigrations): Store {
  const db = guarded(() => new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS }))
  try {
    const version = checkVersion(db, path, migrations)
    if (version < migrations.length) {
      throw new GrabberError('STO_VERSION', `the store has version ${version}, not ${migrations.length}`, {
        context: { path },
        remedy: 'start the daemon once, so that it upgrades the store',
      })
    }
    return new Store(path, db)
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Creates a database in another program's format, by its `schema`: none of our versions, no write-ahead log, no file beside it.
 * The file must not exist. STO_UNUSABLE when it cannot be written.
 */
export function createForeign(path: string, schema: string): Store {
  const db = guarded(() => new DatabaseSync(path))
  try {
    guarded(() => db.exec(`BEGIN; ${schema}; COMMIT`))
    return new Store(path, db)
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Holds an exclusive lock on the file `path` until `release`, or until the process dies, however it dies: it is the kernel's
 * (fcntl), taken through SQLite because Node has no call for it. `undefined` when another process or connection holds it.
 * Nobody may open the file by other means in this process: closing any descriptor of it would drop the lock (POSIX).
 */
export function holdFileLock(path: string): { release(): void } | undefined {
  const db = guarded(() => new DatabaseSync(path, { timeout: 0 }))
  try {
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return { release: () => (db.isOpen ? db.close() : undefined) }
  } catch (error) {
    db.close()
    if (sqliteCode(error) === SQLITE_BUSY) return undefined
    throw unusable(error)
  }
}

const SWITCH_PAUSE_MS = 5

/**
 * Write-ahead logging. The switch needs the file for itself and answers SQLITE_BUSY at once, without the busy handler, where another
 * process that makes the same new file is at the same point.
 */
function useLog(db: DatabaseSync, limitMs: number): void {
  for (const deadlineMs = performance.now() + limitMs; ; ) {
    try {
      db.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (sqliteCode(error) !== SQLITE_BUSY || performance.now() >= deadlineMs) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SWITCH_PAUSE_MS)
    }
  }
}

function checkVersion(db: DatabaseSync, path: string, migrations: readonly string[]): number {
  const row = guarded(() => db.prepare('PRAGMA user_version').get()) as { user_version: number }
  const version = row.user_version
  if (version > migrations.length) {
    throw new GrabberError('STO_VERSION', `the store has version ${version}, this program knows ${migrations.length}`, {
      context: { path },
    })
  }
  return version
}

function migrate(db: DatabaseSync, path: string, from: number, migrations: readonly string[]): void {
  if (from === migrations.length) return
  if (from > 0) backUp(db, `${path}.v${from}.backup`)
  for (const [index, sql] of migrations.entries()) {
    if (index < from) continue
    try {
      // user_version is part of the transaction: a migration that is cut off is done again from its start, and of two
      // processes that open the file at the same time one does it.
      guarded(() => db.exec('BEGIN IMMEDIATE'))
      const done = guarded(() => db.prepare('PRAGMA user_version').get()) as { user_version: number }
      const step = done.user_version > index ? '' : `${sql}; PRAGMA user_version = ${index + 1};`
      guarded(() => db.exec(`${step} COMMIT`))
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
}

/** A consistent copy, log included; complete or absent. */
function backUp(db: DatabaseSync, target: string): void {
  const partial = `${target}.partial`
  rmSync(partial, { force: true })
  guarded(() => db.prepare('VACUUM INTO ?').run(partial))
  if (!existsSync(partial)) throw new GrabberError('STO_UNUSABLE', 'the copy before an upgrade could not be written')
  renameSync(partial, target)
}

/** https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}

function unusable(error: unknown): unknown {
  if (error instanceof GrabberError || sqliteCode(error) === undefined) return error
  return new GrabberError('STO_UNUSABLE', (error as Error).message, { cause: error })
}

function guarded<T>(body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw unusable(error)
  }
}
