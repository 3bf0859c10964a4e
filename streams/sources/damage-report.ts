/**
 * Where a recording was damaged. Session host only; bounded.
 */
import type { Damage } from '../../core/wire/stream-info.ts'

/** At most this many positions are kept; the count goes on. */
const POSITIONS = 20

export class DamageReport {
  readonly damage: Damage = { count: 0, positions: [] }

  add(ptsMs: number, what: string): void {
    this.damage.count++
    if (this.damage.positions.length < POSITIONS) this.damage.positions.push({ ptsMs, what })
  }

  /** Goes on from what an earlier session found. */
  resume({ count, positions }: Damage): void {
    this.damage.count = count
    this.damage.positions = [...positions]
  }
}
