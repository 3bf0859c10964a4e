/**
 * How busy the cores of the machine are. Runs in the daemon. Counts all processes: session hosts and engines are others than
 * this one. Limit: a container's quota is not seen, only the machine's cores.
 */
import { cpus } from 'node:os'

export interface CpuTimes {
  /** ms since the start of the machine, over all cores. */
  busyMs: number
  totalMs: number
}

export function machineTimes(): CpuTimes {
  let [busyMs, totalMs] = [0, 0]
  for (const { times } of cpus()) {
    const busy = times.user + times.nice + times.sys + times.irq
    busyMs += busy
    totalMs += busy + times.idle
  }
  return { busyMs, totalMs }
}

export class CpuShare {
  readonly #read: () => CpuTimes
  #last: CpuTimes

  constructor(read: () => CpuTimes = machineTimes) {
    this.#read = read
    this.#last = read()
  }

  /** Busy share since the last call, 0–1; 0 when no time was counted. */
  take(): number {
    const { busyMs, totalMs } = this.#read()
    const passedMs = totalMs - this.#last.totalMs
    const share = passedMs > 0 ? (busyMs - this.#last.busyMs) / passedMs : 0
    this.#last = { busyMs, totalMs }
    return Math.max(0, Math.min(1, share))
  }
}
