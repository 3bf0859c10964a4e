/**
 * Cameras of one daemon that are cut off and come back, again and again, with a quarter of them away each time; and what that
 * leaves in each process. Runs in tests and in `script/soak`. Decides nothing: it measures.
 */
import { writeFileSync } from 'node:fs'
import type { CameraReport } from '../../../actors/camera-report.ts'
import { imbalance } from '../../../core/ledger.ts'
import { handlesOf, rssBytes } from '../../../script/benchmarks/processes.ts'
import { type DaemonView, startDaemon } from '../../e2e/support/daemon.ts'
import { Grabber } from '../../e2e/support/grabber.ts'
import { descendants } from '../../e2e/support/processes.ts'
import { cameraClip } from '../../integration/support/camera-clips.ts'
import { FaultProxy } from '../../integration/support/fault-proxy.ts'
import { until } from '../../integration/support/nats.ts'
import { RtspServer } from '../../integration/support/rtsp-server.ts'

/** One of so many cameras is away, for so many cycles. */
const AWAY_SHARE = 4
const AWAY_CYCLES = 5
/** A host's heap is as large as it will be after about forty cycles; what it grows by is looked at in the last of the cycles. */
const JUDGED_SHARE = 0.6
const LIMIT_MS = 60_000
/** Longer than a connection of ours to the daemon is kept when nobody uses it. */
const CLOSING_MS = 10_000

export interface CyclesOptions {
  /** A multiple of four. */
  cameras: number
  /** Cycles before anything is measured: caches fill, code is compiled. */
  warmUp: number
  cycles: number
  /** Whether faces are looked for. */
  models: boolean
}

/** What the daemon, and its children by their names in run.json, hold. */
export type Handles = Record<string, { descriptors: number; threads: number }>

export interface CyclesReport {
  /** Failures of connections, over all cameras, without the warm-up. */
  failures: number
  /** With all cameras live, before and after the cycles. */
  before: Handles
  after: Handles
  processes: { before: number; after: number }
  /** By how much resident sizes grow from cycle to cycle in the last three fifths of the cycles, bytes. */
  rssSlopeBytes: Record<string, number>
  /** Of all cameras: 0 when every frame is accounted for. */
  imbalance: number
}

export class CameraCycles implements AsyncDisposable {
  readonly #options: CyclesOptions
  readonly #stack: AsyncDisposableStack
  readonly #proxies: ReadonlyMap<string, FaultProxy>
  readonly daemon: DaemonView
  /** Its data folder. */
  readonly data: string
  #away: ReadonlySet<string> = new Set()

  private constructor(
    options: CyclesOptions,
    stack: AsyncDisposableStack,
    proxies: ReadonlyMap<string, FaultProxy>,
    daemon: DaemonView,
    data: string,
  ) {
    this.#options = options
    this.#stack = stack
    this.#proxies = proxies
    this.daemon = daemon
    this.data = data
  }

  static async open(options: CyclesOptions): Promise<CameraCycles> {
    await using stack = new AsyncDisposableStack()
    const server = stack.use(await RtspServer.start())
    // Key frames come often, so that a connection shows something at once.
    const clip = cameraClip('person', { fps: 25, gop: 5 })
    const proxies = new Map<string, FaultProxy>()
    const lines: string[] = []
    for (let n = 0; n < options.cameras; n++) {
      const camera = await server.camera(`/${n}`, { clip })
      const proxy = stack.use(await FaultProxy.before(camera.port))
      proxies.set(`cam-${n}`, proxy)
      lines.push(`  cam-${n}: { source: "${camera.urlAt(proxy.port)}" }`)
    }
    const grabber = stack.use(new Grabber({ models: options.models, limitMs: null }))
    const path = grabber.path('grabber.yaml')
    writeFileSync(
      path,
      `http: { port: 0 }
nats: { url: none }
reconnect: { minMs: 20, maxMs: 100, goodMs: 3600000 }
timeouts: { openMs: 5000 }
defaults: { analysis: { width: 320 } }
cameras:
${lines.join('\n')}
`,
    )
    const daemon = await startDaemon(grabber, path)
    stack.defer(async () => {
      daemon.running.child.kill('SIGKILL')
      await daemon.running.ended
    })
    return new CameraCycles(options, stack.move(), proxies, daemon, grabber.data)
  }

  get cameras(): string[] {
    return [...this.#proxies.keys()]
  }

  async run(): Promise<CyclesReport> {
    const { warmUp, cycles } = this.#options
    for (let n = 0; n < warmUp; n++) await this.#cycle(n)
    await this.#allBack()
    const failed = await this.#failures()
    const before = this.#handles()
    const processes = this.#processes()
    const sizes = new Map<string, number[]>()
    for (let n = 0; n < cycles; n++) {
      await this.#cycle(n)
      for (const [name, pid] of this.#pids()) sizes.set(name, [...(sizes.get(name) ?? []), rssBytes(pid)])
    }
    await this.#allBack()
    await this.#settled(before)
    const reports = await this.#reports()
    return {
      failures: (await this.#failures()) - failed,
      before,
      after: this.#handles(),
      processes: { before: processes, after: this.#processes() },
      rssSlopeBytes: Object.fromEntries(
        [...sizes].map(([name, all]) => [name, slope(all.slice(-JUDGED_SHARE * cycles))]),
      ),
      imbalance: reports.reduce((sum, { ledger }) => sum + Math.abs(imbalance(ledger)), 0),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  /** All are cut off, and come back but for those that are away. */
  async #cycle(n: number): Promise<void> {
    if (n % AWAY_CYCLES === 0) await this.#sendAway(Math.floor(n / AWAY_CYCLES) % AWAY_SHARE)
    const attempts = new Map((await this.#reports()).map(({ id, attempt }) => [id, attempt]))
    for (const proxy of this.#proxies.values()) proxy.cut()
    await this.#until('those that are not away are live again', ({ id, state, attempt }) => {
      return this.#away.has(id) || (state === 'live' && attempt > attempts.get(id)!)
    })
  }

  /** Each of them for some cycles, in turns. */
  async #sendAway(turn: number): Promise<void> {
    await this.#allBack()
    this.#away = new Set([...this.#proxies.keys()].filter((_, index) => index % AWAY_SHARE === turn))
    for (const id of this.#away) {
      await this.#proxies.get(id)!.become('refuse')
      this.#proxies.get(id)!.cut()
    }
    await this.#until('a quarter is away', ({ id, reason }) => !this.#away.has(id) || reason === 'SRC_UNREACHABLE')
  }

  async #allBack(): Promise<void> {
    this.#away = new Set()
    for (const proxy of this.#proxies.values()) await proxy.become('pass')
    await this.#until('all are live', ({ state }) => state === 'live')
  }

  #until(what: string, holds: (report: CameraReport) => boolean): Promise<void> {
    return until(what, async () => (await this.#reports()).every(holds), LIMIT_MS)
  }

  /** What is closed on another thread may take a moment; who reads the report sees it when it does not come. */
  async #settled(before: Handles): Promise<void> {
    const isClosed = () =>
      Object.entries(this.#handles()).every(([name, { descriptors }]) => descriptors <= before[name]!.descriptors)
    await until('all is closed', isClosed, CLOSING_MS).catch(() => undefined)
  }

  #reports(): Promise<CameraReport[]> {
    return this.daemon.get<CameraReport[]>('/api/v1/cameras')
  }

  async #failures(): Promise<number> {
    const lines = (await this.daemon.text('/metrics')).matchAll(/^grabber_camera_session_failures_total\{.* (\d+)$/gm)
    return [...lines].reduce((sum, [, n]) => sum + Number(n), 0)
  }

  #pids(): [string, number][] {
    const { pid, children } = this.daemon.info
    return [['daemon', pid], ...children.map(({ name, pid }): [string, number] => [name, pid])]
  }

  #handles(): Handles {
    return Object.fromEntries(this.#pids().map(([name, pid]) => [name, handlesOf(pid)]))
  }

  #processes(): number {
    return descendants(this.daemon.running.child.pid!).length
  }
}

/** Theil's and Sen's: the median of all slopes between two values, which a collection or a step of the heap does not move. */
function slope(values: readonly number[]): number {
  const slopes = values.flatMap((value, index) =>
    values.slice(index + 1).map((later, steps) => (later - value) / (steps + 1)),
  )
  return slopes.toSorted((a, b) => a - b)[slopes.length >> 1] ?? 0
}
