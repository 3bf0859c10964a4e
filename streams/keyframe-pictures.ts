/**
 * The pictures of candidates: coded when they are seen, kept or forgotten when that is decided. Session host only.
 * What waits is a coded picture (half a megabyte), never a frame; of frames no more than two are held while they are coded.
 */

import type { FrameRef } from './frames/frame-ref.ts'
import { FullLuma, pixelHash } from './media/full-luma.ts'
import { StillEncoder, type StillFormat } from './media/still-encoder.ts'

export interface KeptPicture {
  /** `null` where pictures are not kept. */
  file: string | null
  width: number
  height: number
  pixelHash: string
}

/** Where a chosen picture goes: its name there, once it is in safe hands; `null` where it was lost and that is borne. */
export type PictureStore = (seq: number, coded: Promise<Buffer>) => Promise<string | null>

const NOTHING = Buffer.alloc(0)

interface HeldPicture extends Omit<KeptPicture, 'file'> {
  coded: Promise<Buffer>
}

export class KeyframePictures implements AsyncDisposable {
  readonly #store: PictureStore | null
  readonly #encoder: StillEncoder
  readonly #luma = new FullLuma()
  readonly #held = new Map<number, HeldPicture>()
  /** Pictures in the encoder, in order. */
  #coding: Promise<unknown> = Promise.resolve()
  #before: Promise<unknown> = Promise.resolve()

  /** Without a store pictures are told apart, and not coded. */
  constructor(format: StillFormat, store: PictureStore | null) {
    this.#encoder = new StillEncoder(format)
    this.#store = store
  }

  /** Takes a lease of its own. Resolves when there is room for another one; the picture may still be in the encoder. */
  async hold(frame: FrameRef): Promise<void> {
    const { width, height, seq } = frame.info
    const hash = pixelHash(this.#luma.of(frame.full))
    const coded = this.#store ? this.#code(frame) : Promise.resolve(NOTHING)
    // Whoever keeps it hears of a failure; one that is forgotten is nobody's business.
    coded.catch(() => undefined)
    this.#held.set(seq, { width, height, pixelHash: hash, coded })
    await this.#before
  }

  /** Errors: DEC_FAILED, and those of the store. */
  async keep(seq: number): Promise<KeptPicture> {
    const held = this.#held.get(seq)
    if (!held) throw new Error(`the picture of frame ${seq} was kept and never held`)
    this.#held.delete(seq)
    const { coded, ...picture } = held
    return { ...picture, file: this.#store && (await this.#store(seq, coded)) }
  }

  forget(seq: number): void {
    this.#held.delete(seq)
  }

  /** Waits for what is in the encoder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#held.clear()
    await this.#encoder[Symbol.asyncDispose]()
    this.#luma[Symbol.dispose]()
  }

  #code(frame: FrameRef): Promise<Buffer> {
    const { full } = frame.retain()
    const coded = this.#encoder.encode(full).finally(() => frame.release())
    this.#before = this.#coding
    this.#coding = coded.catch(() => undefined)
    return coded
  }
}
