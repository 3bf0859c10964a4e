/** Damaged recordings through the real session host: whatever the bytes, it ends, in order, and accounts for every frame. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GrabberError } from '../../core/errors.ts'
import { imbalance } from '../../core/ledger.ts'
import { asl, ClipFolder, hasClips } from './support/clips.ts'
import { Rig, recordingSpec } from './support/session.ts'

const clips = new ClipFolder()
const rig = new Rig()
let mp4: string
let stream: string
beforeAll(() => {
  if (!hasClips) return
  mp4 = clips.copied('whole.mp4', asl('walk'), '-movflags', '+faststart')
  stream = clips.made('whole.ts', '-i', asl('walk'), '-c:v', 'libx264', '-g', '15')
})
afterAll(() => clips[Symbol.dispose]())

/** Flips one bit in each of `n` places behind `from`; the same places for the same seed. */
function flipped(bytes: Buffer, n: number, seed: number, from: number): Buffer {
  const out = Buffer.from(bytes)
  let state = seed
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const at = from + (state % (out.length - from))
    out[at] = out[at]! ^ (1 << (state >>> 29))
  }
  return out
}

/** What a replay of it gives: its figures and events, or the code it fails with. */
async function replay(path: string) {
  try {
    const { outcome, events } = await rig.replay({ ...recordingSpec(path), faces: null })
    const { ledger } = outcome.totals
    expect([imbalance(ledger), ledger.inFlight, ledger.dropped, outcome.leases]).toEqual([0, 0, {}, 0])
    expect(outcome.restarts).toBe(0)
    return { captured: ledger.captured, damage: outcome.damage, events }
  } catch (error) {
    if (!(error instanceof GrabberError)) throw error
    return { code: error.code }
  }
}

describe.skipIf(!hasClips)('damaged recordings', () => {
  it('flipped bits in the pictures: frames or a code, damage reported, and the same in a second run', async () => {
    for (const seed of [1, 2, 3]) {
      const path = clips.edited(`flipped-${seed}.mp4`, mp4, (bytes) => flipped(bytes, 60, seed, 8192))
      const first = await replay(path)
      expect(first).toMatchObject({ captured: expect.any(Number), damage: { count: expect.any(Number) } })
      expect(first.damage!.count).toBeGreaterThan(0)
      expect(first.captured!).toBeGreaterThan(20)
      expect(first.damage!.positions.length).toBeLessThanOrEqual(20)
      // Not the count of damage: FFmpeg's threads set a frame's error flags while it is read, one more or less.
      const { captured, events } = await replay(path)
      expect({ captured, events }).toEqual({ captured: first.captured, events: first.events })
    }
  })

  it('flipped bits in the index: an end in order', async () => {
    for (const seed of [4, 5, 6]) {
      const path = clips.edited(`index-${seed}.mp4`, mp4, (bytes) =>
        Buffer.concat([flipped(bytes.subarray(0, 4096), 40, seed, 0), bytes.subarray(4096)]),
      )
      const outcome = await replay(path)
      if (outcome.code) expect(outcome.code).toMatch(/^(SRC|DEC)_/)
      else expect(outcome.captured).toBeGreaterThan(0)
    }
  })

  it('a stream that begins in the middle of a picture starts with the first whole one', async () => {
    const path = clips.edited('headless.ts', stream, (bytes) => bytes.subarray(Math.floor(bytes.length / 3)))
    const { captured } = await replay(path)
    expect(captured!).toBeGreaterThan(30)
    expect(captured!).toBeLessThan(89)
  })

  it('nothing but noise under a good header: DEC_FAILED or SRC_UNREADABLE', async () => {
    const path = clips.edited('noise.mp4', mp4, (bytes) => {
      const data = bytes.indexOf('mdat') + 4
      return Buffer.concat([bytes.subarray(0, data), Buffer.alloc(bytes.length - data, 0x5a)])
    })
    expect((await replay(path)).code).toMatch(/^(DEC_FAILED|SRC_UNREADABLE)$/)
  })
})
