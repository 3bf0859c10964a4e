/** Compressed-domain gating: a replay that decodes only I-frames while nothing happens sees what one that decodes everything sees. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CloudEvent, EventData } from '../../core/event.ts'
import { imbalance } from '../../core/ledger.ts'
import { type ClipOptions, cameraClip, type Scene } from './support/camera-clips.ts'
import { hasClips } from './support/clips.ts'
import { galleryOf, type Replayed, Rig, recordingSpec, tracksOf } from './support/session.ts'

const SAMPLE_MS = 200

let rig: Rig
beforeAll(async () => {
  rig = await Rig.open()
})
afterAll(() => rig[Symbol.asyncDispose]())

async function replay(scene: Scene, options: ClipOptions, gating: boolean, person?: Float32Array): Promise<Replayed> {
  const spec = recordingSpec(cameraClip(scene, options), { decode: { gating, hardware: 'off', tonemap: false } })
  return rig.replay(spec, person ? { search: galleryOf({ visitor: [person] }) } : {})
}

/** What was seen and when, without what hangs on the last bit. */
function story(events: readonly CloudEvent[]) {
  return events.map(({ type, data }) => {
    const { phase, identity } = data as Partial<EventData<'face.track'>>
    return [type, phase, identity?.status, identity?.subject].filter((word) => word !== undefined).join(' ')
  })
}

const ptsOf = ({ data }: CloudEvent) => (data as EventData<'motion'>).frame.ptsMs

const variants: [string, ClipOptions, { idle: boolean }][] = [
  ['a group of 2 s', {}, { idle: true }],
  ['a group of 10 s, as smart codecs have', { gop: 150 }, { idle: false }],
  ['I-frames alone', { gop: 1 }, { idle: true }],
  ['B-frames', { bFrames: 3 }, { idle: true }],
  ['B-frames over open groups', { bFrames: 3, openGop: true }, { idle: true }],
  ['H.265', { codec: 'hevc' }, { idle: true }],
  // The I-frame that shows the visit is the second one of the rest: both groups are decoded.
  ['a constant bit rate, whose sizes say nothing', { kbps: 600 }, { idle: false }],
]

describe.skipIf(!hasClips)('a visit, decoded in full and gated', () => {
  let person: Float32Array
  let full: Replayed

  beforeAll(async () => {
    full = await replay('visit', {}, false)
    person = full.probes.at(-1)!
  })

  it('somebody comes, is followed and leaves', () => {
    expect(tracksOf(full.events, 'new')).toHaveLength(1)
    expect(full.outcome.totals.ledger.skipped).not.toHaveProperty('idle')
  })

  it.each(variants)(
    '%s: the same tracks and names, the first event at most one sample later',
    async (_, options, { idle }) => {
      const expected = await replay('visit', options, false, person)
      const gated = await replay('visit', options, true, person)
      expect(story(gated.events)).toEqual(story(expected.events))
      expect(story(gated.events)).toContain('face.track update confirmed visitor')
      for (const [index, event] of gated.events.entries()) {
        const lateMs = ptsOf(event) - ptsOf(expected.events[index]!)
        expect(lateMs).toBeLessThanOrEqual(SAMPLE_MS)
      }
      const { ledger } = gated.outcome.totals
      expect(imbalance(ledger)).toBe(0)
      expect(ledger).toMatchObject({ dropped: {}, inFlight: 0 })
      expect(gated.outcome.leases).toBe(0)
      const undecoded = ledger.skipped.idle ?? 0
      // The room is quiet for a group before the visit: it starts awake, and rests with the first group after two quiet seconds.
      if (idle) expect(undecoded).toBeGreaterThanOrEqual(25)
    },
  )

  it('the same bytes every time', async () => {
    const [one, two] = [await replay('visit', {}, true), await replay('visit', {}, true)]
    expect(JSON.stringify(one.events)).toBe(JSON.stringify(two.events))
    expect(one.outcome.totals.ledger).toEqual(two.outcome.totals.ledger)
  })
})

describe.skipIf(!hasClips)('a room in which nothing happens', () => {
  it.each<[string, Scene]>([
    ['with the noise of its sensor', 'quiet'],
    ['coded as skipped blocks', 'skipped'],
  ])('%s rests, and nothing wakes it', async (_, scene) => {
    const { events, outcome } = await replay(scene, { seconds: 20, fps: 25 }, true)
    expect(events).toEqual([])
    const { captured, skipped } = outcome.totals.ledger
    // Awake for two quiet seconds and the rest of their group; then one picture in 50 is decoded.
    expect(skipped.idle).toBeGreaterThanOrEqual(0.98 * (captured - 4 * 25) - 2)
  })
})
