import { describe, expect, it } from 'vitest'
import type { FrameRef } from '../../../../streams/frames/frame-ref.ts'
import { sampleFps } from '../../../../streams/operators/sample-fps.ts'
import { Run, Studio } from '../studio.ts'

/** PTS of the frames that go on. */
function sample(fps: number | null, ptsMs: number[], shareAt?: (ptsMs: number) => number) {
  const studio = new Studio()
  let nowMs = 0
  const share = shareAt && { share: () => shareAt(nowMs) }
  const run = new Run<FrameRef>((frames) =>
    frames.pipe(sampleFps({ fps, ...share, onSkip: (frame) => studio.services.skip(frame, 'rate') })),
  )
  for (const at of ptsMs) {
    nowMs = at
    run.frames.next(studio.frame(at)!)
  }
  run.frames.complete()
  const kept = run.out.map((frame) => frame.info.ptsMs)
  expect(run.ended).toBe('complete')
  expect(studio.leases).toBe(kept.length)
  expect(studio.ledger.skipped.rate ?? 0).toBe(ptsMs.length - kept.length)
  return kept
}

const every = (stepMs: number, n: number) => Array.from({ length: n }, (_, i) => i * stepMs)

describe('sampleFps', () => {
  it('takes every nth frame of a regular stream', () => {
    expect(sample(5, every(1000 / 30, 30))).toHaveLength(5)
    expect(sample(5, every(40, 25))).toEqual([0, 200, 400, 600, 800])
  })

  it('takes as many when the container rounds its time stamps to whole ms', () => {
    const rounded = (fps: number) => every(1000 / fps, fps * 10).map(Math.round)
    for (const fps of [24, 25, 30, 50, 60]) {
      expect(sample(5, rounded(fps))).toHaveLength(50)
      expect(sample(fps, rounded(fps))).toHaveLength(fps * 10)
    }
  })

  it('does not make up for a gap with a burst', () => {
    expect(sample(5, [0, 40, 2000, 2040, 2080, 2200])).toEqual([0, 2000, 2200])
  })

  it('lets everything through without a rate, and everything of a slower stream', () => {
    expect(sample(null, [0, 1, 2])).toEqual([0, 1, 2])
    expect(sample(30, every(500, 6))).toHaveLength(6)
  })

  it('looks at PTS alone: the same frames in two runs', () => {
    const jittered = every(33, 200).map((at, i) => at + ((i * 7) % 11))
    expect(sample(7, jittered)).toEqual(sample(7, jittered))
  })

  it('keeps a share of the rate, of every frame as well, and is the same as ever at the whole', () => {
    const steady = every(40, 250)
    expect(sample(5, steady, () => 1)).toEqual(sample(5, steady))
    expect(sample(5, steady, () => 0.5)).toEqual(every(400, 25))
    expect(sample(5, steady, () => 1 / 8)).toEqual(every(1600, 7))
    expect(sample(null, steady, () => 1)).toEqual(steady)
    expect(sample(null, steady, () => 0.25)).toHaveLength(62)
    // A stream that is slower than the share has nothing to lose.
    expect(sample(25, every(400, 20), () => 0.25)).toHaveLength(20)
  })

  it('follows a share that changes on the way, without a burst', () => {
    const kept = sample(5, every(40, 500), (ms) => (ms >= 5000 && ms < 10_000 ? 0.25 : 1))
    const between = (from: number, to: number) => kept.filter((ms) => ms >= from && ms < to).length
    expect([between(0, 5000), between(5000, 10_000), between(10_000, 20_000)]).toEqual([25, 6, 50])
    const steps = kept.slice(1).map((ms, i) => ms - kept[i]!)
    expect(Math.min(...steps)).toBe(200)
  })

  it('passes an error on', () => {
    const run = new Run<FrameRef>((frames) => frames.pipe(sampleFps({ fps: 5, onSkip: () => undefined })))
    run.frames.error('broken')
    expect(run.ended).toEqual({ error: 'broken' })
  })

  it('goes on after a frame that an earlier pass took, as if it had taken it', () => {
    const studio = new Studio()
    const run = new Run<FrameRef>((frames) =>
      frames.pipe(sampleFps({ fps: 5, afterMs: 400, onSkip: (frame) => studio.services.skip(frame, 'rate') })),
    )
    for (const at of [440, 480, 560, 600, 640, 800]) run.frames.next(studio.frame(at)!)
    expect(run.out.map((frame) => frame.info.ptsMs)).toEqual([600, 800])
  })
})
