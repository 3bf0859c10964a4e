/**
 * Who loses rate when there is more to do than the box can: the cameras of the lowest priority first. Pure: samples in, shares
 * out; runs in the daemon. Must never read a clock, the machine or a camera: src/load-watch does.
 *
 * Shares belong to priorities. Under overload the lowest priority that still has something to give is halved, and the next one
 * is touched only when it is at the floor; in calm an eighth is given back, highest priority first. Multiplicative decrease and
 * additive increase come to rest where nothing else does (Chiu and Jain, "Analysis of the increase and decrease algorithms for
 * congestion avoidance", 1989). A gift that brings the overload back is taken back as it was, and the next one waits twice as
 * long: without that the shares would saw up and down for ever.
 */

/** Given back at once, of the whole rate. */
const STEP = 1 / 8
/** A camera is short of something when it drops this share of what it should analyse. */
const DROP_RATIO = 0.1
/** Cores that are this busy are full: what is left is waiting for disks and networks. */
const BUSY_CPU = 0.9
/** With this much idle there is room for more, whatever is dropped; */
const IDLE_CPU = 0.8
/** and with less than this there is none. */
const FULL_CPU = 0.97
/** An engine that takes so many times its target latency is too slow for those that ask, drops or no drops. */
const DROWNING = 2
/** Longest wait between two gifts, in `calmMs`. */
const MAX_PATIENCE = 16

export interface LoadLimits {
  /** Overload for this long takes rate away, ms. */
  windowMs: number
  /** Calm for this long gives a step of it back, ms. */
  calmMs: number
  /** No camera gets less than this share of its rate, 0–1. */
  minShare: number
}

/** What a camera did since the last sample. */
export interface CameraLoad {
  id: string
  /** Higher loses later. */
  priority: number
  /** Its frames are analysed now: only then is there something to be won by taking rate from it. */
  active: boolean
  analysed: number
  /** Because a stage was slower than the source. */
  dropped: number
}

export interface EngineLoad {
  queueDepth: number
  /** Requests that it answered since the last sample. */
  answered: number
  p50LatencyMs: number
  targetLatencyMs: number
}

export interface LoadSample {
  /** Monotonic, ms. */
  nowMs: number
  cameras: readonly CameraLoad[]
  /** `null` without an engine. */
  engine: EngineLoad | null
  /** Of all cores of the machine, 0–1. */
  cpuBusyShare: number
}

export interface LoadVerdict {
  state: 'overload' | 'strained' | 'calm'
  /** By camera, 0 < share ≤ 1. Never is that of a higher priority below that of a lower one. */
  shares: ReadonlyMap<string, number>
  /** Overload, and no camera that does anything has more to give. */
  exhausted: boolean
}

interface Gift {
  priority: number
  before: number
}

export class LoadPolicy {
  #limits: LoadLimits
  /** By priority. */
  #shares = new Map<number, number>()
  #lastMs: number | undefined
  #overloadMs = 0
  #calmMs = 0
  #gift: Gift | undefined
  #patience = 1

  constructor(limits: LoadLimits) {
    this.#limits = limits
  }

  /** From the next step on. */
  set limits(limits: LoadLimits) {
    this.#limits = limits
  }

  /** To be called about once a second. */
  step(sample: LoadSample): LoadVerdict {
    const passedMs = sample.nowMs - (this.#lastMs ?? sample.nowMs)
    this.#lastMs = sample.nowMs
    this.#shares = this.#sharesOf(sample.cameras)
    const state = judge(sample)
    let exhausted = false
    if (state === 'overload') {
      this.#calmMs = 0
      this.#overloadMs += passedMs
      exhausted = this.#payer(sample.cameras) === undefined && this.#gift === undefined
      if (this.#overloadMs >= this.#limits.windowMs) this.#take(sample.cameras)
    } else if (state === 'calm') {
      this.#overloadMs = 0
      this.#calmMs += passedMs
      if (this.#calmMs >= this.#limits.calmMs * this.#patience) this.#giveBack()
    }
    const shares = new Map(sample.cameras.map(({ id, priority }) => [id, this.#shares.get(priority)!]))
    return { state, shares, exhausted }
  }

  /** A priority that is new has what those beside it leave: nothing may be above a higher one, or below a lower one. */
  #sharesOf(cameras: readonly CameraLoad[]): Map<number, number> {
    const priorities = [...new Set(cameras.map(({ priority }) => priority))].sort((a, b) => a - b)
    if (this.#gift && !priorities.includes(this.#gift.priority)) this.#gift = undefined
    // A gift may be taken back yet.
    const sureOf = (priority: number, share: number) => (this.#gift?.priority === priority ? this.#gift.before : share)
    const constrained = (above: number) =>
      [...this.#shares].some(
        ([priority, share]) => priority > above && sureOf(priority, share) < 1 && priorities.includes(priority),
      )
    return new Map(
      priorities.map((priority) => {
        const fresh = constrained(priority) ? this.#limits.minShare : 1
        return [priority, Math.max(this.#limits.minShare, this.#shares.get(priority) ?? fresh)]
      }),
    )
  }

  /** The lowest priority that has something to give. */
  #payer(cameras: readonly CameraLoad[]): number | undefined {
    const { minShare } = this.#limits
    const active = new Set(cameras.filter((camera) => camera.active).map(({ priority }) => priority))
    return [...this.#shares].find(([priority, share]) => active.has(priority) && share > minShare)?.[0]
  }

  #take(cameras: readonly CameraLoad[]): void {
    this.#overloadMs = 0
    const gift = this.#gift
    this.#gift = undefined
    if (gift) {
      this.#patience = Math.min(MAX_PATIENCE, 2 * this.#patience)
      this.#shares.set(gift.priority, gift.before)
      return
    }
    const payer = this.#payer(cameras)
    if (payer === undefined) return
    const { minShare } = this.#limits
    // Those below do nothing now; should they begin, they must not have more than this one.
    for (const priority of this.#shares.keys()) if (priority < payer) this.#shares.set(priority, minShare)
    this.#shares.set(payer, Math.max(minShare, this.#shares.get(payer)! / 2))
  }

  #giveBack(): void {
    this.#calmMs = 0
    // The last gift was borne.
    if (this.#gift) this.#patience = Math.max(1, this.#patience / 2)
    this.#gift = undefined
    const [priority, before] = [...this.#shares].reverse().find(([, share]) => share < 1) ?? []
    if (priority === undefined || before === undefined) return
    this.#gift = { priority, before }
    this.#shares.set(priority, Math.min(1, before + STEP))
  }
}

/** Drops alone are no overload: a camera may be too much for its own process while the box is idle. */
function judge({ cameras, engine, cpuBusyShare }: LoadSample): LoadVerdict['state'] {
  const late = latenessOf(engine)
  const short = cameras.some(({ dropped, analysed }) => dropped > 0 && dropped >= DROP_RATIO * (dropped + analysed))
  if (late > DROWNING || (short && (late > 1 || cpuBusyShare >= BUSY_CPU))) return 'overload'
  if (late > 1) return 'strained'
  const quiet = cameras.every(({ dropped }) => dropped === 0)
  return cpuBusyShare < IDLE_CPU || (quiet && cpuBusyShare < FULL_CPU) ? 'calm' : 'strained'
}

/** Latency in targets; 0 of an engine that has nothing to do, whose latency is that of long ago. */
function latenessOf(engine: EngineLoad | null): number {
  if (!engine || (engine.answered === 0 && engine.queueDepth === 0)) return 0
  return engine.p50LatencyMs / engine.targetLatencyMs
}
