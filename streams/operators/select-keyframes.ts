/**
 * `selectKeyframes`: each candidate is decided about or held, one after the other; what is chosen is on disk and told when its
 * frame goes on. Session host only. Of a camera the newest waits and the oldest goes (dropped(select.overflow)).
 */
import { defer, EMPTY, from, map, type Observable, type OperatorFunction } from 'rxjs'
import { type FeaturedCandidate, type GraphServices, type Measured, SESSION_FAILED, type Seen } from '../graph-item.ts'
import type { KeyframeBranch } from '../keyframe-branch.ts'
import { bounded } from './bounded.ts'

export function selectKeyframes(
  branch: KeyframeBranch,
  services: GraphServices,
  queue: number,
): OperatorFunction<FeaturedCandidate, Measured> {
  return bounded<FeaturedCandidate, Measured>({
    // Order is everything here: the coding of a picture, which takes longest, goes on behind.
    inFlight: 1,
    queue,
    overflow: services.spec.source.overflow,
    async project(item) {
      const events = await branch.select(item)
      return { ...item, events: [...item.events, ...events] }
    },
    onDrop: ({ frame }, reason) => services.drop(frame, reason === 'overflow' ? 'select.overflow' : SESSION_FAILED),
    isItemFailure: () => false,
  })
}

/** The words at the end of a pass: what was still held. Nothing where the end is none of what the pass shows. */
export function lastKeyframes({
  branch,
  concludes,
}: {
  branch: KeyframeBranch
  concludes(): boolean
}): Observable<Seen> {
  return defer(() => (concludes() ? from(branch.finish()) : EMPTY)).pipe(
    map((events) => ({ info: null, events, boxes: [] })),
  )
}
