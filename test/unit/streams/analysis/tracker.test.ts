import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FrameInfo } from '../../../../core/frame.ts'
import type { DetectedFace } from '../../../../core/observation.ts'
import type { Appearance } from '../../../../streams/analysis/appearance.ts'
import { Tracker } from '../../../../streams/analysis/tracker.ts'

const STEP_MS = 200

const at = (step: number): FrameInfo => ({
  seq: step * 6,
  ptsMs: step * STEP_MS,
  loop: 0,
  capturedAtMs: step * STEP_MS,
  width: 640,
  height: 480,
})

function face(x: number, y: number, side = 40, score = 0.9): DetectedFace {
  const p = { x: x + side / 2, y: y + side / 2 }
  return { box: { x, y, width: side, height: side }, score, landmarks: [p, p, p, p, p] }
}

/** Looks of person `n`: those of two people have nothing in common. */
function looks(n: number, doubtful = false): Appearance {
  const face = new Float32Array(64)
  const chest = new Float32Array(128)
  face[n] = 1
  chest[n] = 1
  return { face, chest, doubtful }
}

/** A look at `faces`, all of which look alike. */
const look = (tracker: Tracker, faces: DetectedFace[], info: FrameInfo) =>
  tracker.step(
    faces,
    faces.map(() => looks(0)),
    info,
  )

/** Runs steps of faces, `null` for steps without a look; the events as words, such as `+e-0-0@1`. */
function story(steps: (DetectedFace[] | null)[]): string[] {
  const tracker = new Tracker('e')
  const words: string[] = []
  for (const [index, faces] of steps.entries()) {
    if (!faces) continue
    const { started, ended } = look(tracker, faces, at(index))
    for (const { id } of ended) words.push(`-${id}@${index}`)
    for (const { id } of started) words.push(`+${id}@${index}`)
  }
  for (const { id } of tracker.cut()) words.push(`-${id}@cut`)
  return words
}

const times = <T>(n: number, make: (index: number) => T) => Array.from({ length: n }, (_, index) => make(index))

describe('Tracker', () => {
  it('announces a track at its second look, with the id of its first', () => {
    expect(story([[], [face(100, 100)], [face(102, 100)], [face(104, 100)]])).toEqual(['+e-6-0@2', '-e-6-0@cut'])
  })

  it('counts media time as well as looks: at 30 frames a second two in a row are not enough', () => {
    const tracker = new Tracker('e')
    const started = times(6, (i) => {
      const info = { ...at(0), seq: i, ptsMs: i * 33 }
      return look(tracker, [face(100, 100)], info).started.map(({ id }) => id)
    })
    // 99 ms between the first and the fourth, 132 ms to the fifth.
    expect(started).toEqual([[], [], [], [], ['e-0-0'], []])
  })

  it('never announces a detection that came once, at the start, in between or at the end', () => {
    expect(story([[face(10, 10)], ...times(12, () => []), [face(300, 300)]])).toEqual([])
  })

  it('follows a face that walks faster than its own width', () => {
    // Two slow looks give the direction; then 50 px a look with a 40 px face.
    const xs = [100, 120, 150, 190, 240, 290, 340, 390]
    expect(story(xs.map((x) => [face(x, 100)]))).toEqual(['+e-0-0@1', '-e-0-0@cut'])
  })

  it('bridges a gap up to 1.5 s, where the face is expected, and no longer one', () => {
    const walk = (gap: number) => [
      ...times(6, (i) => [face(100 + 10 * i, 100)]),
      ...times(gap, () => []),
      ...times(3, (i) => [face(160 + 10 * (gap + i), 100)]),
    ]
    // Last seen at 1000 ms: six missed looks end at 2400 ms (1.4 s), eight at 2800 ms (1.8 s).
    expect(story(walk(6))).toEqual(['+e-0-0@1', '-e-0-0@cut'])
    const broken = story(walk(8))
    expect(broken).toEqual(['+e-0-0@1', expect.stringMatching(/^-e-0-0@1\d$/), '+e-84-0@15', '-e-84-0@cut'])
  })

  it('says the end of a track once it was unseen for more than 1.5 s, not before', () => {
    const steps = [[face(10, 10)], [face(10, 10)], ...times(12, () => [])]
    // Last seen at 200 ms: 1700 ms is no more than 1.5 s later (step 8 = 1600 ms), step 9 = 1800 ms is.
    expect(story(steps)).toEqual(['+e-0-0@1', '-e-0-0@9'])
  })

  it('keeps two faces apart that cross', () => {
    const steps = times(17, (i) => [face(100 + 20 * i, 100), face(420 - 20 * i, 130)])
    const tracker = new Tracker('e')
    const lanes = steps.map((faces, index) => look(tracker, faces, at(index)).seen)
    for (const seen of lanes.slice(1)) {
      const byId = new Map(seen.map((track) => [track.id, track.face.box.y]))
      expect(byId).toEqual(
        new Map([
          ['e-0-0', 100],
          ['e-0-1', 130],
        ]),
      )
    }
  })

  it('keeps two faces apart that cross while one of them is hidden', () => {
    const steps = times(17, (i) => [
      face(100 + 20 * i, 100),
      // Hidden behind the other for three looks.
      ...(i >= 7 && i <= 9 ? [] : [face(420 - 20 * i, 118)]),
    ])
    const tracker = new Tracker('e')
    let last = look(tracker, [], at(0)).seen
    for (const [index, faces] of steps.entries()) last = look(tracker, faces, at(index + 1)).seen
    expect(last.map((track) => [track.id, track.face.box.y])).toEqual([
      ['e-6-0', 100],
      ['e-6-1', 118],
    ])
  })

  it('does not take a face of another size for the same one', () => {
    const words = story([[face(100, 100, 100)], [face(100, 100, 100)], [face(130, 130, 40)], [face(130, 130, 40)]])
    expect(words).toEqual(['+e-0-0@1', '+e-12-0@3', '-e-0-0@cut', '-e-12-0@cut'])
  })

  it('a cut ends everything that was announced; the next face is a new track', () => {
    const tracker = new Tracker('e')
    for (const step of [0, 1]) look(tracker, [face(10, 10), face(200, 200)], at(step))
    look(tracker, [face(10, 10), face(200, 200), face(400, 400)], at(2))
    expect(tracker.cut().map((track) => track.id)).toEqual(['e-0-0', 'e-0-1'])
    expect(tracker.cut()).toEqual([])
    look(tracker, [face(10, 10)], at(3))
    expect(look(tracker, [face(10, 10)], at(4)).started.map((track) => track.id)).toEqual(['e-18-0'])
  })

  it('two looks at one moment do not make a velocity without end', () => {
    const tracker = new Tracker('e')
    look(tracker, [face(10, 10)], at(0))
    look(tracker, [face(14, 10)], at(0))
    look(tracker, [face(16, 10)], at(1))
    const [track] = look(tracker, [face(18, 10)], at(2)).seen
    expect(track!.motion.x.velocity).toBeGreaterThan(0)
    expect(track!.motion.x.velocity).toBeLessThan(30)
  })

  it('gives every face at most one track and every track at most one face, and the same in every run', () => {
    const anyFace = fc
      .tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 300 }), fc.constantFrom(20, 40, 80))
      .map(([x, y, side]) => face(x, y, side))
    fc.assert(
      fc.property(fc.array(fc.array(anyFace, { maxLength: 5 }), { maxLength: 25 }), (steps) => {
        const run = () => {
          const tracker = new Tracker('e')
          const alive = new Set<string>()
          return steps.map((faces, index) => {
            const { seen, started, ended } = look(tracker, faces, at(index))
            for (const { id } of started) {
              expect(alive.has(id)).toBe(false)
              alive.add(id)
            }
            for (const { id } of ended) expect(alive.delete(id)).toBe(true)
            expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length)
            expect(new Set(seen.map(({ face }) => face)).size).toBe(seen.length)
            for (const { id } of seen) expect(alive.has(id)).toBe(true)
            return [seen.map(({ id }) => id), started.map(({ id }) => id), ended.map(({ id }) => id)]
          })
        }
        expect(run()).toEqual(run())
      }),
      { numRuns: 100 },
    )
  })
})

type Sighting = [x: number, looks: Appearance]

/** Looks between those of two people: as far from the one as from the other, and not too far to be either. */
function between(a: number, b: number): Appearance {
  const { face, chest } = looks(a)
  face[a] = Math.SQRT1_2
  face[b] = Math.SQRT1_2
  chest![a] = 0.5
  chest![b] = 0.5
  return { face, chest, doubtful: false }
}

/** Looks of person `n` of a family: so much alike that they might be the same. */
function alike(n: number): Appearance {
  const { face, chest } = looks(n)
  face[n] = 0.5
  face[63] = Math.sqrt(0.75)
  chest![n] = 0.2
  chest![127] = 0.8
  return { face, chest, doubtful: false }
}

/** Who has which ids, in the order in which they had them; people are named by the first and last colour they wear. */
function idsOf(steps: Sighting[][], stepMs = STEP_MS): Record<string, string[]> {
  const tracker = new Tracker('e')
  const ids: Record<string, string[]> = {}
  for (const [index, sightings] of steps.entries()) {
    const faces = sightings.map(([x]) => face(x, 100))
    const info = { ...at(0), seq: index, ptsMs: index * stepMs }
    const seen = sightings.map(([, appearance]) => appearance)
    for (const track of tracker.step(faces, seen, info).seen) {
      const { chest } = seen[faces.indexOf(track.face)]!
      const worn = [...chest!.keys()].filter((bin) => chest![bin]! > 0)
      const person = `${worn[0]},${worn.at(-1)}`
      ids[person] ??= []
      if (ids[person].at(-1) !== track.id) ids[person].push(track.id)
    }
  }
  return ids
}

const hidden = (n: number) => times(n, (): Sighting[] => [])
const stands = (n: number, x: number, appearance: Appearance) => times(n, (): Sighting[] => [[x, appearance]])

describe('Tracker, by motion', () => {
  it('follows a face that sets off from standing at seven times its width a second', () => {
    const still = stands(6, 100, looks(0))
    const off = times(5, (i): Sighting[] => [[156 + 56 * i, looks(0)]])
    expect(idsOf([...still, ...off, ...stands(4, 380, looks(0))])).toEqual({ '0,0': ['e-0-0'] })
  })
})

describe('Tracker, by looks', () => {
  it('who turned back behind the pillar keeps their id, though motion alone would have them swapped', () => {
    const [a, b] = [alike(0), alike(1)]
    const walkIn = times(6, (i): Sighting[] => [
      [130 + 20 * i, a],
      [370 - 20 * i, b],
    ])
    const back = times(5, (i): Sighting[] => [
      [215 - 20 * i, a],
      [285 + 20 * i, b],
    ])
    expect(idsOf([...walkIn, ...hidden(4), ...back])).toEqual({ '0,127': ['e-0-0'], '1,127': ['e-0-1'] })
  })

  it('who comes out instead of the one who went in has a new id', () => {
    const walkIn = times(4, (i): Sighting[] => [[100 + 20 * i, looks(0)]])
    const other = times(4, (i): Sighting[] => [[200 + 20 * i, looks(2)]])
    expect(idsOf([...walkIn, ...hidden(3), ...other])).toEqual({ '0,0': ['e-0-0'], '2,2': ['e-7-0'] })
  })

  it.each([5, 30])(
    'a person in another one’s place is another track, as after a cut within one framing (%s fps)',
    (fps) => {
      const steps = [...stands(fps, 100, looks(0)), ...stands(fps, 102, looks(1))]
      expect(idsOf(steps, 1000 / fps)).toEqual({ '0,0': ['e-0-0'], '1,1': [`e-${fps}-0`] })
    },
  )

  it('doubtful looks neither end a track nor become its memory', () => {
    const clear = stands(4, 100, looks(0))
    // Someone else's clothes in front of it, then itself again.
    const doubtful = stands(4, 100, looks(1, true))
    expect(idsOf([...clear, ...doubtful, ...clear])).toEqual({ '0,0': ['e-0-0'], '1,1': ['e-0-0'] })
    // Had it learnt them, the one who has them would be taken for it.
    const other = stands(4, 100, looks(1))
    expect(idsOf([...clear, ...doubtful, ...other])['1,1']).toEqual(['e-0-0', 'e-8-0'])
  })

  it('looks that are unlike it, and not too unlike, are learnt slowly', () => {
    const steps = [...stands(5, 100, looks(0)), ...stands(8, 100, between(0, 1)), ...stands(3, 100, looks(1))]
    expect(idsOf(steps)).toEqual({ '0,0': ['e-0-0'], '0,1': ['e-0-0'], '1,1': ['e-13-0'] })
  })

  it('what was half seen at first is known by what it looks like later', () => {
    const young = stands(2, 100, looks(5))
    expect(idsOf([...young, ...stands(4, 100, looks(0))])).toEqual({ '5,5': ['e-0-0'], '0,0': ['e-0-0'] })
    const half = stands(2, 100, looks(5, true))
    expect(idsOf([...half, ...stands(3, 100, looks(0))])).toEqual({ '5,5': ['e-0-0'], '0,0': ['e-0-0'] })
  })

  it('a lost track claims its face back from one that was opened while it looked strange', () => {
    const steps = [...stands(4, 100, looks(0)), ...hidden(5), ...stands(1, 104, looks(7)), ...stands(3, 104, looks(0))]
    expect(idsOf(steps)).toEqual({ '0,0': ['e-0-0'] })
  })

  it('a track that was never announced ends after two missed looks', () => {
    expect(idsOf([...stands(1, 100, looks(0)), ...hidden(3), ...stands(1, 100, looks(0))])).toEqual({})
    const short = [...stands(1, 100, looks(0)), ...hidden(1), ...stands(1, 100, looks(0))]
    expect(idsOf(short)).toEqual({ '0,0': ['e-0-0'] })
  })
})
