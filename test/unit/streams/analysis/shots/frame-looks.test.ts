/** Where shots begin, on pictures made of noise; and what a look says of motion that is given. */
import { describe, expect, it } from 'vitest'
import type { LumaView } from '../../../../../core/frame.ts'
import type { ShotBegin } from '../../../../../core/shot.ts'
import { FrameLooks, type KnownMotion } from '../../../../../streams/analysis/shots/frame-looks.ts'
import { randomOf } from '../../../../support/seeded-random.ts'

const [WIDTH, HEIGHT] = [320, 184]
const STEP_MS = 100

/** Patches of 24 px; a wide one, so that a camera can pan over it. */
function world(seed: number): (x: number, y: number) => number {
  const random = randomOf(seed)
  const cells = Float32Array.from({ length: 200 * 20 }, () => 30 + 190 * random())
  return (x, y) => cells[(Math.floor(y / 24) % 20) * 200 + (((Math.floor(x / 24) % 200) + 200) % 200)]!
}

function picture(value: (x: number, y: number) => number): LumaView {
  const data = new Uint8Array(WIDTH * HEIGHT)
  for (let y = 0; y < HEIGHT; y++) for (let x = 0; x < WIDTH; x++) data[y * WIDTH + x] = value(x, y)
  return { data, width: WIDTH, height: HEIGHT, stride: WIDTH }
}

const [a, b] = [world(1), world(2)]
const shown = (scene: typeof a, pan = 0) => picture((x, y) => scene(x + pan, y))
const mixed = (share: number, pan = 0) => picture((x, y) => share * a(x + pan, y) + (1 - share) * b(x, y))
const flat = (value: number) => picture(() => value)

/** Where shots begin, by index. */
function begins(pictures: readonly LumaView[], looks = new FrameLooks(), from = 0): [number, ShotBegin][] {
  const found: [number, ShotBegin][] = []
  for (const [n, luma] of pictures.entries()) {
    const begun = looks.see(luma, (from + n) * STEP_MS)
    if (begun) found.push([from + n, begun])
    looks.tell(null)
  }
  return found
}
const times = (count: number, make: (n: number) => LumaView) => Array.from({ length: count }, (_, n) => make(n))

describe('where shots begin', () => {
  it('with the first picture, and at a cut', () => {
    expect(begins([...times(4, () => shown(a)), ...times(4, () => shown(b))])).toEqual([
      [0, 'start'],
      [4, 'cut'],
    ])
  })

  it('through black', () => {
    expect(begins([...times(3, () => shown(a)), ...times(3, () => flat(16)), ...times(3, () => shown(b))])).toEqual([
      [0, 'start'],
      [6, 'fade'],
    ])
    expect(begins([...times(3, () => shown(a)), ...times(3, () => flat(16)), ...times(3, () => shown(a))])).toEqual([
      [0, 'start'],
    ])
  })

  it.each([5, 8, 15])('in a dissolve of %i pictures, once, before it is over', (length) => {
    const dissolve = times(length, (n) => mixed(1 - (n + 1) / (length + 1)))
    const found = begins([...times(6, () => shown(a)), ...dissolve, ...times(6, () => shown(b))])
    expect(found.map(([, how]) => how)).toEqual(['start', 'dissolve'])
    expect(found[1]![0]).toBeGreaterThanOrEqual(6 + length / 2)
    expect(found[1]![0]).toBeLessThanOrEqual(6 + length)
  })

  it('in a dissolve while the camera moves', () => {
    const dissolve = times(8, (n) => mixed(1 - (n + 1) / 9, 2 * n))
    const found = begins([...times(6, () => shown(a)), ...dissolve, ...times(6, () => shown(b))])
    expect(found.map(([, how]) => how)).toEqual(['start', 'dissolve'])
  })

  it.each([12, 40, 100])('not in a pan of %i px a picture', (px) => {
    expect(begins(times(25, (n) => shown(a, n * px)))).toEqual([[0, 'start']])
  })

  it('not in a whip pan from which nothing is left in the next picture, though it begins like a cut', () => {
    const looks = new FrameLooks()
    const at = [0, 0, 0, 0, 400, 800, 1200, 1600, 1600, 1600, 1600]
    const told = at.map((px, n) => {
      looks.see(shown(a, px), n * STEP_MS)
      return looks.tell(null)
    })
    expect(told.map(({ begins }) => begins)).toEqual(['start', null, null, null, 'cut', ...new Array(6).fill(null)])
    expect(told.map(({ shot }) => shot)).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    // The next cut is a shot of its own.
    looks.see(shown(b), 1200)
    expect(looks.tell(null)).toMatchObject({ shot: 2, begins: 'cut' })
  })

  it('not where light comes and goes, or a flash', () => {
    const lit = times(12, (n) => picture((x, y) => Math.min(255, a(x, y) * (0.5 + 0.05 * n))))
    expect(begins([...lit, flat(250), ...lit.toReversed()])).toEqual([[0, 'start']])
  })

  it('and goes on from what was saved as if nothing had happened, in the middle of a dissolve too', () => {
    const pictures = [
      ...times(6, () => shown(a)),
      ...times(8, (n) => mixed(1 - (n + 1) / 9)),
      ...times(5, () => shown(b)),
      ...times(3, () => shown(a)),
    ]
    const whole = begins(pictures)
    expect(whole).toHaveLength(3)
    for (const at of [3, 8, 10, 16]) {
      const first = new FrameLooks()
      const head = begins(pictures.slice(0, at), first)
      expect(first.checkpointable).toBe(true)
      const second = new FrameLooks()
      second.load(JSON.parse(JSON.stringify(first.save())), pictures[at - 1]!)
      expect([...head, ...begins(pictures.slice(at), second, at)]).toEqual(whole)
      expect(second.save()).toMatchObject({ shot: 2, dissolves: 1 })
    }
  })

  it('cannot go on from a picture that shows nothing', () => {
    const looks = new FrameLooks()
    begins([shown(a), flat(16)], looks)
    expect(looks.checkpointable).toBe(false)
  })
})

describe('what a look says', () => {
  const step = (dx: number, dy = 0): KnownMotion => ({
    motion: { dx, dy, flow: Math.hypot(dx, dy), directions: [dx, 0, 0, 0, 0, 0, 0, 0], unexplained: 0 },
    stepMs: STEP_MS,
  })
  const told = (steps: readonly (KnownMotion | null)[]) => {
    const looks = new FrameLooks()
    return steps.map((known, n) => {
      looks.see(shown(a), n * STEP_MS)
      return looks.tell(known)
    })
  }

  it('the first of a shot has no motion, whatever is given', () => {
    expect(told([step(0.1)])[0]).toMatchObject({ shot: 0, begins: 'start', stepMs: 0, flow: 0, shake: 0 })
  })

  it('a steady pan and one that speeds up evenly do not shake; a path that zigzags does, by its size', () => {
    const steady = told([null, ...Array.from({ length: 9 }, () => step(0.01))])
    const speeding = told([null, ...Array.from({ length: 9 }, (_, n) => step(0.01 * n))])
    const zigzag = told([null, ...Array.from({ length: 9 }, (_, n) => step(n % 2 === 0 ? 0.01 : -0.01))])
    expect(Math.max(...steady.map(({ shake }) => shake))).toBeLessThan(1e-12)
    expect(Math.max(...speeding.map(({ shake }) => shake))).toBeLessThan(1e-12)
    // Speeds of ±0.1 a second: the second difference is 0.4.
    expect(zigzag[5]!.shake).toBeCloseTo(0.4 / Math.sqrt(6), 10)
  })

  it('after a loss nothing is made of steps that do not follow one another', () => {
    const looks = told([null, step(0.01), step(0.01), null, step(0.05), step(0.05), step(0.05)])
    expect(looks.map(({ stepMs }) => stepMs)).toEqual([0, 100, 100, 0, 100, 100, 100])
    expect(looks.map(({ shake }) => shake < 1e-12)).toEqual(new Array(7).fill(true))
  })

  it('the light’s change a second', () => {
    const looks = new FrameLooks()
    const seen = [0, 1, 2].map((n) => {
      looks.see(
        picture((x, y) => 0.5 * a(x, y) + 3 * n),
        n * STEP_MS,
      )
      return looks.tell(null).brightness
    })
    expect(seen).toEqual([0, expect.closeTo(30, 0), expect.closeTo(30, 0)])
  })
})
