/**
 * Looks at a running daemon all the time, from outside: its API, its metrics, the boxes on NATS. What must hold at every moment is
 * checked at every look and kept in `problems`: ledgers balance, no lease outlives its frame, counters never run back. Runs in
 * tests; changes nothing.
 */
import { connect, type NatsConnection } from 'nats'
import type { CameraReport } from '../../../actors/camera-report.ts'
import type { CloudEvent, EventData } from '../../../core/event.ts'
import { imbalance, type LedgerCounts } from '../../../core/ledger.ts'
import type { LiveBox } from '../../../core/wire/control.ts'
import type { DaemonView } from '../../e2e/support/daemon.ts'
import { until } from '../../integration/support/nats.ts'

const LOOK_MS = 100
/** More than happen between two looks. */
const NEWEST_EVENTS = 200
const STORY_EVENTS = 30

/** The faces of one analysed frame. */
export interface Sight {
  seq: number
  ptsMs: number
  boxes: LiveBox[]
}

/** A moment: what had been seen until then. */
export interface Mark {
  events: number
  sights: ReadonlyMap<string, number>
  ledgers: ReadonlyMap<string, LedgerCounts>
}

export class CameraWatch implements AsyncDisposable {
  readonly problems: string[] = []
  readonly events: CloudEvent[] = []
  readonly #daemon: DaemonView
  readonly #connection: NatsConnection
  readonly #ids = new Set<string>()
  readonly #cameras = new Map<string, CameraReport>()
  readonly #counters = new Map<string, number>()
  readonly #sights = new Map<string, Sight[]>()
  #metrics = ''
  #looks = 0
  #over = false
  readonly #looking: Promise<void>

  private constructor(daemon: DaemonView, connection: NatsConnection) {
    this.#daemon = daemon
    this.#connection = connection
    connection.subscribe('grabber.*.live.*.boxes', {
      callback: (_, message) => this.#take(message.subject.split('.')[3]!, message.json()),
    })
    this.#looking = this.#lookOn()
  }

  static async over(daemon: DaemonView): Promise<CameraWatch> {
    const servers = daemon.info.natsUrl!
    const connection = await connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 100 })
    const watch = new CameraWatch(daemon, connection)
    await watch.until('the cameras are there', () => watch.#cameras.size > 0)
    return watch
  }

  get ids(): string[] {
    return [...this.#cameras.keys()]
  }

  mark(): Mark {
    const sights = new Map([...this.#sights].map(([camera, all]) => [camera, all.length]))
    const ledgers = new Map([...this.#cameras].map(([camera, { ledger }]) => [camera, ledger]))
    return { events: this.events.length, sights, ledgers }
  }

  camera(id: string): CameraReport {
    const report = this.#cameras.get(id)
    if (!report) throw new Error(`the daemon has no camera ${id}`)
    return report
  }

  /** A series of the metrics as it was at the last look, 0 when it is not there. */
  metric(series: string): number {
    const line = this.#metrics.split('\n').find((line) => line.startsWith(`${series} `))
    return line === undefined ? 0 : Number(line.slice(series.length))
  }

  /** Events of a camera in the order in which they were stored. */
  eventsOf(camera: string, since?: Mark): CloudEvent[] {
    return this.events.slice(since?.events ?? 0).filter(({ subject }) => subject === camera)
  }

  states(camera: string, since?: Mark): EventData<'camera.state'>[] {
    return this.eventsOf(camera, since)
      .filter((event): event is CloudEvent<'camera.state'> => event.type === 'camera.state')
      .map(({ data }) => data)
  }

  sights(camera: string, since: Mark): Sight[] {
    return (this.#sights.get(camera) ?? []).slice(since.sights.get(camera) ?? 0)
  }

  /** Longest step of media time between two analysed frames, ms; from the last one before `since`. */
  longestStepMs(camera: string, since: Mark): number {
    const from = Math.max(0, (since.sights.get(camera) ?? 0) - 1)
    const times = (this.#sights.get(camera) ?? []).slice(from).map(({ ptsMs }) => ptsMs)
    return Math.max(0, ...times.slice(1).map((time, index) => time - times[index]!))
  }

  /** Frames that were dropped since then, by stage and reason. */
  drops(camera: string, since: Mark): Record<string, number> {
    const before = since.ledgers.get(camera)?.dropped ?? {}
    const now = Object.entries(this.camera(camera).ledger.dropped)
    return Object.fromEntries(now.map(([key, n]) => [key, n - (before[key] ?? 0)]).filter(([, n]) => n !== 0))
  }

  /** Resolves when `condition` holds at a look that began after this call; fails with `what` after the deadline. */
  async until(what: string, condition: () => boolean, limitMs = 20_000): Promise<void> {
    const next = this.#looks + 2
    try {
      await until(what, () => this.#looks >= next && condition(), limitMs)
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.#story()}`, { cause: error })
    }
  }

  /** So many analysed frames of the camera from now on. */
  async moreFrames(camera: string, n: number): Promise<void> {
    let first: number | undefined
    await this.until(`${n} more frames of ${camera}`, () => {
      const { analysed } = this.camera(camera).ledger
      first ??= analysed
      return analysed >= first + n
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true
    await this.#looking
    await this.#connection.close()
  }

  /** What happened last, for the message of a test that fails. */
  #story(): string {
    const line = ({ time, subject, type, data }: CloudEvent) =>
      `${time} ${subject} ${type} ${JSON.stringify(data).slice(0, 250)}`
    const cameras = [...this.#cameras.values()].map(({ id, state, ledger, gate }) =>
      JSON.stringify({ id, state, gate, ledger }),
    )
    const told = this.events.filter(({ subject }) => this.#sights.has(subject))
    return [...told.slice(-STORY_EVENTS).map(line), ...cameras, ...this.problems].join('\n')
  }

  async #lookOn(): Promise<void> {
    while (!this.#over) {
      try {
        await this.#look()
      } catch (error) {
        if (!this.#over) this.problems.push(`the daemon does not answer: ${error}`)
      }
      this.#looks++
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  async #look(): Promise<void> {
    const [cameras, newest, metrics] = await Promise.all([
      this.#daemon.get<CameraReport[]>('/api/v1/cameras'),
      this.#daemon.get<CloudEvent[]>(`/api/v1/events?limit=${NEWEST_EVENTS}`),
      this.#daemon.text('/metrics'),
    ])
    for (const camera of cameras) this.#check(camera)
    this.#hear(newest)
    this.#count(metrics)
  }

  #check(report: CameraReport): void {
    const { id, ledger, leases } = report
    const before = this.#cameras.get(id)?.ledger
    if (imbalance(ledger) !== 0) this.problems.push(`${id}: the ledger does not balance: ${JSON.stringify(ledger)}`)
    if (before && runsBack(before, ledger))
      this.problems.push(`${id}: the ledger runs back: ${JSON.stringify([before, ledger])}`)
    if ((leases ?? 0) > ledger.inFlight) this.problems.push(`${id}: ${leases} leases, ${ledger.inFlight} in flight`)
    this.#cameras.set(id, report)
  }

  #hear(newest: CloudEvent[]): void {
    const news = newest.filter(({ id }) => !this.#ids.has(id)).reverse()
    if (news.length === NEWEST_EVENTS && this.#looks > 0) this.problems.push('more events than a look can see')
    for (const event of news) {
      this.#ids.add(event.id)
      this.events.push(event)
    }
  }

  #count(metrics: string): void {
    this.#metrics = metrics
    for (const [, series, value] of metrics.matchAll(/^(grabber_\w+_total(?:\{[^}]*\})?) (\S+)/gm)) {
      const now = Number(value)
      const before = this.#counters.get(series!) ?? 0
      if (now < before) this.problems.push(`${series} runs back from ${before} to ${now}`)
      this.#counters.set(series!, now)
    }
  }

  #take(camera: string, sight: Sight): void {
    const sights = this.#sights.get(camera) ?? []
    this.#sights.set(camera, sights)
    const last = sights.at(-1)
    // A new host counts from 0.
    if (last && sight.seq > last.seq && sight.ptsMs <= last.ptsMs)
      this.problems.push(`${camera}: media time runs back from ${last.ptsMs} to ${sight.ptsMs}`)
    sights.push(sight)
  }
}

/** A total that is smaller than before. */
function runsBack(before: LedgerCounts, now: LedgerCounts): boolean {
  const smaller = (was: Record<string, number>, is: Record<string, number>) =>
    Object.entries(was).some(([key, n]) => (is[key] ?? 0) < n)
  return (
    now.captured < before.captured ||
    now.analysed < before.analysed ||
    smaller(before.skipped, now.skipped) ||
    smaller(before.dropped, now.dropped)
  )
}
