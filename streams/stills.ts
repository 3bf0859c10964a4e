/**
 * Stills: pictures (and moments of videos) through the same decoder, detector, cutter and embedder as a camera's frames.
 * Session host only. One file after the other; a file that fails is answered as such and the next one goes on.
 */

import type { Clock } from '../core/clock.ts'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import { type Size, scaleBox } from '../core/geometry.ts'
import type { DetectedFace } from '../core/observation.ts'
import type { InferenceEngine } from '../core/ports.ts'
import type { StillFace } from '../core/wire/control.ts'
import type { StillsSpec } from '../core/wire/session-spec.ts'
import { facesFromResult } from '../models/yunet.ts'
import { cropQuality } from './analysis/crop-quality.ts'
import { faceQuality } from './analysis/face-quality.ts'
import { livenessLimits, livenessOfLook } from './analysis/liveness.ts'
import { judgeLiveness } from './judge-liveness.ts'
import { livenessCrops } from './liveness-crops.ts'
import { Decoder } from './media/decoder.ts'
import { Demuxer } from './media/demuxer.ts'
import { frameMirrored, frameRotation } from './media/frame-rotation.ts'
import type { NativeFrame } from './media/native-frame.ts'
import { analysisSize, PictureScaler } from './media/picture-scaler.ts'
import { Upright } from './media/upright.ts'
import { Moments } from './moments.ts'
import { alignedCrop } from './operators/track.ts'
import type { SessionLink } from './session-link.ts'

/** Longer side of the picture that the detector sees; group photographs need more than a camera's 640. */
const DETECT_SIDE_PX = 1280

export class Stills {
  readonly #spec: StillsSpec
  readonly #link: SessionLink
  readonly #engine: InferenceEngine
  readonly #clock: Clock

  constructor(spec: StillsSpec, link: SessionLink, engine: InferenceEngine, clock: Clock) {
    this.#spec = spec
    this.#link = link
    this.#engine = engine
    this.#clock = clock
  }

  /** Answers every file. Rejects only when the engine is lost. */
  async run(): Promise<void> {
    for (const [index, file] of this.#spec.files.entries()) {
      try {
        await this.#answer(index, file)
      } catch (error) {
        const coded = toGrabberError(error)
        if (coded.code === 'ENG_UNAVAILABLE' || coded.code === 'ACT_DEFECT') throw error
        this.#link.send({ type: 'still.failed', index, file, error: coded.toJSON() })
      }
    }
    this.#link.send({ type: 'stills.ended' })
  }

  async #answer(index: number, file: string): Promise<void> {
    const { openTimeoutMs } = this.#spec
    const clock = this.#clock
    await using demuxer = await Demuxer.open(file, { openTimeoutMs, clock })
    using decoder = await Decoder.open(demuxer.stream, { threads: 1, callTimeoutMs: openTimeoutMs, clock })
    let answered = 0
    for await (const frame of this.#moments(demuxer, decoder)) {
      using upright = new Upright(demuxer.rotation || frameRotation(frame), frameMirrored(frame))
      using full = upright.turn(frame)
      const faces = await this.#look(full)
      this.#link.send({ type: 'still', index, file, width: full.width, height: full.height, faces })
      answered++
    }
    if (answered === 0)
      throw new GrabberError('DEC_FAILED', 'not one picture could be decoded', {
        remedy: 'it is damaged; check it with ffprobe',
      })
  }

  /**
   * The frames to look at: the first of a picture, up to `maxFrames` spread over a video; the last one when none was due
   * (a picture's duration is what its demuxer makes up). The receiver frees them.
   */
  async *#moments(demuxer: Demuxer, decoder: Decoder): AsyncGenerator<NativeFrame> {
    const moments = new Moments(this.#spec.maxFrames, demuxer.durationMs ?? 0)
    let last: NativeFrame | undefined
    try {
      for (let more = true; more && !moments.complete; ) {
        const { packet } = await demuxer.read()
        more = packet !== null
        for await (const decoded of decoder.decode(packet)) {
          if ('damage' in decoded) continue
          last?.free()
          last = decoded.frame
          if (!moments.take((decoded.ptsMs ?? 0) - demuxer.startMs)) continue
          last = undefined
          yield decoded.frame
        }
      }
      if (moments.taken > 0 || !last) return
      const only = last
      last = undefined
      yield only
    } finally {
      last?.free()
    }
  }

  async #look(full: NativeFrame): Promise<StillFace[]> {
    const factor = Math.min(1, DETECT_SIDE_PX / Math.max(full.width, full.height))
    const { width, height } = analysisSize(full, Math.round(full.width * factor))
    // A strip one px wide would become thousands high, since no side is made less than the detector's 32.
    const size = { width, height: Math.min(height, DETECT_SIDE_PX) }
    const { detector, detectThreshold, maxPerFrame } = this.#spec.faces
    using scaler = new PictureScaler(size)
    using small = scaler.small(full)
    const params = { scoreThreshold: detectThreshold, nmsThreshold: 0.3, topK: maxPerFrame }
    const found = facesFromResult(await this.#engine.infer(detector, scaler.rgb(small), params))
    return Promise.all(found.map((face) => this.#describe(face, full, size)))
  }

  async #describe(face: DetectedFace, full: NativeFrame, size: Size): Promise<StillFace> {
    const sx = full.width / size.width
    const sy = full.height / size.height
    const { x, y, width, height } = face.box
    const still: StillFace = {
      box: [x * sx, y * sy, width * sx, height * sy],
      score: face.score,
      landmarks: face.landmarks.map((p) => [p.x * sx, p.y * sy] as const),
      quality: faceQuality(face, sx),
    }
    const crop = this.#spec.embed ? alignedCrop({ full }, face.landmarks, size, this.#spec.faces) : undefined
    const models = this.#spec.faces.liveness?.models ?? []
    const crops = livenessCrops(full, scaleBox(face.box, sx, sy), models)
    const [embedded, live] = await Promise.all([
      crop && this.#engine.infer(this.#spec.faces.embedder, crop, {}),
      crops && judgeLiveness(this.#engine, models, crops),
    ])
    return {
      ...still,
      ...(embedded ? { embedding: embedded.data } : {}),
      ...(crop ? { crop: cropQuality(crop) } : {}),
      ...(models.length > 0 ? { liveness: livenessOfLook(live, livenessLimits(models)) } : {}),
    }
  }
}
