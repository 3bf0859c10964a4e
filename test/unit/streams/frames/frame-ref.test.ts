import { describe, expect, it } from 'vitest'
import { plain, Studio } from '../studio.ts'

describe('FrameRef', () => {
  it('frees the pixels with the last release, not before', () => {
    const studio = new Studio()
    const frame = studio.frame(0)!
    expect([studio.leases, studio.unfreed]).toEqual([1, 1])
    frame.retain()
    frame.release()
    expect(frame.full.width).toBe(640)
    frame.release()
    expect([studio.leases, studio.unfreed]).toEqual([0, 0])
  })

  it('throws on every use after its end', () => {
    const frame = new Studio().frame(0)!
    {
      using _lease = frame
    }
    for (const use of [() => frame.full, () => frame.luma, () => frame.rgb(), () => frame.retain()]) {
      expect(use).toThrow('after its last release')
    }
    expect(() => frame.release()).toThrow('released too often')
  })

  it('makes its analysis picture once', () => {
    const frame = new Studio().frame(0, plain(7))!
    expect(frame.luma.data[0]).toBe(7)
    expect(frame.luma).toBe(frame.luma)
    frame.release()
  })

  it('a frame that comes late is dropped where a camera is played, and kept where nothing may be lost', () => {
    const camera = new Studio({ overflow: 'drop-oldest' })
    expect(camera.frame(0, plain(1), true)).toBeUndefined()
    expect(camera.ledger).toMatchObject({ captured: 1, dropped: { 'source.late': 1 }, inFlight: 0 })
    expect([camera.leases, camera.unfreed]).toEqual([0, 0])
    expect(new Studio({ overflow: 'wait' }).frame(0, plain(1), true)).toBeDefined()
  })
})
