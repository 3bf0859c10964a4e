/** Verdicts on pictures made of numbers; with real encoders: test/integration/picture-health. */

import { describe, expect, it } from 'vitest'
import type { LumaView } from '../../../../core/frame.ts'
import { PictureHealthModel } from '../../../../streams/analysis/picture-health.ts'
import { randomOf } from '../../../support/seeded-random.ts'

import { plain } from '../studio.ts'

const [WIDTH, HEIGHT] = [160, 96]
const random = randomOf(3)

/** Details everywhere. */
const scene = ((): Float32Array => {
  const luma = new Float32Array(WIDTH * HEIGHT)
  for (const at of luma.keys()) luma[at] = 60 + 50 * Math.sin(at / 7) + 30 * Math.cos((at % WIDTH) / 3) + 8 * random()
  return luma
})()

function view(value: (at: number) => number): LumaView {
  const luma = plain(0, WIDTH, HEIGHT)
  for (const at of luma.data.keys()) luma.data[at] = Math.max(0, Math.min(255, Math.round(value(at))))
  return luma
}

const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const noisy = (sigma: number, light = 1) => view((at) => 16 + light * (scene[at]! - 16) + sigma * gauss())

/** The same picture as an encoder gives it at a coarser or finer step. */
const coded = (picture: LumaView, step: number) => view((at) => Math.round(picture.data[at]! / step) * step)

/** `luma` with two digits of a clock in a corner. */
function withClock(luma: LumaView, seconds: number): LumaView {
  const out = { ...luma, data: luma.data.slice() }
  for (let digit = 0; digit < 2; digit++) {
    const shape = Math.floor(seconds / 10 ** (1 - digit)) % 10
    for (let bit = 0; bit < 4; bit++) {
      const value = (shape >> bit) & 1 ? 235 : 40
      for (let y = 0; y < 6; y++)
        out.data.fill(value, (8 + y) * WIDTH + 8 + 8 * digit + 2 * bit, (8 + y) * WIDTH + 10 + 8 * digit + 2 * bit)
    }
  }
  return out
}

interface Said {
  atMs: number
  health: string
  evidence: string
}

/** Verdicts on one I-frame each `stepMs`. */
function judge(
  pictures: readonly LumaView[],
  stepMs = 1000,
  model = new PictureHealthModel({ frozenMs: 10_000, blackMs: 5000 }),
  fromMs = 0,
): Said[] {
  return pictures.flatMap((luma, i) => {
    const finding = model.step(luma, { ptsMs: fromMs + i * stepMs, key: true })
    return finding ? [{ atMs: fromMs + i * stepMs, ...finding }] : []
  })
}

const times = <T>(n: number, make: (i: number) => T) => Array.from({ length: n }, (_, i) => make(i))
const still = noisy(2)

describe('frozen is', () => {
  it('the very same picture, for as long as it takes', () => {
    const said = judge(times(30, () => still))
    expect(said).toEqual([
      { atMs: 10_000, health: 'frozen', evidence: 'every I-frame of 10 s is the same picture, noise included' },
    ])
  })

  it('known where most I-frames are passed over', () => {
    const model = new PictureHealthModel({ frozenMs: 10_000, blackMs: 5000 })
    const said = times(10, (i) => model.step(still, { ptsMs: 4000 * i, key: true, passedKeys: i === 0 ? 0 : 1 }))
    expect(said.filter(Boolean)).toMatchObject([{ health: 'frozen' }])
  })

  it('known from few I-frames where they are far apart', () => {
    expect(
      judge(
        times(3, () => still),
        10_000,
      ),
    ).toMatchObject([{ atMs: 10_000, health: 'frozen' }])
  })

  it('a rate control that takes turns between two steps', () => {
    const pictures = [coded(still, 5), coded(still, 7)]
    expect(judge(times(30, (i) => pictures[i % 2]!))).toMatchObject([{ atMs: 10_000, health: 'frozen' }])
  })

  it('a rate control that wanders over many steps, later', () => {
    const pictures = times(12, (i) => coded(still, 4 + 0.5 * i))
    const said = judge(times(64, () => pictures[Math.floor(12 * random())]!))
    expect(said).toMatchObject([
      { health: 'frozen', evidence: expect.stringMatching(/ of \d+ I-frames of \d+ s are exactly /) },
    ])
  })

  it('over when something else is seen, and at a step of the rate control it is not', () => {
    const model = new PictureHealthModel({ frozenMs: 10_000, blackMs: 5000 })
    const pictures = [...times(15, () => still), coded(still, 9), ...times(15, () => still)]
    expect(judge(pictures, 1000, model)).toMatchObject([{ health: 'frozen' }])
    const other = view((at) => 255 - still.data[at]!)
    expect(judge([other], 1000, model, 31_000)).toEqual([
      { atMs: 31_000, health: 'good', evidence: 'the picture changes again' },
    ])
  })

  it('over when the noise is back, of the same scene', () => {
    const model = new PictureHealthModel({ frozenMs: 10_000, blackMs: 5000 })
    judge(
      times(15, () => still),
      1000,
      model,
    )
    expect(
      judge(
        times(5, () => noisy(0.5)),
        1000,
        model,
        15_000,
      ),
    ).toMatchObject([{ atMs: 16_000, health: 'good' }])
  })
})

describe('not frozen is', () => {
  it.each([0.3, 0.5, 1, 3, 5])('a static scene with noise of %d grey levels, in light and in the dark', (sigma) => {
    expect(judge(times(100, () => noisy(sigma)))).toEqual([])
    expect(judge(times(100, () => noisy(sigma, 0.2)))).toEqual([])
  })

  it('the same picture with a running clock', () => {
    expect(judge(times(100, (i) => withClock(still, i)))).toEqual([])
  })

  it.each([
    [4, 1],
    [6, 1],
    [9, 2],
  ])(
    'a recording of %d I-frames that is played round and round, of which %d are passed over each time',
    (length, passed) => {
      const loop = times(length, () => noisy(1))
      const model = new PictureHealthModel({ frozenMs: 10_000, blackMs: 5000 })
      const said = times(100, (i) => {
        const number = i * (1 + passed)
        const passedKeys = i === 0 ? 0 : passed
        return model.step(loop[number % length]!, { ptsMs: 1000 * number, key: true, passedKeys })
      })
      expect(said.filter(Boolean)).toEqual([])
    },
  )

  it('a recording that is played round and round', () => {
    const loop = times(9, () => noisy(1))
    expect(judge(times(200, (i) => loop[i % 9]!))).toEqual([])
    // Looked at off the beat, it comes back at multiples of its length.
    const frames = times(90, () => noisy(1))
    const model = new PictureHealthModel({ frozenMs: 10_000, blackMs: 5000 })
    for (let i = 0, ptsMs = 0; i < 600; i++, ptsMs += 100 * Math.round(9 + 4 * random())) {
      const finding = model.step(frames[(ptsMs / 100) % 90]!, { ptsMs: ptsMs + 30 * random(), key: true })
      expect(finding).toBeUndefined()
    }
  })

  it('what only non-I-frames show', () => {
    const model = new PictureHealthModel({ frozenMs: 10_000, blackMs: 5000 })
    for (let i = 0; i < 100; i++) expect(model.step(still, { ptsMs: 1000 * i, key: i === 0 })).toBeUndefined()
  })

  it('a picture whose size changes', () => {
    const sizes = times(40, (i) => (i % 2 === 0 ? still : plain(90, 64, 64)))
    expect(judge(sizes)).toEqual([])
  })
})

describe('black is', () => {
  it('no light, for as long as it takes, and ends with the first', () => {
    const model = new PictureHealthModel({ frozenMs: 60_000, blackMs: 5000 })
    expect(
      judge(
        times(12, () => plain(16, WIDTH, HEIGHT)),
        1000,
        model,
      ),
    ).toEqual([{ atMs: 5000, health: 'black', evidence: 'nothing brighter than grey level 22 for 5 s' }])
    expect(judge([noisy(1)], 1000, model, 12_000)).toEqual([
      { atMs: 12_000, health: 'good', evidence: 'there is light again' },
    ])
  })

  it('a covered lens with noise, full range or video range, with a line of text', () => {
    const covered = (black: number, sigma: number) =>
      times(10, () => view(() => Math.max(black, black + sigma * gauss())))
    for (const pictures of [covered(16, 3), covered(16, 8), covered(0, 5)]) {
      expect(judge(pictures)).toMatchObject([{ health: 'black' }])
    }
    expect(judge(times(9, (i) => withClock(plain(16, WIDTH, HEIGHT), i)))).toMatchObject([{ health: 'black' }])
  })

  it('said of a picture that is also frozen', () => {
    const said = judge(times(30, () => plain(16, WIDTH, HEIGHT)))
    expect(said.map(({ health }) => health)).toEqual(['black'])
  })

  it('not a dark scene that can be read, nor a grey or blue screen, nor a moment without light', () => {
    for (const light of [0.1, 0.2]) expect(judge(times(60, () => noisy(2, light)))).toEqual([])
    // Luma of pure blue: 41 by BT.601, 32 by BT.709; of half of it 24.
    for (const level of [126, 41, 32, 24]) {
      const screen = times(9, () => view(() => level + 0.6 * gauss()))
      expect(judge(screen)).toEqual([])
    }
    const blinking = times(60, (i) => (i % 5 === 4 ? noisy(1) : plain(16, WIDTH, HEIGHT)))
    expect(judge(blinking)).toEqual([])
  })
})
