/** What the sessions of a daemon that was stopped said last: in its log. Runs in tests. */
import { expect } from 'vitest'
import { imbalance, type LedgerCounts } from '../../../core/ledger.ts'
import type { DaemonView } from '../../e2e/support/daemon.ts'
import { jsonLines } from '../../e2e/support/grabber.ts'

interface SessionEnd {
  msg: string
  camera: string
  ledger: LedgerCounts
  leases: number
}

/** Nothing in flight, no lease, every frame accounted for, of each of these cameras. */
export function expectNothingLeft({ running }: DaemonView, ids: readonly string[]): void {
  const ends = jsonLines<SessionEnd>(running.err()).filter(({ msg }) => msg === 'the session has ended')
  for (const id of ids) {
    const { ledger, leases } = ends.findLast(({ camera }) => camera === id)!
    expect({ id, inFlight: ledger.inFlight, leases, imbalance: imbalance(ledger) }).toEqual({
      id,
      inFlight: 0,
      leases: 0,
      imbalance: 0,
    })
  }
}
