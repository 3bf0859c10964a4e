/**
 * `script/bench gallery`: looking people up among many, through the real actor, thread and database, while people are
 * enrolled. Runs in the benchmark's process, whose loop stands for the daemon's. The faces are random directions.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GalleryActor } from '../../actors/gallery.ts'
import { Supervisor } from '../../actors/kernel/supervisor.ts'
import { rootPolicy } from '../../actors/policies.ts'
import { type Config, configSchema } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import type { Logger } from '../../core/ports.ts'
import { table } from '../../src/cli/table.ts'
import { embeddingDimension } from '../../src/face-models.ts'
import { LoopDelayMonitor } from '../../src/ops/loop-delay.ts'
import { StoredPeople } from '../../src/people.ts'
import { toBlob } from '../../src/store/embedding.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { type BenchContext, type BenchResult, figure } from './kit.ts'

const PEOPLE = 100_000
/** Below the largest size, which the command may change. */
const SMALLER = [1000, 10_000]
const PROBES_A_SECOND = 50
const ENROLMENTS_A_SECOND = 5
const SECONDS = 4
const NEAREST = 5
/** Rows of one transaction while the database is filled. */
const FILL = 1000

interface Measured {
  people: number
  loadMs: number
  p50Ms: number
  p95Ms: number
  loopDelayP99Ms: number
  rssBytes: number
  searches: number
  enrolments: number
}

export async function benchGallery(context: BenchContext): Promise<BenchResult> {
  const largest = context.people ?? PEOPLE
  const sizes = [...SMALLER.filter((size) => size < largest), largest]
  const measured: Measured[] = []
  for (const people of sizes) measured.push(await measure(people, context))
  const { p50Ms, p95Ms, loopDelayP99Ms, rssBytes } = measured.at(-1)!
  const last = { people: largest, p50Ms, p95Ms, loopDelayP99Ms, rssBytes }
  const dimension = embeddingDimension(context.config, context.config.defaults.faces.embedder)
  const rate = { probesPerSecond: PROBES_A_SECOND, enrolmentsPerSecond: ENROLMENTS_A_SECOND }
  const report = { bench: 'gallery', dimension, ...rate, ...last, sizes: measured }
  return { report, text: `${said(measured)}\n` }
}

async function measure(people: number, { config, logger, seconds = SECONDS }: BenchContext): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'grabber-bench-'))
  const store = openStore(join(folder, 'grabber.db'))
  try {
    const { embedder } = config.defaults.faces
    const dimension = embeddingDimension(config, embedder)
    fill(store, people, embedder, dimension)
    return await drive(store, { people, seconds, embedder, dimension, logger })
  } finally {
    store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Drive {
  people: number
  seconds: number
  embedder: string
  dimension: number
  logger: Logger
}

/** Probes and enrolments at their rates, each at its time whether the one before it is answered or not. */
async function drive(store: Store, { people, seconds, embedder, dimension, logger }: Drive): Promise<Measured> {
  const config: Config = configSchema.parse({ defaults: { faces: { detector: 'yunet', embedder } } })
  const parts = { store, config, clock: systemClock, submit: () => undefined, openSinceMs: 0 }
  const durations: number[] = []
  const clocks = { clock: systemClock, logger, askDeadlineMs: config.timeouts.askMs }
  const actor = new GalleryActor({
    open: () => new StoredPeople(parts).load(),
    onSearch: (durationMs) => durations.push(durationMs),
    ...clocks,
  })
  const startMs = performance.now()
  const supervisor = Supervisor.start({ ...rootPolicy, id: 'root', children: [actor.child] }, clocks)
  await supervisor.ready
  const loadMs = performance.now() - startMs
  for (let warm = 0; warm < 20; warm++) await actor.search(randomUnit(dimension), NEAREST)
  durations.length = 0
  const loop = new LoopDelayMonitor()
  const asked: Promise<unknown>[] = []
  const ticks = Math.round(seconds * PROBES_A_SECOND)
  const everyNth = PROBES_A_SECOND / ENROLMENTS_A_SECOND
  const firstMs = performance.now()
  for (let tick = 0; tick < ticks; tick++) {
    await pause(firstMs + (tick * 1000) / PROBES_A_SECOND - performance.now())
    asked.push(actor.search(randomUnit(dimension), NEAREST))
    if (tick % everyNth === 0) asked.push(actor.enroll(`new-${tick}`, null, [randomUnit(dimension)], embedder))
  }
  await Promise.all(asked)
  const { p99Ms } = loop.read()
  loop.close()
  const rssBytes = process.memoryUsage.rss()
  await supervisor.stop()
  const sorted = durations.toSorted((a, b) => a - b)
  const quantile = (q: number) => figure(sorted[Math.floor(q * (sorted.length - 1))]!)
  return {
    people,
    loadMs: figure(loadMs),
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    loopDelayP99Ms: figure(p99Ms),
    rssBytes,
    searches: durations.length,
    enrolments: asked.length - durations.length,
  }
}

/** Straight into the tables: a hundred thousand enrolments, each with its own transaction, would take a minute. */
function fill(store: Store, people: number, model: string, dimension: number): void {
  const subject = store.prepare("INSERT INTO subjects VALUES (?, NULL, 0, 1, 'known')")
  const embedding = store.prepare('INSERT INTO embeddings (subject, model, vector) VALUES (?, ?, ?)')
  store.prepare('PRAGMA synchronous = OFF').get()
  for (let first = 0; first < people; first += FILL) {
    store.transaction('write', () => {
      for (let n = first; n < Math.min(people, first + FILL); n++) {
        // In the order of the table: scattered ids take minutes for a million.
        const id = `person-${String(n).padStart(8, '0')}`
        subject.run(id)
        embedding.run(id, model, toBlob(randomUnit(dimension)))
      }
    })
  }
  store.prepare('UPDATE gallery_state SET generation = 1').run()
  store.truncateLog()
  store.prepare('PRAGMA synchronous = NORMAL').get()
}

/** A random direction, near enough: sums of uniform numbers are near normal. */
function randomUnit(dimension: number): Float32Array {
  const vector = new Float32Array(dimension)
  let squares = 0
  for (let i = 0; i < dimension; i++) {
    const value = Math.random() + Math.random() + Math.random() - 1.5
    vector[i] = value
    squares += value * value
  }
  const norm = Math.sqrt(squares)
  for (let i = 0; i < dimension; i++) vector[i] = vector[i]! / norm
  return vector
}

function said(measured: readonly Measured[]): string {
  const head = ['PEOPLE', 'P50', 'P95', 'LOOP DELAY P99', 'LOAD', 'MEMORY']
  const rows = measured.map(({ people, p50Ms, p95Ms, loopDelayP99Ms, loadMs, rssBytes }) => [
    String(people),
    `${p50Ms} ms`,
    `${p95Ms} ms`,
    `${loopDelayP99Ms} ms`,
    `${(loadMs / 1000).toFixed(1)} s`,
    `${(rssBytes / 1e6).toFixed(0)} MB`,
  ])
  const rate = `${PROBES_A_SECOND} probes and ${ENROLMENTS_A_SECOND} enrolments a second`
  return `${table([head, ...rows])}\n${rate}; the times are those of a search from question to answer`
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, Math.max(0, ms)))
