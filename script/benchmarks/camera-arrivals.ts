/**
 * What a subscriber sees of the cameras of a benchmark, with the moment at which it came. Runs in the benchmark's process.
 * Keeps figures only; no event is kept whole.
 */
import { systemClock } from '../../core/clock.ts'
import type { EventData } from '../../core/event.ts'
import { fromMessage } from '../../src/bus/event-message.ts'
import { NatsLink } from '../../src/bus/nats-link.ts'
import { parseNatsUrl } from '../../src/bus/nats-url.ts'

/** One event about a picture. */
export interface Sighting {
  camera: string
  type: 'motion' | 'face.track' | 'keyframe' | 'boxes'
  phase: string
  /** Of the picture, in its session. */
  ptsMs: number
  /** Wall clock, ms. */
  arrivedAtMs: number
  /** Of a keyframe: name in the folder of pictures. */
  file?: string
}

export interface StateChange extends EventData<'camera.state'> {
  camera: string
  arrivedAtMs: number
}

/** Wall clock with the resolution of the monotonic one, ms. */
export const wallMs = () => performance.timeOrigin + performance.now()

export class CameraArrivals implements AsyncDisposable {
  readonly sightings: Sighting[] = []
  readonly states: StateChange[] = []
  readonly #link: NatsLink

  private constructor(link: NatsLink) {
    this.#link = link
  }

  static async subscribe(natsUrl: string, node: string): Promise<CameraArrivals> {
    const link = await NatsLink.connect(parseNatsUrl(natsUrl), 'grabber bench')
    const arrivals = new CameraArrivals(link)
    link.lost.catch(() => undefined)
    const ended = () => undefined
    link.subscribe(`grabber.${node}.events.>`, (message) => arrivals.#take(message), ended)
    link.subscribe(`grabber.${node}.live.*.boxes`, (message) => arrivals.#takeBoxes(message), ended)
    await link.flush()
    return arrivals
  }

  /** Wakes a camera's gate and has it keep a picture. */
  askKeyframe(node: string, camera: string): void {
    const data = Buffer.from(JSON.stringify({ reason: 'bench', keyframe: true, seconds: 1 }))
    this.#link.publish({ subject: `grabber.${node}.trigger.${camera}`, headers: {}, data })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link.close(systemClock)
  }

  #take(message: Parameters<typeof fromMessage>[0]): void {
    const arrivedAtMs = wallMs()
    const event = fromMessage(message)
    if (event === undefined) return
    const { type, subject: camera } = event
    if (type === 'camera.state') this.states.push({ ...(event.data as EventData<'camera.state'>), camera, arrivedAtMs })
    else if (type === 'motion' || type === 'face.track') {
      const { phase, frame } = event.data as EventData<'motion' | 'face.track'>
      this.sightings.push({ camera, type, phase, ptsMs: frame.ptsMs, arrivedAtMs })
    } else if (type === 'keyframe') {
      const { frame, file } = event.data as EventData<'keyframe'>
      this.sightings.push({ camera, type, phase: 'kept', ptsMs: frame.ptsMs, arrivedAtMs, ...(file && { file }) })
    }
  }

  #takeBoxes({ subject, data }: { subject: string; data: Uint8Array }): void {
    const arrivedAtMs = wallMs()
    const { ptsMs } = JSON.parse(Buffer.from(data).toString()) as { ptsMs: number }
    this.sightings.push({ camera: subject.split('.')[3]!, type: 'boxes', phase: 'analysed', ptsMs, arrivedAtMs })
  }
}
