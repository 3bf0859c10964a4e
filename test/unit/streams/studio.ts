/**
 * A session's services without a host: real ledger, leases and link, pictures made of numbers, an engine under control.
 * Test support.
 */
import { type Observable, Subject } from 'rxjs'
import type { LumaView, YuvView } from '../../../core/frame.ts'
import { imbalance } from '../../../core/ledger.ts'
import type { InferenceEngine, InferResult } from '../../../core/ports.ts'
import type { FromSession } from '../../../core/wire/control.ts'
import type { FacesSpec, FileSource, SessionSpec } from '../../../core/wire/session-spec.ts'
import type { FrameRef } from '../../../streams/frames/frame-ref.ts'
import type { NativeFrame } from '../../../streams/media/native-frame.ts'
import type { PictureScaler } from '../../../streams/media/picture-scaler.ts'
import { SessionLink } from '../../../streams/session-link.ts'
import { SessionServices } from '../../../streams/session-services.ts'
import type { Captured } from '../../../streams/sources/pass.ts'
import { settle, VirtualClock } from '../virtual-clock.ts'

export const facesSpec: FacesSpec = {
  detector: 'detector',
  embedder: 'embedder',
  detectThreshold: 0.7,
  matchThreshold: 0.5,
  minMargin: 0.05,
  maxPerFrame: 10,
  confirmEmbeddings: 3,
  unknown: 'forget',
  liveness: null,
  template: [
    [0.3, 0.4],
    [0.7, 0.4],
    [0.5, 0.6],
    [0.35, 0.8],
    [0.65, 0.8],
  ],
  cropPx: 112,
}

const spec: SessionSpec<FileSource> = {
  node: 'test',
  camera: 'cam',
  priority: 1,
  epoch: 'e',
  originMs: 0,
  source: { kind: 'file', path: 'clip', passes: 1, speed: null, overflow: 'wait', from: null },
  decode: { gating: false, hardware: 'off', tonemap: false },
  keyframes: null,
  picture: { frozenMs: 30_000, blackMs: 10_000 },
  analysis: {
    fps: null,
    widthPx: 64,
    motion: { enabled: false, minAreaRatio: 0.01, pixelThreshold: 18, quietMs: 2000 },
  },
  faces: null,
  picturesDir: null,
  openTimeoutMs: 1000,
  askDeadlineMs: 1000,
}

export interface StudioOptions {
  overflow?: 'wait' | 'drop-oldest'
  faces?: boolean
  analysis?: Partial<SessionSpec['analysis']>
}

/** Answers when told to; counts what it is asked. */
export class HandEngine implements InferenceEngine {
  readonly asked: { model: string; answer(rows?: number[][]): void; fail(error: unknown): void }[] = []

  infer(model: string): Promise<InferResult> {
    const { promise, resolve, reject } = Promise.withResolvers<InferResult>()
    const answer = (rows: number[][] = []) =>
      resolve({ rows: rows.length, columns: rows[0]?.length ?? 15, data: Float32Array.from(rows.flat()) })
    this.asked.push({ model, answer, fail: reject })
    return promise
  }

  /** Answers what is open and what follows from it, until nothing more is asked. */
  async answerAll(rows: (model: string) => number[][] = () => []): Promise<void> {
    await settle()
    for (let ask = this.asked.shift(); ask; ask = this.asked.shift()) {
      ask.answer(rows(ask.model))
      await settle()
    }
  }
}

export class Studio {
  readonly clock = new VirtualClock()
  readonly posted: FromSession[] = []
  readonly engine = new HandEngine()
  readonly spec: SessionSpec<FileSource>
  readonly link: SessionLink
  readonly services: SessionServices
  readonly #scaler: PictureScaler
  #lumaOf = new Map<NativeFrame, LumaView>()
  #seq = 0

  constructor({ overflow = 'wait', faces = false, analysis = {} }: StudioOptions = {}) {
    this.spec = {
      ...spec,
      source: { ...spec.source, overflow },
      analysis: { ...spec.analysis, ...analysis },
      faces: faces ? facesSpec : null,
    }
    this.link = new SessionLink(1, this.clock, (message) => this.posted.push(message))
    this.services = new SessionServices(this.spec, this.link, this.engine, this.clock)
    const scaler = {
      size: { width: 64, height: 64 },
      small: (full: NativeFrame) => ({ yuv: grey(this.#lumaOf.get(full)!), [Symbol.dispose]: () => undefined }),
      rgb: () => ({ width: 64, height: 64, data: new Uint8Array(3 * 64 * 64) }),
    }
    this.#scaler = scaler as unknown as PictureScaler
  }

  /** A captured frame that shows `luma`; grey when absent. */
  frame(ptsMs: number, luma: LumaView = plain(100), late = false, key = false): FrameRef | undefined {
    // Of a format that no filter takes: whoever cuts a region out of it fails.
    const shape = { width: 640, height: 640, format: -1, sampleAspectRatio: { num: 1, den: 1 } }
    const full = { ...shape, free: () => this.#lumaOf.delete(full) } as unknown as NativeFrame
    this.#lumaOf.set(full, luma)
    const info = { seq: this.#seq++, ptsMs, loop: 0, capturedAtMs: ptsMs, width: 640, height: 640 }
    const captured: Captured = { info, full, late, origin: { key, alone: false, passedKeys: 0 } }
    return this.services.capture(captured, this.#scaler)
  }

  get ledger() {
    const { ledger } = this.services.progress({ received: 0, gate: 'off', driftPpm: null, damaged: 0 })
    if (imbalance(ledger) !== 0) throw new Error(`the ledger does not balance: ${JSON.stringify(ledger)}`)
    return ledger
  }

  get leases(): number {
    return this.services.progress({ received: 0, gate: 'off', driftPpm: null, damaged: 0 }).leases
  }

  /** Native frames that are not freed. */
  get unfreed(): number {
    return this.#lumaOf.size
  }
}

/** Collects what a part of the graph gives for frames that the test pushes. */
export class Run<T> {
  readonly out: T[] = []
  readonly frames = new Subject<FrameRef>()
  ended: 'complete' | { error: unknown } | undefined
  readonly #subscription

  constructor(build: (frames: Observable<FrameRef>) => Observable<T>) {
    this.#subscription = build(this.frames).subscribe({
      next: (value) => this.out.push(value),
      error: (error: unknown) => {
        this.ended = { error }
      },
      complete: () => {
        this.ended = 'complete'
      },
    })
  }

  unsubscribe(): void {
    this.#subscription.unsubscribe()
  }
}

export function plain(value: number, width = 64, height = 64): LumaView {
  return { width, height, stride: width, data: new Uint8Array(width * height).fill(value) }
}

/** Blocks of 8 px, each of its own grey: one scene for one seed. */
export function patchwork(seed: number, side = 64): LumaView {
  const luma = plain(0, side, side)
  for (const index of luma.data.keys()) {
    const [x, y] = [(index % side) >> 3, Math.floor(index / side) >> 3]
    luma.data[index] = 40 + (Math.imul(seed * 64 + y * 8 + x + 1, 2654435761) >>> 25)
  }
  return luma
}

/** Without colour. */
function grey(luma: LumaView): YuvView {
  const plane = new Uint8Array((luma.width / 2) * (luma.height / 2)).fill(128)
  return { luma, chroma: { cb: plane, cr: plane, stride: luma.width / 2 } }
}

/** A row as the detector gives it: score, box, landmarks. Its eyes are `eyesPx` apart; 0 is a face not worth a crop. */
export function faceRow(x: number, y: number, side = 20, eyesPx = 0): number[] {
  const [cx, cy] = [x + side / 2, y + side / 2]
  const landmarks = [cx - eyesPx / 2, cy, cx + eyesPx / 2, cy, cx, cy + 3, cx - 2, cy + 6, cx + 2, cy + 6]
  return [x, y, side, side, 0.9, ...landmarks]
}
