/** Every n-th candidate is looked at; order, what the ones between have, and who pays for a failure. */
import { map } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { GrabberError } from '../../../../core/errors.ts'
import type { FrameRef } from '../../../../streams/frames/frame-ref.ts'
import type { Candidate, FeaturedCandidate, FeaturesState } from '../../../../streams/graph-item.ts'
import { denseFeatures } from '../../../../streams/operators/dense-features.ts'
import { settle } from '../../virtual-clock.ts'
import { Run, Studio } from '../studio.ts'

const begin: FeaturesState = { semantic: null, since: Number.POSITIVE_INFINITY }

function setUp(overflow: 'wait' | 'drop-oldest' = 'wait', from = begin, every = 3) {
  const studio = new Studio({ overflow })
  const spec = { model: 'dense', every }
  const candidate = (frame: FrameRef): Candidate => ({
    ...{ frame, areaRatio: 0, scene: 0, events: [] },
    quality: {} as Candidate['quality'],
  })
  const run = new Run<FeaturedCandidate>((frames) =>
    frames.pipe(
      map(candidate),
      denseFeatures(studio.services, spec, () => from, 10),
    ),
  )
  const push = (n: number) => run.frames.next(studio.frame(n * 100)!)
  const seen = () => run.out.map(({ features: { semantic, since } }) => [semantic?.richness ?? null, since])
  const release = () => {
    for (const { frame } of run.out) frame.release()
  }
  return { studio, run, push, seen, release }
}

describe('denseFeatures', () => {
  it('looks at the first candidate and every third after it; the others have the last look, in order', async () => {
    const { studio, run, push, seen, release } = setUp()
    for (let n = 0; n < 5; n++) push(n)
    await settle()
    expect(studio.engine.asked.map(({ model }) => model)).toEqual(['dense'])
    studio.engine.asked.shift()!.answer([[0.25, 1, 1, 0]])
    await settle()
    expect(seen()).toEqual([
      [0.25, 0],
      [0.25, 1],
      [0.25, 2],
    ])
    studio.engine.asked.shift()!.answer([[0.5, 1, 1, 0]])
    run.frames.complete()
    await settle()
    expect(seen().slice(3)).toEqual([
      [0.5, 0],
      [0.5, 1],
    ])
    expect(run.ended).toBe('complete')
    release()
    expect(studio.leases).toBe(0)
  })

  it('goes on where an earlier pass was', async () => {
    const { studio, run, push, seen } = setUp('wait', { semantic: { richness: 0.75 }, since: 1 })
    for (let n = 0; n < 2; n++) push(n)
    run.frames.complete()
    await studio.engine.answerAll(() => [[0.5, 1, 1, 0]])
    expect(seen()).toEqual([
      [0.75, 2],
      [0.5, 0],
    ])
  })

  it.each([
    ['wait', 'error', []],
    ['drop-oldest', 'complete', [[null, 0]]],
  ] as const)('without an answer a recording fails and a camera goes on (%s)', async (overflow, ended, left) => {
    const { studio, run, push, seen, release } = setUp(overflow)
    push(0)
    await settle()
    studio.engine.asked.shift()!.fail(new GrabberError('ENG_UNAVAILABLE', 'gone'))
    run.frames.complete()
    await settle()
    expect(run.ended === 'complete' ? 'complete' : 'error').toBe(ended)
    expect(seen()).toEqual(left)
    release()
    expect(studio.leases).toBe(0)
  })
})
