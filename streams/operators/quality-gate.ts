/**
 * `qualityGate`: measures each picture once; the numbers travel with the frame. It lets everything pass for now: what
 * is too dark or blurred for faces the detector's score says better. Session host only.
 */
import { map, type OperatorFunction } from 'rxjs'
import { measureQuality } from '../analysis/measures/quality.ts'
import type { Gated, GraphServices, Measured } from '../graph-item.ts'

export function qualityGate(services: GraphServices): OperatorFunction<Gated, Measured> {
  return map((gated) => ({ ...gated, quality: services.time('quality', () => measureQuality(gated.frame.luma)) }))
}
