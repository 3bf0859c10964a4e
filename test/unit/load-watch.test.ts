/** From ledgers, engine and cores to shares, metrics and words, second by second. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cameraSchema } from '../../config/camera-schema.ts'
import { type Config, configSchema } from '../../config/schema.ts'
import { emptyLedger, type LedgerCounts } from '../../core/ledger.ts'
import { type EngineTotals, LoadWatch, type PacedCamera } from '../../src/load-watch.ts'
import { CpuShare, type CpuTimes } from '../../src/ops/cpu-share.ts'
import { Metrics } from '../../src/ops/metrics.ts'
import { RecordingLogger } from './recording-logger.ts'
import { VirtualClock } from './virtual-clock.ts'

/** Cameras whose ledgers the test moves on. */
class Box {
  readonly clock = new VirtualClock()
  readonly metrics = new Metrics()
  readonly logger = new RecordingLogger()
  readonly paced: [string, number][] = []
  readonly cameras = new Map<string, PacedCamera>()
  config: Config = configSchema.parse({ load: { windowMs: 2000, calmMs: 5000, minShare: 0.125 } })
  engine: EngineTotals | undefined
  /** Of the second that passes. */
  busy = 0.3
  #times: CpuTimes = { busyMs: 0, totalMs: 0 }
  readonly watch = new LoadWatch({
    config: () => this.config,
    fleet: {
      list: () => [...this.cameras.values()],
      pace: (id, share) => {
        this.paced.push([id, share])
        this.cameras.get(id)!.share = share
      },
    },
    engine: () => this.engine,
    clock: this.clock,
    metrics: this.metrics,
    logger: this.logger,
    cpu: new CpuShare(() => this.#times),
  })

  add(id: string, priority: number, gate: PacedCamera['gate'] = 'active'): void {
    this.cameras.set(id, { id, gate, share: 1, ledger: emptyLedger() })
    this.config.cameras[id] = cameraSchema.parse({ source: 'rtsp://192.0.2.1/', priority })
  }

  async seconds(n: number, perSecond: Partial<LedgerCounts> = {}): Promise<void> {
    for (let s = 0; s < n; s++) {
      this.#times = { busyMs: this.#times.busyMs + 2000 * this.busy, totalMs: this.#times.totalMs + 2000 }
      for (const camera of this.cameras.values()) camera.ledger = plus(camera.ledger, perSecond)
      await this.clock.advance(1000)
    }
  }
}

function plus(ledger: LedgerCounts, { analysed = 0, dropped = {} }: Partial<LedgerCounts>): LedgerCounts {
  const sum = { ...ledger.dropped }
  for (const [key, count] of Object.entries(dropped)) sum[key] = (sum[key] ?? 0) + count
  return { ...ledger, analysed: ledger.analysed + analysed, dropped: sum }
}

describe('LoadWatch', () => {
  let box: Box
  beforeEach(() => {
    box = new Box()
  })
  afterEach(() => {
    box.watch.close()
    box.metrics.close()
    expect(box.clock.pendingTimers).toBe(0)
  })

  const slow: Partial<LedgerCounts> = { analysed: 3, dropped: { 'detect.overflow': 2 } }

  it('paces low priorities while the cores are full, says so, and gives the rate back', async () => {
    for (const [id, priority] of [
      ['a', 1],
      ['b', 1],
      ['gate', 5],
    ] as const)
      box.add(id, priority)
    box.busy = 0.98
    await box.seconds(3, slow)
    expect(box.paced).toEqual([
      ['a', 0.5],
      ['b', 0.5],
    ])
    expect(box.watch.trouble).toBe('cpu 98 %, cameras a, b at 50 % of their rate')
    expect(await box.metrics.text()).toContain('grabber_camera_rate_share{camera_id="a"} 0.5')
    expect(await box.metrics.text()).toContain('grabber_camera_rate_share{camera_id="gate"} 1')
    box.busy = 0.4
    await box.seconds(25, { analysed: 5 })
    expect([...box.cameras.values()].map(({ share }) => share)).toEqual([1, 1, 1])
    expect(box.watch.trouble).toBe('')
    expect(box.logger.lines.map(({ message }) => message)).toEqual(Array(5).fill('load.shares'))
    expect(box.logger.lines.at(-1)!.fields).toEqual({ load: 'every camera at its whole rate' })
  })

  it('hears of a slow engine, also of one that starts again, and not of one that rests', async () => {
    box.add('a', 1)
    box.engine = { queueDepth: 6, answered: 900, p50LatencyMs: 900 }
    await box.seconds(3)
    expect(box.paced).toEqual([['a', 0.5]])
    box.engine = { queueDepth: 0, answered: 12, p50LatencyMs: 900 }
    await box.seconds(25)
    expect(box.cameras.get('a')!.share).toBe(1)
    box.engine = undefined
    await box.seconds(1)
    expect(box.watch.trouble).toBe('')
  })

  it('does not mind frames that were dropped for other reasons, nor the past of a camera that is new', async () => {
    box.busy = 1
    box.add('a', 1)
    await box.seconds(3, { analysed: 3, dropped: { 'engine.poison': 2, 'host.died': 5 } })
    box.add('b', 1)
    box.cameras.get('b')!.ledger = { ...emptyLedger(), dropped: { 'detect.overflow': 5000 } }
    await box.seconds(3, { analysed: 3 })
    expect(box.paced).toEqual([])
  })

  it('tells a camera again that lost its share, and names a few of many', async () => {
    box.busy = 1
    for (let i = 0; i < 8; i++) box.add(`c${i}`, 1)
    await box.seconds(3, slow)
    box.add('c3', 1)
    await box.seconds(1, { analysed: 3 })
    expect(box.cameras.get('c3')!.share).toBe(0.5)
    expect(box.watch.trouble).toBe('cpu 100 %, cameras c0, c1, c2, c3, c4 and 3 more at 50 % of their rate')
    await box.seconds(10, slow)
    expect(box.watch.trouble).toMatch(/^cpu 100 %, cameras c0, .* at 13 % of their rate, overloaded all the same$/)
  })

  it('takes changed limits and priorities up at once, and gives everything back where nobody is to lose rate', async () => {
    box.busy = 1
    box.add('a', 1)
    box.add('b', 2)
    await box.seconds(3, slow)
    expect(box.cameras.get('a')!.share).toBe(0.5)
    box.config = { ...box.config, load: { ...box.config.load, minShare: 0.75 } }
    await box.seconds(1, slow)
    expect(box.cameras.get('a')!.share).toBe(0.75)
    box.config = { ...box.config, load: { ...box.config.load, shed: false } }
    await box.seconds(5, slow)
    expect([...box.cameras.values()].map(({ share }) => share)).toEqual([1, 1])
    expect(box.watch.trouble).toBe('')
  })

  it('takes from the lowest that analyses; those below that only look on may not have more', async () => {
    box.busy = 1
    box.add('idle', 1, 'idle')
    box.add('away', 1, null)
    box.add('all', 3, 'off')
    await box.seconds(3, slow)
    expect([...box.cameras.values()].map(({ share }) => share)).toEqual([0.125, 0.125, 0.5])
  })
})
