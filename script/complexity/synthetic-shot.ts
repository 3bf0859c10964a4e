/**
 * Synthetic shots for the training of the complexity forecast: a textured background, things in front of it that stand (parallax) or move
 * by themselves, and a camera that moves, shakes, is out of focus, and meters the light. Pure; everything follows from a seed.
 */
import type { YuvView } from '../../core/frame.ts'
import { type Random, randomOf } from '../../test/support/seeded-random.ts'
import { bell, type ShotDraw } from './shot-draw.ts'
import { blur, disc, fill, GRAIN, grain, HEIGHT, texture, WIDTH } from './synthetic-pixels.ts'

const DIAGONAL = Math.hypot(WIDTH, HEIGHT)

interface Thing {
  x: number
  y: number
  radius: number
  /** Of the camera's motion: nearer things move more. */
  nearness: number
  vx: number
  vy: number
  salt: number
}

export class SyntheticShot {
  readonly #draw: ShotDraw
  readonly #tile: Float32Array
  readonly #things: Thing[]
  readonly #path: { x: number; y: number }[] = []
  readonly #grain: Float32Array
  readonly #grainAt: Random
  readonly #stepMs: number
  readonly #luma = new Float32Array(WIDTH * HEIGHT)
  readonly #scratch = new Float32Array(WIDTH * HEIGHT)
  readonly #flickers: number[]

  /** Pictures `fps` a second for `seconds`. */
  constructor(draw: ShotDraw, fps: number, seconds: number) {
    this.#draw = draw
    this.#stepMs = 1000 / fps
    this.#tile = texture(draw)
    this.#things = things(draw)
    this.#grain = grain(draw)
    this.#grainAt = randomOf(draw.seed + 8)
    this.#walk(seconds)
    const flicker = randomOf(draw.seed + 11)
    this.#flickers = Array.from({ length: Math.ceil(seconds * 60) + 2 }, () => draw.flicker * bell(flicker))
  }

  /** Valid until the next. */
  picture(n: number): { yuv: YuvView; ptsMs: number } {
    const { shutter, defocusPx, drift } = this.#draw
    const ptsMs = n * this.#stepMs
    const openMs = (1000 / 15) * shutter
    const moved = this.#distance(ptsMs, ptsMs + openMs)
    const views = Math.max(1, Math.min(8, Math.ceil(moved / 1.5)))
    this.#luma.fill(0)
    for (let view = 0; view < views; view++) this.#add(ptsMs + (openMs * view) / views, 1 / views)
    if (defocusPx > 0.3) blur(this.#luma, this.#scratch, defocusPx)
    const light = drift * Math.sin(0.002 * ptsMs) + this.#flickers[Math.round((ptsMs * 60) / 1000)]!
    const data = new Uint8Array(WIDTH * HEIGHT)
    const from = Math.floor(this.#grainAt() * (GRAIN - data.length))
    for (let at = 0; at < data.length; at++) {
      const value = this.#luma[at]! + light + this.#grain[from + at]!
      data[at] = value < 0 ? 0 : value > 255 ? 255 : value + 0.5
    }
    return { yuv: { luma: { data, width: WIDTH, height: HEIGHT, stride: WIDTH }, chroma: this.#chroma(ptsMs) }, ptsMs }
  }

  #walk(seconds: number): void {
    const { seed, speed, turns, shake } = this.#draw
    const random = randomOf(seed + 3)
    let heading = 2 * Math.PI * random()
    let [x, y, sx, sy] = [0, 0, 0, 0]
    for (let tick = 0; tick <= seconds * 60 + 10; tick++) {
      if (random() < turns / 60) heading += (random() - 0.5) * 2 * Math.PI
      x += (Math.cos(heading) * speed * DIAGONAL) / 60
      y += (Math.sin(heading) * speed * DIAGONAL) / 60
      // A hand trembles at some 5 Hz: noise of which the steps are remembered for 50 ms.
      sx = 0.7 * sx + 0.7 * shake * DIAGONAL * bell(random)
      sy = 0.7 * sy + 0.7 * shake * DIAGONAL * bell(random)
      this.#path.push({ x: x + sx, y: y + sy })
    }
  }

  #at(ms: number): { x: number; y: number } {
    const tick = (ms * 60) / 1000
    const [from, to] = [this.#path[Math.floor(tick)]!, this.#path[Math.floor(tick) + 1]!]
    const share = tick - Math.floor(tick)
    return { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) }
  }

  #distance(fromMs: number, toMs: number): number {
    const [a, b] = [this.#at(fromMs), this.#at(toMs)]
    return Math.hypot(b.x - a.x, b.y - a.y)
  }

  #add(ms: number, share: number): void {
    const camera = this.#at(ms)
    fill(this.#luma, this.#tile, camera.x, camera.y, share)
    for (const { x, y, radius, nearness, vx, vy, salt } of this.#things) {
      const left = wrap(x + (vx * ms) / 1000 - nearness * camera.x, WIDTH + 2 * radius) - radius
      const top = wrap(y + (vy * ms) / 1000 - nearness * camera.y, HEIGHT + 2 * radius) - radius
      disc(this.#luma, this.#tile, camera, left, top, radius, salt, share)
    }
  }

  /** Smooth colours that move with the background. */
  #chroma(ms: number): YuvView['chroma'] {
    const [width, height] = [WIDTH / 2, HEIGHT / 2]
    const { saturation } = this.#draw
    const { x: cx, y: cy } = this.#at(ms)
    const [cb, cr] = [new Uint8Array(width * height), new Uint8Array(width * height)]
    // sin(u + 0.6 v) and cos(0.8 u − v), by the rules of addition: a few sines a row instead of one a pixel.
    const columns = Array.from({ length: width }, (_, x) => (2 * x + cx) / 90)
    const [sinB, cosB] = [columns.map((u) => Math.sin(u)), columns.map((u) => Math.cos(u))]
    const [sinR, cosR] = [columns.map((u) => Math.sin(0.8 * u)), columns.map((u) => Math.cos(0.8 * u))]
    for (let y = 0, at = 0; y < height; y++) {
      const v = (2 * y + cy) / 70
      const [sb, kb, sr, kr] = [Math.sin(0.6 * v), Math.cos(0.6 * v), Math.sin(v), Math.cos(v)]
      for (let x = 0; x < width; x++, at++) {
        cb[at] = 128.5 + saturation * (sinB[x]! * kb + cosB[x]! * sb)
        cr[at] = 128.5 + saturation * (cosR[x]! * kr + sinR[x]! * sr)
      }
    }
    return { cb, cr, stride: width }
  }
}

function things({ seed, standing, moving }: ShotDraw): Thing[] {
  const random = randomOf(seed + 2)
  return Array.from({ length: standing + moving }, (_, n) => {
    const speed = n < standing ? 0 : DIAGONAL * 0.02 * 15 ** random()
    const heading = 2 * Math.PI * random()
    return {
      x: WIDTH * random(),
      y: HEIGHT * random(),
      radius: 15 + 60 * random(),
      nearness: n < standing ? 1.1 + 0.9 * random() : 1,
      vx: speed * Math.cos(heading),
      vy: speed * Math.sin(heading),
      salt: 40 * (n + 1),
    }
  })
}

const wrap = (value: number, period: number) => ((value % period) + period) % period
