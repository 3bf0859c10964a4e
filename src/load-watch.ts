/**
 * Feeds the load policy once a second, from the cameras' ledgers, the engines and the cores, and tells each camera its share.
 * Runs in the daemon. Decides nothing itself: actors/load-policy does.
 */
import { type CameraLoad, type EngineLoad, LoadPolicy, type LoadVerdict } from '../actors/load-policy.ts'
import type { Config } from '../config/schema.ts'
import type { Clock, Timer } from '../core/clock.ts'
import type { LedgerCounts } from '../core/ledger.ts'
import type { Logger } from '../core/ports.ts'
import type { SessionProgress } from '../core/wire/control.ts'
import { CpuShare } from './ops/cpu-share.ts'
import type { Metrics } from './ops/metrics.ts'

const LOOK_MS = 1000
/** Of a health reason; the others are counted. */
const NAMED_CAMERAS = 5

/** What is read of a camera. */
export interface PacedCamera {
  id: string
  share: number
  gate: SessionProgress['gate'] | null
  ledger: LedgerCounts
}

/** Of all engines together. */
export interface EngineTotals {
  queueDepth: number
  /** Requests answered since their start. */
  answered: number
  p50LatencyMs: number
}

export interface LoadWatchParts {
  /** What runs now: its `load`, the cameras' priorities, the engine's target. */
  config(): Config
  fleet: { list(): readonly PacedCamera[]; pace(id: string, share: number): void }
  /** `undefined` while no engine runs. */
  engine(): EngineTotals | undefined
  clock: Clock
  metrics: Pick<Metrics, 'rateShare'>
  logger: Logger
  cpu?: CpuShare
}

export class LoadWatch {
  readonly #parts: LoadWatchParts
  #policy: LoadPolicy
  readonly #cpu: CpuShare
  #ledgers = new Map<string, LedgerCounts>()
  #answered: number | undefined
  #cpuBusyShare = 0
  #verdict: LoadVerdict | undefined
  #timer: Timer

  constructor(parts: LoadWatchParts) {
    this.#parts = parts
    this.#policy = new LoadPolicy(parts.config().load)
    this.#cpu = parts.cpu ?? new CpuShare()
    this.#timer = this.#later()
  }

  /** Who has less than the whole rate and how busy the cores are, in words; empty when nobody has. */
  get trouble(): string {
    if (!this.#verdict) return ''
    const byShare = Map.groupBy(this.#verdict.shares, ([, share]) => share)
    byShare.delete(1)
    if (byShare.size === 0 && !this.#verdict.exhausted) return ''
    const groups = [...byShare].sort(([a], [b]) => a - b)
    const words = groups.map(
      ([share, cameras]) => `${named(cameras.map(([id]) => id))} at ${percent(share)} of their rate`,
    )
    if (this.#verdict.exhausted) words.push('overloaded all the same')
    return [`cpu ${percent(this.#cpuBusyShare)}`, ...words].join(', ')
  }

  close(): void {
    this.#timer.cancel()
  }

  #later(): Timer {
    return this.#parts.clock.after(LOOK_MS, () => {
      this.#look()
      this.#timer = this.#later()
    })
  }

  #look(): void {
    const { fleet, logger, metrics } = this.#parts
    const cameras = fleet.list()
    this.#cpuBusyShare = this.#cpu.take()
    this.#verdict = this.#judge(cameras)
    let changed = false
    for (const { id, share } of cameras) {
      const next = this.#verdict?.shares.get(id) ?? 1
      metrics.rateShare(id, next)
      if (next === share) continue
      changed = true
      fleet.pace(id, next)
    }
    if (changed) logger.info({ load: this.trouble || 'every camera at its whole rate' }, 'load.shares')
  }

  /** `undefined` where nobody is to lose rate. */
  #judge(cameras: readonly PacedCamera[]): LoadVerdict | undefined {
    const config = this.#parts.config()
    const loads = this.#loads(cameras, config)
    const engine = this.#engineLoad(config.engine.batch.targetLatencyMs)
    if (!config.load.shed) {
      this.#policy = new LoadPolicy(config.load)
      return undefined
    }
    this.#policy.limits = config.load
    const nowMs = this.#parts.clock.monotonicMs()
    return this.#policy.step({ nowMs, cameras: loads, engine, cpuBusyShare: this.#cpuBusyShare })
  }

  #loads(cameras: readonly PacedCamera[], config: Config): CameraLoad[] {
    const before = this.#ledgers
    this.#ledgers = new Map(cameras.map(({ id, ledger }) => [id, ledger]))
    return cameras.map(({ id, gate, ledger }) => {
      const last = before.get(id) ?? ledger
      return {
        id,
        // One that is about to go is not in the configuration any more.
        priority: config.cameras[id]?.priority ?? 0,
        active: gate === 'active' || gate === 'off',
        analysed: ledger.analysed - last.analysed,
        dropped: overrun(ledger) - overrun(last),
      }
    })
  }

  #engineLoad(targetLatencyMs: number): EngineLoad | null {
    const totals = this.#parts.engine()
    const before = this.#answered
    this.#answered = totals?.answered
    if (!totals) return null
    const { answered, ...figures } = totals
    // An engine that started again counts from zero.
    return { ...figures, answered: Math.max(0, answered - (before ?? answered)), targetLatencyMs }
  }
}

/** Frames lost because something was too slow, and not because it failed. */
function overrun({ dropped }: LedgerCounts): number {
  const slow = Object.entries(dropped).filter(([key]) => key.endsWith('.overflow') || key === 'source.late')
  return slow.reduce((sum, [, count]) => sum + count, 0)
}

function named(ids: readonly string[]): string {
  const more = ids.length - NAMED_CAMERAS
  const list = ids.slice(0, NAMED_CAMERAS).join(', ')
  return `${ids.length === 1 ? 'camera' : 'cameras'} ${list}${more > 0 ? ` and ${more} more` : ''}`
}

const percent = (share: number) => `${Math.round(100 * share)} %`
