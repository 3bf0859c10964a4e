/**
 * What happened between two states of a camera's frame ledger. Pure.
 */
import type { LedgerCounts } from '../../core/ledger.ts'

/** `after − before`, count by count; `inFlight` may be negative. */
export function ledgerDelta(before: LedgerCounts, after: LedgerCounts): LedgerCounts {
  return {
    captured: after.captured - before.captured,
    analysed: after.analysed - before.analysed,
    skipped: countsDelta(before.skipped, after.skipped),
    dropped: countsDelta(before.dropped, after.dropped),
    inFlight: after.inFlight - before.inFlight,
  }
}

function countsDelta(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([key, n]) => [key, n - (before[key] ?? 0)]))
}
