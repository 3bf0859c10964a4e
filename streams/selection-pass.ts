/**
 * Selection over one pass of a session: its branch of the graph, where its pictures go, and the checkpoints inside an extraction's
 * pass. Session host only.
 *
 * A checkpoint is made between two frames: the last frame that was captured is a candidate, everything in flight has its verdict, and
 * the selector holds nothing. The counts that go with it are then those of exactly the frames up to it.
 */
import type { Clock } from '../core/clock.ts'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import type { Size } from '../core/geometry.ts'
import type { KeyframeSpec, SelectionCheckpoint } from '../core/wire/session-spec.ts'
import type { Selection } from './camera-graph.ts'
import { ImageFolder } from './image-folder.ts'
import { KeyframeBranch, type SelectionPoint } from './keyframe-branch.ts'
import type { PictureStore } from './keyframe-pictures.ts'
import type { SessionLink } from './session-link.ts'
import type { SessionServices } from './session-services.ts'

/** Between two checkpoints, at least; what is done again after a death. */
const CHECKPOINT_MS = 2000
/** Smaller pictures have too little to follow. */
const LEAST_SIZE: Size = { width: 64, height: 36 }

export interface SelectionPassOptions {
  spec: KeyframeSpec
  services: SessionServices
  link: SessionLink
  clock: Clock
  /** Of the analysis picture. */
  size: Size
  /** `null` begins with the first frame. */
  from: SelectionCheckpoint | null
  concludes(): boolean
}

export class SelectionPass implements Selection, AsyncDisposable {
  readonly branch: KeyframeBranch
  readonly afterMs: number | null
  readonly concludes: () => boolean
  readonly #options: SelectionPassOptions
  #pointedMs: number

  /** Throws SRC_UNSUPPORTED when the pictures are too small. */
  constructor(options: SelectionPassOptions) {
    const { spec, size, services, link, clock, from } = options
    if (size.width < LEAST_SIZE.width || size.height < LEAST_SIZE.height) {
      const what = `its pictures are too small for keyframes: ${size.width}×${size.height} px of at least 64×36`
      throw new GrabberError('SRC_UNSUPPORTED', what)
    }
    this.#options = options
    this.#pointedMs = clock.monotonicMs()
    this.afterMs = from?.ptsMs ?? null
    this.concludes = options.concludes
    const told = spec.imagesDir !== null
    this.branch = new KeyframeBranch(spec, size, {
      epoch: services.spec.epoch,
      time: (stage, work) => services.time(stage, work),
      timeAsync: (stage, work) => services.timeAsync(stage, work),
      store: pictureStore(spec, services),
      tell: async (records) => (told ? link.select(records) : undefined),
      wantsPoint: () => services.lossless && told && this.#isDue,
    })
  }

  /** Before the next frame is captured: the point to go on from, if there is one. */
  async point(signal: AbortSignal): Promise<SelectionPoint | null> {
    const { branch } = this
    const { services, link, clock } = this.#options
    if (!this.#isDue || branch.entered !== services.lastSeq || !branch.mayPoint) return null
    await services.calm(0, signal)
    const { point } = branch
    if (signal.aborted || !point) return null
    await link.flushRecords()
    this.#pointedMs = clock.monotonicMs()
    return point
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.branch[Symbol.asyncDispose]()
  }

  get #isDue(): boolean {
    return this.#options.clock.monotonicMs() - this.#pointedMs >= (this.#options.spec.checkpointMs ?? CHECKPOINT_MS)
  }
}

/** An extraction must not lose a picture; a camera says that it could not keep one, and goes on. */
function pictureStore(spec: KeyframeSpec, services: SessionServices): PictureStore | null {
  const { imagesDir, format } = spec
  if (imagesDir !== null) {
    const folder = new ImageFolder(imagesDir)
    return async (seq, coded) => {
      const name = `${String(seq).padStart(8, '0')}.${format}`
      await folder.write(name, await coded)
      return name
    }
  }
  if (services.spec.picturesDir === null) return null
  return async (seq, coded) => {
    try {
      return services.keepFile(`keyframe-${services.spec.epoch}-${seq}.${format}`, await coded) ?? null
    } catch (error) {
      services.complain(toGrabberError(error))
      return null
    }
  }
}
