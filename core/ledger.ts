/**
 * The frame ledger: what became of every frame, in counts.
 * Kept by a session host for its own incarnation and summed by the daemon per camera. Pure data; no I/O.
 * Invariant at every moment: captured = analysed + Σ skipped + Σ dropped + inFlight (REQUIREMENTS B2).
 */

/**
 * `idle`: never decoded, since nothing happened. `gate`: decoded, and not looked at further. `rate`: so too, or not even decoded, where an
 * extraction has enough of others and no picture leans on it.
 */
export type SkipPolicy = 'rate' | 'gate' | 'idle'

/** `stage.reason`, such as `detect.overflow` or `host.died`. The set of values is bounded by the code that drops. */
export type DropKey = `${string}.${string}`

export interface LedgerCounts {
  captured: number
  analysed: number
  skipped: Record<string, number>
  dropped: Record<string, number>
  inFlight: number
}

export function emptyLedger(): LedgerCounts {
  return { captured: 0, analysed: 0, skipped: {}, dropped: {}, inFlight: 0 }
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, n) => total + n, 0)

export const skippedTotal = (ledger: LedgerCounts) => sum(ledger.skipped)
export const droppedTotal = (ledger: LedgerCounts) => sum(ledger.dropped)

/** Zero when the ledger balances; otherwise the number of frames unaccounted for (positive) or invented (negative). */
export function imbalance(ledger: LedgerCounts): number {
  return ledger.captured - ledger.analysed - sum(ledger.skipped) - sum(ledger.dropped) - ledger.inFlight
}

/** Counts of frames whose fate is settled exactly once; throws on a second verdict, which is a defect. */
export class FrameLedger {
  #counts = emptyLedger()
  #open = new Set<number>()

  captured(seq: number): void {
    this.#open.add(seq)
    this.#counts.captured++
    this.#counts.inFlight++
  }

  analysed(seq: number): void {
    this.#settle(seq)
    this.#counts.analysed++
  }

  skipped(seq: number, policy: SkipPolicy): void {
    this.#settle(seq)
    this.#counts.skipped[policy] = (this.#counts.skipped[policy] ?? 0) + 1
  }

  dropped(seq: number, key: DropKey): void {
    this.#settle(seq)
    this.#counts.dropped[key] = (this.#counts.dropped[key] ?? 0) + 1
  }

  /** Pictures that were never decoded: they arrive and have their verdict at once. */
  undecoded(pictures: number, verdict: { skipped: SkipPolicy } | { dropped: DropKey }): void {
    this.#counts.captured += pictures
    const [counts, key] =
      'skipped' in verdict ? [this.#counts.skipped, verdict.skipped] : [this.#counts.dropped, verdict.dropped]
    counts[key] = (counts[key] ?? 0) + pictures
  }

  /** Settles every frame that has no verdict yet. */
  dropOpen(key: DropKey): void {
    for (const seq of [...this.#open]) this.dropped(seq, key)
  }

  /** A copy that later calls do not change. */
  counts(): LedgerCounts {
    return { ...this.#counts, skipped: { ...this.#counts.skipped }, dropped: { ...this.#counts.dropped } }
  }

  #settle(seq: number): void {
    if (!this.#open.delete(seq)) throw new Error(`frame ${seq} was settled twice or never captured`)
    this.#counts.inFlight--
  }
}

/** What a dead host leaves behind: its open frames become dropped(host.died). */
export function closeDead(last: LedgerCounts): LedgerCounts {
  if (last.inFlight === 0) return last
  const died = (last.dropped['host.died'] ?? 0) + last.inFlight
  return { ...last, inFlight: 0, dropped: { ...last.dropped, 'host.died': died } }
}

/** Sum over incarnations. */
export function addLedgers(a: LedgerCounts, b: LedgerCounts): LedgerCounts {
  return {
    captured: a.captured + b.captured,
    analysed: a.analysed + b.analysed,
    skipped: addCounts(a.skipped, b.skipped),
    dropped: addCounts(a.dropped, b.dropped),
    inFlight: a.inFlight + b.inFlight,
  }
}

function addCounts(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const total = { ...a }
  for (const [key, n] of Object.entries(b)) total[key] = (total[key] ?? 0) + n
  return total
}
