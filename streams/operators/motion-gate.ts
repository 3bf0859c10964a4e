/**
 * `motionGate`: while nothing moves, only one frame a second goes on; the rest is skipped(gate) and released.
 * Makes the `motion` events and counts scenes. A frame that carries an event always goes on, so that the log keeps PTS order.
 * Session host only. Deterministic: looks at pixels and PTS alone, not at what later stages found.
 */
import { Observable, type OperatorFunction } from 'rxjs'
import type { FrameInfo } from '../../core/frame.ts'
import { blockMeans } from '../analysis/difference.ts'
import { MotionModel } from '../analysis/motion.ts'
import { SceneCuts } from '../analysis/scene-cut.ts'
import { round } from '../event-draft.ts'
import type { FrameRef } from '../frames/frame-ref.ts'
import type { Gated, GraphEvent, GraphServices } from '../graph-item.ts'

/** How often an idle picture is looked at all the same: a face that stands still from the start is found within it. */
const IDLE_LOOK_MS = 1000

/**
 * The same while only I-frames are decoded: who came in has stirred the packets, or differs from the I-frame before, and a face in
 * one picture makes no track. It shows that the models are still asked.
 */
const RESTING_LOOK_MS = 30_000

/** One pass's motion state; `finish` ends a motion that the end of the input cuts off. */
export class MotionGate {
  readonly #services: GraphServices
  readonly #model: MotionModel
  readonly #cuts = new SceneCuts()
  #scene = 0
  #moving: { key: string; lastMs: number; areaRatio: number } | undefined
  #lastLookMs = Number.NEGATIVE_INFINITY
  #last: FrameInfo | undefined

  constructor(services: GraphServices) {
    this.#services = services
    this.#model = new MotionModel(services.spec.analysis.motion.pixelThreshold)
  }

  /** The gated frame, or `undefined` when it has nothing new to show. */
  look(frame: FrameRef): Gated | undefined {
    const { info } = frame
    const { enabled, minAreaRatio, quietMs } = this.#services.spec.analysis.motion
    const grid = blockMeans(frame.luma)
    const areaRatio = this.#model.step(grid, info.ptsMs)
    if (this.#cuts.step(grid)) this.#scene++
    this.#last = info
    const { activity } = this.#services
    activity.seenAtMs = info.ptsMs
    if (areaRatio >= minAreaRatio) activity.movedAtMs = info.ptsMs
    const events: GraphEvent[] = []
    if (areaRatio >= minAreaRatio) {
      if (!this.#moving) events.push(this.#start(info, areaRatio))
      else this.#moving = { ...this.#moving, lastMs: info.ptsMs, areaRatio }
    } else if (this.#moving && info.ptsMs - this.#moving.lastMs >= quietMs) {
      events.push(this.#end(this.#moving, info))
    }
    activity.moving = this.#moving !== undefined
    const look = info.ptsMs - this.#lastLookMs >= (frame.alone ? RESTING_LOOK_MS : IDLE_LOOK_MS)
    if (enabled && !this.#moving && !look && events.length === 0) return undefined
    this.#lastLookMs = info.ptsMs
    return { frame, areaRatio, scene: this.#scene, events }
  }

  finish(): GraphEvent[] {
    return this.#moving && this.#last ? [this.#end(this.#moving, this.#last)] : []
  }

  #start(info: FrameInfo, areaRatio: number): GraphEvent {
    const key = `${this.#services.spec.epoch}-${info.seq}`
    this.#moving = { key, lastMs: info.ptsMs, areaRatio }
    return motionEvent('start', key, info, areaRatio)
  }

  #end(moving: { key: string; areaRatio: number }, info: FrameInfo): GraphEvent {
    this.#moving = undefined
    return motionEvent('end', moving.key, info, moving.areaRatio)
  }
}

function motionEvent(phase: 'start' | 'end', key: string, info: FrameInfo, areaRatio: number): GraphEvent<'motion'> {
  const { seq, ptsMs, width, height, capturedAtMs } = info
  const data = { phase, areaRatio: round(areaRatio), frame: { seq, ptsMs: round(ptsMs), width, height } }
  return { type: 'motion', key: `${key}/${phase}`, timeMs: capturedAtMs, ptsMs, data }
}

export function motionGate(gate: MotionGate, services: GraphServices): OperatorFunction<FrameRef, Gated> {
  return (source) =>
    new Observable((subscriber) =>
      source.subscribe({
        next(frame) {
          let gated: Gated | undefined
          try {
            gated = services.time('motion', () => gate.look(frame))
          } catch (error) {
            frame.release()
            return subscriber.error(error)
          }
          if (gated) subscriber.next(gated)
          else services.skip(frame, 'gate')
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    )
}
