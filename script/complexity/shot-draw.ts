/**
 * What a synthetic shot is drawn from: all of its figures, from a seed. Pure.
 */
import { type Random, randomOf } from '../../test/support/seeded-random.ts'

/** What a shot is drawn from. Lengths are shares of the diagonal, times seconds. */
export interface ShotDraw {
  seed: number
  speed: number
  /** Changes of direction a second. */
  turns: number
  shake: number
  /** Standard deviation of the lens's blur, px. */
  defocusPx: number
  /** Share of the time between two pictures at 15 a second for which the shutter is open. */
  shutter: number
  /** Of the texture: finest wavelength, px, and contrast, grey levels. */
  grainPx: number
  contrast: number
  /** Share of the background without texture. */
  bare: number
  saturation: number
  /** Grey levels, of a slow wave and from picture to picture. */
  drift: number
  flicker: number
  /** Things in front that stand, and that move by themselves. */
  standing: number
  moving: number
  noise: number
}

const FREE = 0.25

/** One in four of the things that a shot may have is absent: most real shots lack most of them. */
export function drawShot(seed: number): ShotDraw {
  const random = randomOf(seed)
  const some = (low: number, high: number) => (random() < FREE ? 0 : low * (high / low) ** random())
  return {
    seed,
    speed: some(0.01, 0.6),
    turns: some(0.2, 3),
    shake: some(0.0003, 0.008),
    defocusPx: some(0.4, 3),
    shutter: random() * 0.6,
    grainPx: 3 * 8 ** random(),
    contrast: 8 * 8 ** random(),
    bare: random() < 0.5 ? 0 : 0.8 * random(),
    saturation: some(2, 50),
    drift: some(2, 40),
    flicker: some(0.3, 6),
    standing: Math.floor(5 * random()),
    moving: random() < 0.5 ? 0 : Math.floor(8 * random()),
    noise: some(0.5, 5),
  }
}

/** Near enough to a bell of deviation 1. */
export const bell = (random: Random) => 2 * (random() + random() + random() - 1.5)
