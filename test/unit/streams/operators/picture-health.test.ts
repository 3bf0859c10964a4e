import { describe, expect, it } from 'vitest'
import type { LumaView } from '../../../../core/frame.ts'
import type { FrameRef } from '../../../../streams/frames/frame-ref.ts'
import { pictureHealth } from '../../../../streams/operators/picture-health.ts'
import { patchwork, plain, Run, Studio } from '../studio.ts'

function setUp() {
  const studio = new Studio()
  const said: string[] = []
  const options = { frozenMs: 3000, blackMs: 2000, onChange: (health: string) => said.push(health) }
  const run = new Run<FrameRef>((frames) => frames.pipe(pictureHealth(options)))
  const push = (ptsMs: number, luma: LumaView, key: boolean) => {
    run.frames.next(studio.frame(ptsMs, luma, false, key)!)
    return said.splice(0)
  }
  return { studio, run, push }
}

describe('pictureHealth', () => {
  it('passes every frame on, untouched and in order, and holds none', () => {
    const { studio, run, push } = setUp()
    for (let n = 0; n < 50; n++) push(40 * n, patchwork(n), n % 25 === 0)
    run.frames.complete()
    expect(run.ended).toBe('complete')
    expect(run.out.map(({ info }) => info.seq)).toEqual(Array.from({ length: 50 }, (_, n) => n))
    for (const frame of run.out) frame.release()
    expect(studio.leases).toBe(0)
  })

  it('judges a standing picture by I-frames alone', () => {
    const { push } = setUp()
    for (let n = 0; n < 200; n++) expect(push(40 * n, patchwork(1), n === 0)).toEqual([])
    // One I-frame more says that it has not changed since the first.
    expect(push(8000, patchwork(1), true)).toEqual(['frozen'])
    expect(push(8040, patchwork(2), false)).toEqual([])
    expect(push(9000, patchwork(2), true)).toEqual(['good'])
  })

  it('sees black on any frame, once a second', () => {
    const { push } = setUp()
    const said: [number, string][] = []
    for (let n = 0; n < 100; n++) {
      for (const health of push(40 * n, n < 75 ? plain(16) : patchwork(1), false)) said.push([40 * n, health])
    }
    expect(said).toEqual([
      [2000, 'black'],
      [3000, 'good'],
    ])
  })

  it('looks once a second where every picture is an I-frame', () => {
    const { push } = setUp()
    let looks = 0
    for (let n = 0; n < 100; n++) {
      const luma = plain(100)
      const { data } = luma
      Object.defineProperty(luma, 'data', {
        get: () => {
          looks++
          return data
        },
      })
      push(40 * n, luma, true)
    }
    // A print and a look at the darkness each.
    expect(looks).toBeLessThanOrEqual(5 * 3)
    expect(looks).toBeGreaterThanOrEqual(4)
  })

  it('ends with the pass when a frame cannot be read, and frees it', () => {
    const { studio, run } = setUp()
    const frame = studio.frame(0, undefined, false, true)!
    Object.defineProperty(frame, 'luma', {
      get: () => {
        throw new Error('no memory')
      },
    })
    run.frames.next(frame)
    expect(run.ended).toEqual({ error: new Error('no memory') })
    expect(studio.leases).toBe(0)
  })
})
