/** Demuxer, decoder and the pass over a file, on real recordings. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Clock, systemClock, type Timer } from '../../core/clock.ts'
import { Decoder } from '../../streams/media/decoder.ts'
import { Demuxer } from '../../streams/media/demuxer.ts'
import { silenceNativeLog } from '../../streams/media/native-log.ts'
import { hasStuckCalls } from '../../streams/media/patient-call.ts'
import { analysisSize, PictureScaler } from '../../streams/media/picture-scaler.ts'
import { FilePass, type PassOptions } from '../../streams/sources/file-pass.ts'
import type { Captured } from '../../streams/sources/pass.ts'
import { settle, VirtualClock } from '../unit/virtual-clock.ts'
import { asl, ClipFolder, hasClips, turned } from './support/clips.ts'
import { until } from './support/engine.ts'

const clips = new ClipFolder()
beforeAll(silenceNativeLog)
afterAll(() => clips[Symbol.dispose]())

const passOptions = (path: string, changes: Partial<PassOptions> = {}): PassOptions => ({
  path,
  openTimeoutMs: 10_000,
  tonemap: false,
  threads: 1,
  speed: null,
  room: () => Promise.resolve(),
  signal: new AbortController().signal,
  clock: systemClock,
  loop: 0,
  seqBase: 0,
  ptsBaseMs: 0,
  originMs: 0,
  onDamage: () => undefined,
  onUndecoded: () => undefined,
  ...changes,
})

interface Play {
  pass: FilePass
  infos: Captured['info'][]
  /** How it ended, once it has. */
  ended: 'complete' | { error: unknown } | undefined
  unsubscribe(): void
}

/** Subscribes to the frames and frees each. */
function play(pass: FilePass, onFrame: (captured: Captured) => void = () => undefined): Play {
  const run: Play = { pass, infos: [], ended: undefined, unsubscribe: () => subscription.unsubscribe() }
  const subscription = pass.frames(null).subscribe({
    next(captured) {
      run.infos.push(captured.info)
      onFrame(captured)
      captured.full.free()
    },
    error: (error: unknown) => {
      run.ended = { error }
    },
    complete: () => {
      run.ended = 'complete'
    },
  })
  return run
}

/** Knows whether a frame waits for its pace; the demuxer's own limits are far longer. */
class PaceClock extends VirtualClock {
  #waits = 0

  get waiting(): boolean {
    return this.#waits > 0
  }

  override after(delayMs: number, callback: () => void): Timer {
    if (delayMs > 5000) return super.after(delayMs, callback)
    this.#waits++
    const timer = super.after(delayMs, () => {
      this.#waits--
      callback()
    })
    return {
      cancel: () => {
        this.#waits--
        timer.cancel()
      },
    }
  }
}

/** Every limit passes at once: to it, whatever a thread does takes too long. */
let impatientMs = 0
const impatientClock: Clock = {
  ...systemClock,
  monotonicMs: () => impatientMs,
  after(delayMs, callback) {
    const handle = setImmediate(() => {
      impatientMs += delayMs
      callback()
    })
    return { cancel: () => clearImmediate(handle) }
  },
}

const over = (run: Play) => until('the pass to end', () => run.ended !== undefined)

describe.skipIf(!hasClips)('a pass over a file', () => {
  it('gives every frame in order, and the next pass continues where it ended', async () => {
    const damage: string[] = []
    await using pass = await FilePass.open(
      passOptions(asl('help'), {
        seqBase: 10,
        ptsBaseMs: 1000,
        originMs: 5000,
        onDamage: (_, what) => damage.push(what),
      }),
    )
    const run = play(pass)
    await over(run)
    expect([run.ended, damage]).toEqual(['complete', []])
    expect(run.infos.map(({ seq }) => seq)).toEqual(Array.from({ length: 58 }, (_, i) => 10 + i))
    for (const [i, { ptsMs, capturedAtMs }] of run.infos.entries()) {
      expect(Math.abs(ptsMs - 1000 - (i * 1000) / 30)).toBeLessThan(1)
      expect(capturedAtMs).toBe(5000 + ptsMs)
    }
    expect(pass.next.seqBase).toBe(68)
    expect(pass.next.ptsBaseMs).toBeCloseTo(run.infos.at(-1)!.ptsMs + 1000 / 30, 1)
    expect(pass.stream).toMatchObject({ codec: 'h264', width: 640, height: 480, rotation: 0, decoder: 'software' })
  })

  it('goes at the pace that was asked for, on the clock that it was given', async () => {
    const clock = new PaceClock()
    await using pass = await FilePass.open(passOptions(asl('help'), { speed: 2, clock }))
    const run = play(pass)
    let elapsedMs = 0
    for (;;) {
      await until('a frame that waits', () => clock.waiting || run.ended !== undefined)
      if (run.ended) break
      const shown = run.infos.length
      await clock.advance(5)
      elapsedMs += 5
      for (const { ptsMs } of run.infos.slice(shown)) expect(ptsMs / 2).toBeCloseTo(elapsedMs, -1)
    }
    expect([run.ended, run.infos.length]).toEqual(['complete', 58])
    expect(elapsedMs).toBeGreaterThanOrEqual(run.infos.at(-1)!.ptsMs / 2)
  })

  it('a frame more than a second behind its pace is late', async () => {
    const clock = new PaceClock()
    await using pass = await FilePass.open(passOptions(asl('help'), { speed: 1, clock }))
    const late: boolean[] = []
    const run = play(pass, (captured) => late.push(captured.late))
    await until('the second frame to wait', () => clock.waiting)
    await clock.advance(1500)
    for (;;) {
      await until('a frame that waits', () => clock.waiting || run.ended !== undefined)
      if (run.ended) break
      await clock.advance(5)
    }
    // The clock was at 1.5 s when the third frame was read: what was due before 0.5 s is late.
    const due = run.infos.map(({ ptsMs }) => ptsMs)
    expect(late.slice(2)).toEqual(due.slice(2).map((ptsMs) => ptsMs < 500 - 1e-6))
  })

  it('stops while it waits for room, without giving another frame', async () => {
    let asked = 0
    const room = (signal: AbortSignal) => {
      asked++
      return asked <= 3
        ? Promise.resolve()
        : new Promise<void>((done) => signal.addEventListener('abort', () => done()))
    }
    await using pass = await FilePass.open(passOptions(asl('help'), { room }))
    const run = play(pass)
    await until('the reader to wait', () => asked === 4)
    pass.stop()
    await over(run)
    expect([run.ended, run.infos.length]).toEqual(['complete', 3])
  })

  it('stops while it waits for its pace, and leaves no timer', async () => {
    const clock = new PaceClock()
    const pass = await FilePass.open(passOptions(asl('help'), { speed: 1, clock }))
    const run = play(pass)
    await until('the second frame to wait', () => clock.waiting)
    pass.stop()
    await over(run)
    expect([run.ended, run.infos.length]).toEqual(['complete', 1])
    await pass[Symbol.asyncDispose]()
    expect(clock.pendingTimers).toBe(0)
  })

  it('can be disposed of while it reads: the reader ends first', async () => {
    for (let n = 0; n < 10; n++) {
      const pass = await FilePass.open(passOptions(asl('help'), { threads: 0 }))
      const run = play(pass)
      await until('some frames', () => run.infos.length >= n)
      run.unsubscribe()
      await pass[Symbol.asyncDispose]()
      const shown = run.infos.length
      await settle()
      expect(run.infos.length).toBe(shown)
    }
  })

  it('a decoder that does not return is given up, and what it may still write to is not freed', async () => {
    await using demuxer = await Demuxer.open(asl('help'), { openTimeoutMs: 10_000 })
    using decoder = await Decoder.open(demuxer.stream, { threads: 1, callTimeoutMs: 10_000, clock: impatientClock })
    const decodeAll = async () => {
      for (let more = true; more; ) {
        const { packet } = await demuxer.read()
        for await (const decoded of decoder.decode(packet)) if ('frame' in decoded) decoded.frame.free()
        more = packet !== null
      }
    }
    await expect(decodeAll()).rejects.toMatchObject({ code: 'DEC_HUNG' })
    expect(hasStuckCalls()).toBe(true)
  })

  it('an opening that is cut short fails, however far it had come', async () => {
    for (let turns = 0; turns < 4; turns++) {
      const stop = new AbortController()
      const opening = FilePass.open(passOptions(asl('help'), { signal: stop.signal }))
      const failed = expect(opening).rejects.toMatchObject({ code: expect.stringMatching(/^SRC_/) })
      for (let turn = 0; turn < turns; turn++) await settle()
      stop.abort()
      await failed
    }
  })
})

describe.skipIf(!hasClips)('orientation', () => {
  const upright = () => clips.copied('upright.mp4', asl('help'))

  it.each([90, 180, 270] as const)('a display matrix of %i° turns the picture, and sides swap', async (degrees) => {
    const path = clips.edited(`turned-${degrees}.mp4`, upright(), (bytes) => turned(bytes, degrees))
    await using pass = await FilePass.open(passOptions(path))
    const sides: [number, number][] = []
    const run = play(pass, ({ full }) => sides.push([full.width, full.height]))
    await over(run)
    const expected = degrees === 180 ? [640, 480] : [480, 640]
    expect(pass.stream).toMatchObject({ rotation: degrees, width: expected[0], height: expected[1] })
    expect(new Set(sides.map(String))).toEqual(new Set([String(expected)]))
    expect(run.infos[0]).toMatchObject({ width: expected[0], height: expected[1] })
  })

  it('turned back, the picture is the one it was', async () => {
    const means = async (path: string) => {
      await using pass = await FilePass.open(passOptions(path))
      using scaler = new PictureScaler(analysisSize(pass.stream, 160))
      let first: Uint8Array | undefined
      const run = play(pass, ({ full }) => {
        using small = scaler.small(full)
        const { data, stride, width, height } = small.yuv.luma
        first ??= Uint8Array.from(
          { length: width * height },
          (_, i) => data[Math.floor(i / width) * stride + (i % width)]!,
        )
      })
      await over(run)
      return first!
    }
    const plain = await means(upright())
    const rotated = clips.filtered('stored-turned.mp4', [asl('help')], '[0:v]transpose=cclock[v]')
    const back = await means(clips.edited('back.mp4', rotated, (bytes) => turned(bytes, 90)))
    expect(back.length).toBe(plain.length)
    const difference = plain.reduce((sum, value, i) => sum + Math.abs(value - back[i]!), 0) / plain.length
    expect(difference).toBeLessThan(1)
  })
})

describe.skipIf(!hasClips)('shapes of pictures', () => {
  it('non-square pixels: the stream’s size and the analysis picture are those of the display', async () => {
    const path = clips.filtered('wide.mp4', [asl('help')], '[0:v]scale=360:480,setsar=16/9[v]')
    await using demuxer = await Demuxer.open(path, { openTimeoutMs: 10_000 })
    expect(demuxer.stream.codecpar.width).toBe(360)
    await using pass = await FilePass.open(passOptions(path))
    expect(pass.stream).toMatchObject({ width: 640, height: 480 })
    expect(analysisSize(pass.stream, 320)).toEqual({ width: 320, height: 240 })
  })

  it('never enlarges, keeps sides even and the aspect', () => {
    expect(analysisSize({ width: 1920, height: 1080 }, 640)).toEqual({ width: 640, height: 360 })
    expect(analysisSize({ width: 333, height: 251 }, 640)).toEqual({ width: 332, height: 250 })
    expect(analysisSize({ width: 1080, height: 1920 }, 640)).toEqual({ width: 640, height: 1138 })
  })
})
