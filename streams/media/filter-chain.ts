/**
 * A chain of FFmpeg filters over one frame at a time: turning upright, cutting out a region. Session host only.
 * A filter graph instead of arithmetic on planes, because it is right for every pixel format and colour matrix.
 */
import { Filter, type FilterContext, FilterGraph, Frame } from 'node-av'
import { AV_BUFFERSRC_FLAG_KEEP_REF } from 'node-av/constants'
import { GrabberError } from '../../core/errors.ts'
import { expectStatus } from './ffmpeg-status.ts'

export type FilterStep = readonly [name: string, args: string]

export class FilterChain implements Disposable {
  #graph = new FilterGraph()
  #source: FilterContext
  #sink: FilterContext
  readonly #signature: string

  /** Built for frames of the shape of `like`. Errors: DEC_FAILED. */
  constructor(like: Frame, steps: readonly FilterStep[]) {
    this.#signature = signatureOf(like)
    this.#graph.alloc()
    this.#graph.nbThreads = 1
    try {
      this.#source = this.#create('buffer', bufferArgs(like))
      let last = this.#source
      for (const [name, args] of steps) last = this.#link(last, this.#create(name, args))
      this.#sink = this.#link(last, this.#create('buffersink', null))
      expectStatus(this.#graph.configSync(), 'DEC_FAILED', 'the filter chain cannot be configured')
    } catch (error) {
      this.#graph.free()
      throw error
    }
  }

  fits(frame: Frame): boolean {
    return this.#signature === signatureOf(frame)
  }

  /** A new frame that the caller frees; `frame` is left as it was. */
  run(frame: Frame): Frame {
    const status = this.#source.buffersrcAddFrameSync(frame, AV_BUFFERSRC_FLAG_KEEP_REF)
    expectStatus(status, 'DEC_FAILED', 'the filter chain does not take the frame')
    const out = new Frame()
    out.alloc()
    const taken = this.#sink.buffersinkGetFrameSync(out)
    if (taken < 0) out.free()
    expectStatus(taken, 'DEC_FAILED', 'the filter chain gives no frame')
    return out
  }

  [Symbol.dispose](): void {
    this.#graph.free()
  }

  #create(name: string, args: string | null): FilterContext {
    const filter = Filter.getByName(name)
    try {
      const context = filter && this.#graph.createFilter(filter, `${name}${this.#graph.nbFilters}`, args)
      if (context) return context
    } catch (cause) {
      // node-av throws a plain Error for arguments that the filter refuses.
      throw new GrabberError('DEC_FAILED', `filter ${name} does not take this picture`, { cause })
    }
    throw new GrabberError('DEC_FAILED', `there is no filter ${name}`)
  }

  #link(from: FilterContext, to: FilterContext): FilterContext {
    expectStatus(from.link(0, to, 0), 'DEC_FAILED', 'filters cannot be linked')
    return to
  }
}

function bufferArgs(frame: Frame): string {
  const { num, den } = frame.sampleAspectRatio
  return [
    `video_size=${frame.width}x${frame.height}`,
    `pix_fmt=${frame.format}`,
    'time_base=1/1000',
    `pixel_aspect=${num > 0 ? `${num}/${den}` : '1/1'}`,
    `colorspace=${frame.colorSpace}`,
    `range=${frame.colorRange}`,
  ].join(':')
}

const signatureOf = (frame: Frame) => bufferArgs(frame)
