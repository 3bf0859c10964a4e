/**
 * `qualityGate`: measures each picture once; the numbers travel with the frame. It lets everything pass for now: what
 * is too dark or blurred for faces the detector's score says better, and for keyframes their selection. Session host only.
 * `measureCandidates` takes its place where keyframes are selected: all measures, of the full-resolution picture too.
 */
import { map, type OperatorFunction } from 'rxjs'
import { measureQuality } from '../analysis/measures/quality.ts'
import type { Candidate, Gated, GraphServices, Measured } from '../graph-item.ts'
import type { KeyframeBranch } from '../keyframe-branch.ts'

export function qualityGate(services: GraphServices): OperatorFunction<Gated, Measured> {
  return map((gated) => ({ ...gated, quality: services.time('quality', () => measureQuality(gated.frame.luma)) }))
}

export function measureCandidates(branch: KeyframeBranch): OperatorFunction<Gated, Candidate> {
  return map((gated) => ({ ...gated, quality: branch.measure(gated.frame) }))
}
