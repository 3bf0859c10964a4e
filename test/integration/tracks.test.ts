/**
 * Tracks through what happens to faces in front of cameras: covered, crossing, cut away. Real clips, real detector, and the
 * tracks that must come of it, at 5 frames a second and with every frame.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { imbalance } from '../../core/ledger.ts'
import type { GalleryHit } from '../../core/observation.ts'
import { asl, hasClips } from './support/clips.ts'
import { galleryOf, Rig, recordingSpec, type TrackEvent, tracksOf } from './support/session.ts'
import { COVERED_AT, covered, crossing, cut, lit, passed, type Way } from './support/staged-clips.ts'

/**
 * People of the clips, and one clip of each that is played nowhere below. `again` and `sister` cross nobody: the print on a
 * shirt and a hand are taken for faces in them.
 */
const enrolled = { anna: 'yes', bert: 'walk', cleo: 'eat' }
const rates = [5, null]

let rig: Rig
let search: (probe: Float32Array, k: number) => Promise<GalleryHit[]>
beforeAll(async () => {
  if (!hasClips) return
  rig = await Rig.open()
  const known = Object.entries(enrolled).map(async ([subject, name]) => {
    const { probes } = await rig.replay(recordingSpec(asl(name)))
    return [subject, [probes.at(-1)!]] as const
  })
  search = galleryOf(Object.fromEntries(await Promise.all(known)))
})
afterAll(() => rig?.[Symbol.asyncDispose]())

/** One track from its announcement to its end. */
interface Story {
  id: string
  /** s of media time. */
  from: number
  to: number
  /** Its end was told before the next track was. */
  overBefore(next: Story): boolean
  /** Centre of the face in the first and the last word, 0–1 from the left. */
  entered: number
  left: number
  /** Everybody it was ever taken for. */
  names: string[]
}

async function replay(path: string, fps: number | null): Promise<Story[]> {
  const spec = recordingSpec(path)
  const motion = { ...spec.analysis.motion, enabled: fps !== null }
  const { outcome, events } = await rig.replay({ ...spec, analysis: { ...spec.analysis, fps, motion } }, { search })
  const { ledger } = outcome.totals
  expect([imbalance(ledger), ledger.inFlight, ledger.dropped, outcome.leases]).toEqual([0, 0, {}, 0])
  return tracksOf(events, 'new').map((first) => storyOf(first, events as TrackEvent[]))
}

function storyOf({ data: first }: TrackEvent, events: readonly TrackEvent[]): Story {
  const id = first.trackId
  const words = events.filter(({ type, data }) => type === 'face.track' && data.trackId === id)
  const ending = words.find(({ data }) => data.phase === 'end')!
  const { data: end } = ending
  const seconds = (iso: string) => Date.parse(iso) / 1000
  const middle = ({ box }: TrackEvent['data']) => box.x + box.width / 2
  const names = words.flatMap(({ data }) => data.identity.subject ?? [])
  const span = { from: seconds(end.firstSeen), to: seconds(end.lastSeen) }
  const overBefore = (next: Story) => events.indexOf(ending) < events.findIndex(({ data }) => data.trackId === next.id)
  return { id, ...span, overBefore, entered: middle(first), left: middle(end), names: [...new Set(names)] }
}

const names = (stories: Story[]) => stories.map((story) => story.names)

describe.skipIf(!hasClips).each(rates)('tracks at %s frames a second', (fps) => {
  /** Media time between two analysed frames, s. */
  const step = fps === null ? 1 / 30 : 1 / fps
  const within = (value: number, low: number, high: number) => {
    expect(value).toBeGreaterThanOrEqual(low - 0.001)
    expect(value).toBeLessThanOrEqual(high + 0.001)
  }

  it.each([0.3, 0.8])('a face that is covered for %s s keeps its track', async (seconds) => {
    const stories = await replay(covered('book', seconds), fps)
    expect(names(stories)).toEqual([['bert']])
    within(stories[0]!.to, 6.4 - step, 6.5)
  })

  it('a face that is covered for 2 s comes back as another track of the same person', async () => {
    const [before, after, ...more] = await replay(covered('book', 2), fps)
    expect(more).toEqual([])
    expect([before!.names, after!.names]).toEqual([['bert'], ['bert']])
    expect(after!.id).not.toBe(before!.id)
    within(before!.to, COVERED_AT - 2 * step, COVERED_AT)
    within(after!.from, COVERED_AT + 2, COVERED_AT + 2 + 2 * step)
  })

  it('a board that is carried past keeps the track', async () => {
    expect(names(await replay(passed('help'), fps))).toEqual([['anna']])
  })

  it('light that goes out and comes back, and a flash, keep the track', async () => {
    expect(names(await replay(lit('night'), fps))).toEqual([['cleo']])
  })

  const pairs = [
    ['help', 'book', 'anna', 'bert'],
    ['night', 'help', 'cleo', 'anna'],
  ] as const
  const crosses: Way[] = ['pass', 'wallPass']
  const returns: Way[] = ['meet', 'wallMeet']

  it.each(pairs)('%s and %s keep their ids when they cross, and when they turn back', async (front, back, a, b) => {
    for (const way of [...crosses, ...returns]) {
      const stories = await replay(crossing(way, front, back), fps)
      const found = stories.map(({ entered, left, names }) => [entered < 0.5, left < 0.5, ...names])
      const goes = returns.includes(way)
      expect([way, ...found.sort()]).toEqual([way, [false, !goes, b], [true, goes, a]])
    }
  })

  it.each(pairs)('%s goes behind a wall, %s comes out: two tracks', async (first, second, a, b) => {
    const stories = await replay(crossing('wallSwap', first, second), fps)
    expect(names(stories)).toEqual([[a], [b]])
  })

  it('a cut to another view ends the tracks at once; the same person in it is another track', async () => {
    const [first, second, third, ...more] = await replay(
      cut({ name: 'again' }, { name: 'help', close: true }, { name: 'book' }),
      fps,
    )
    expect(more).toEqual([])
    expect([first, second, third].map((story) => story!.names)).toEqual([['anna'], ['anna'], ['bert']])
    // Clips of 77 and 58 frames.
    const cuts = [77 / 30, (77 + 58) / 30]
    for (const [story, next, at] of [
      [first!, second!, cuts[0]!],
      [second!, third!, cuts[1]!],
    ] as const) {
      within(story.to, at - step, at)
      within(next.from, at, at + step)
      expect(story.overBefore(next)).toBe(true)
    }
  })

  it('another person in the place of the first, as after a cut within one framing, is another track', async () => {
    const stories = await replay(cut({ name: 'again' }, { name: 'book' }, { name: 'night' }), fps)
    expect(names(stories)).toEqual([['anna'], ['bert'], ['cleo']])
    const cuts = [77 / 30, (77 + 109) / 30]
    within(stories[0]!.to, cuts[0]! - step, cuts[0]!)
    within(stories[1]!.from, cuts[0]!, cuts[0]! + step)
    within(stories[1]!.to, cuts[1]! - step, cuts[1]!)
  })
})
