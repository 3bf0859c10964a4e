/**
 * The Prometheus metrics (names: the public contract). Runs in the daemon; only importer of prom-client.
 * Label values are bounded: a camera's series go when the camera goes, and other labels have so many values (bounded-labels).
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Metric, Registry } from 'prom-client'
import { type BreakerState, type CameraState, cameraStates } from '../../core/event.ts'
import type { LedgerCounts } from '../../core/ledger.ts'
import type { GpuFigures } from '../../models/gpu-figures.ts'
import { BoundedLabels } from './bounded-labels.ts'
import { LoopDelayMonitor } from './loop-delay.ts'

const LATENCY_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10]
const STAGE_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5]
const BATCH_SIZES = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64]

const BREAKER_VALUES = { closed: 0, 'half-open': 1, open: 2 } as const

/** A camera in one of these states has an open source. */
const sessionStates: ReadonlySet<CameraState> = new Set(['live', 'stalled', 'frozen', 'black'])

/** By kind: `known` and `unknown` people. */
type GallerySizes = Record<string, { subjects: number; embeddings: number }>

export class Metrics {
  readonly #registry = new Registry()
  readonly #loop = new LoopDelayMonitor()
  readonly #cameras = new Map<string, CameraState>()
  /** Label sets per camera, so that they can be taken back. */
  readonly #series = new Map<string, Map<string, () => void>>()
  readonly #labels = new BoundedLabels()

  readonly #state = this.#gauge('grabber_camera_state', '1 for the state the camera is in', ['camera_id', 'state'])
  readonly #transitions = this.#counter('grabber_camera_transitions_total', 'Times that the camera entered a state', [
    'camera_id',
    'state',
  ])
  readonly #sessionFailures = this.#counter('grabber_camera_session_failures_total', 'Failed sessions', [
    'camera_id',
    'code',
  ])
  readonly #frameAge = this.#gauge('grabber_camera_last_frame_age_seconds', 'Age of the newest frame', ['camera_id'])
  readonly #share = this.#gauge('grabber_camera_rate_share', 'Share of its rate that the load leaves a camera, 0–1', [
    'camera_id',
  ])
  readonly #captured = this.#counter('grabber_captured_frames_total', 'Frames that left the decoder', ['camera_id'])
  readonly #processed = this.#counter('grabber_processed_frames_total', 'Frames analysed, or skipped by a policy', [
    'camera_id',
    'result',
  ])
  readonly #dropped = this.#counter('grabber_dropped_frames_total', 'Frames dropped', ['camera_id', 'stage', 'reason'])
  readonly #inFlight = this.#gauge('grabber_frames_in_flight', 'Frames captured whose fate is open', ['camera_id'])
  readonly #stages = this.#histogram(
    'grabber_frame_processing_duration_seconds',
    'Time a frame spends in a stage',
    STAGE_SECONDS,
    ['stage'],
  )
  readonly #captureToEvent = this.#histogram(
    'grabber_capture_to_event_seconds',
    'From the light on the sensor to the stored event',
    LATENCY_SECONDS,
  )
  readonly #faces = this.#counter('grabber_faces_detected_total', 'Faces detected', ['camera_id'])
  readonly #damaged = this.#counter(
    'grabber_damaged_pictures_total',
    'Pictures that could not be decoded, or in which parts were concealed',
    ['camera_id'],
  )
  readonly #faceErrors = this.#counter('grabber_face_recognition_errors_total', 'Faces that could not be recognised', [
    'code',
  ])
  readonly #matching = this.#histogram(
    'grabber_visitor_matching_duration_seconds',
    'Time of a gallery look-up',
    STAGE_SECONDS,
  )
  readonly #batchSize = this.#histogram('grabber_inference_batch_size', 'Pictures in a batch', BATCH_SIZES, ['model'])
  readonly #queue = this.#gauge('grabber_inference_queue_depth', 'Requests that wait for the engine')
  readonly #inference = this.#histogram('grabber_inference_duration_seconds', 'Time of a batch', STAGE_SECONDS, [
    'model',
  ])
  readonly #breaker = this.#gauge(
    'grabber_circuit_breaker_state',
    '0 closed, 1 half-open (on probation), 2 open (refuses at once)',
    ['name'],
  )
  readonly #gpuBusy = this.#gauge('grabber_gpu_utilization_percent', 'Share of time with a kernel running', ['gpu_id'])
  readonly #gpuMemory = this.#gauge('grabber_gpu_memory_utilization_percent', 'Share of its memory in use', ['gpu_id'])
  readonly #gpuCelsius = this.#gauge('grabber_gpu_temperature_celsius', 'Temperature', ['gpu_id'])
  readonly #gpuWatts = this.#gauge('grabber_gpu_power_watts', 'Power drawn', ['gpu_id'])
  readonly #restarts = this.#counter('grabber_actor_restarts_total', 'Restarts by a supervisor', ['actor'])
  readonly #outbox = this.#gauge('grabber_bus_outbox_depth', 'Events that wait to be published')

  readonly #dead = this.#counter('grabber_dead_letters_total', 'What could not be processed, by code of the reason', [
    'reason',
  ])
  #gallerySizes: () => GallerySizes = () => ({})

  constructor() {
    const register = this.#registry
    collectDefaultMetrics({ register })
    const cameras = this.#cameras
    new Gauge({
      name: 'grabber_active_camera_sessions',
      help: 'Cameras with an open source',
      registers: [register],
      collect() {
        this.set([...cameras.values()].filter((state) => sessionStates.has(state)).length)
      },
    })
    const people = () => Object.entries(this.#gallerySizes())
    const galleryHelp = { people: 'People in the gallery', embeddings: 'Embeddings that a search compares with' }
    for (const [what, help] of Object.entries(galleryHelp)) {
      new Gauge({
        name: `grabber_gallery_${what}`,
        help,
        labelNames: ['kind'],
        registers: [register],
        collect() {
          for (const [kind, sizes] of people())
            this.set({ kind }, what === 'people' ? sizes.subjects : sizes.embeddings)
        },
      })
    }
    const loop = this.#loop
    new Gauge({
      name: 'grabber_event_loop_delay_seconds',
      help: 'Lateness of the event loop over the last one to two minutes',
      labelNames: ['quantile'],
      registers: [register],
      collect() {
        const { p50Ms, p99Ms, maxMs } = loop.read()
        for (const [quantile, ms] of Object.entries({ 0.5: p50Ms, 0.99: p99Ms, 1: maxMs }))
          this.set({ quantile }, ms / 1000)
      },
    })
  }

  /** The camera enters `state`. */
  cameraState(cameraId: string, state: CameraState): void {
    this.#cameras.set(cameraId, state)
    this.#of(cameraId, this.#transitions, { camera_id: cameraId, state }).inc()
    for (const each of cameraStates) {
      this.#of(cameraId, this.#state, { camera_id: cameraId, state: each }).set(each === state ? 1 : 0)
    }
  }

  sessionFailure(cameraId: string, code: string): void {
    this.#of(cameraId, this.#sessionFailures, { camera_id: cameraId, code: this.#bounded('code', code) }).inc()
  }

  lastFrameAge(cameraId: string, seconds: number): void {
    this.#of(cameraId, this.#frameAge, { camera_id: cameraId }).set(seconds)
  }

  rateShare(cameraId: string, share: number): void {
    this.#of(cameraId, this.#share, { camera_id: cameraId }).set(share)
  }

  /** What was added to the camera's ledger since the last call (ledger-delta). Counters never run back. */
  frames(cameraId: string, delta: LedgerCounts): void {
    const camera_id = cameraId
    this.#of(cameraId, this.#captured, { camera_id }).inc(Math.max(0, delta.captured))
    this.#of(cameraId, this.#processed, { camera_id, result: 'analysed' }).inc(Math.max(0, delta.analysed))
    for (const [policy, n] of Object.entries(delta.skipped)) {
      const result = this.#bounded('result', `skipped_${policy}`)
      this.#of(cameraId, this.#processed, { camera_id, result }).inc(Math.max(0, n))
    }
    for (const [key, n] of Object.entries(delta.dropped)) {
      const [stage, reason] = this.#bounded('drop', key).split('.') as [string, string?]
      this.#of(cameraId, this.#dropped, { camera_id, stage, reason: reason ?? 'other' }).inc(Math.max(0, n))
    }
    this.#of(cameraId, this.#inFlight, { camera_id }).inc(delta.inFlight)
  }

  faces(cameraId: string, found: number): void {
    this.#of(cameraId, this.#faces, { camera_id: cameraId }).inc(found)
  }

  damaged(cameraId: string, pictures: number): void {
    this.#of(cameraId, this.#damaged, { camera_id: cameraId }).inc(pictures)
  }

  faceError(code: string): void {
    this.#faceErrors.labels({ code: this.#bounded('code', code) }).inc()
  }

  stage(stage: string, durationMs: number): void {
    this.#stages.labels({ stage: this.#bounded('stage', stage) }).observe(durationMs / 1000)
  }

  captureToEvent(seconds: number): void {
    this.#captureToEvent.observe(seconds)
  }

  /** Whoever knows how many there are, looked at when the metrics are. */
  gallery(sizes: () => GallerySizes): void {
    this.#gallerySizes = sizes
  }

  matching(seconds: number): void {
    this.#matching.observe(seconds)
  }

  batch(model: string, size: number, durationMs: number): void {
    const labels = { model: this.#bounded('model', model) }
    this.#batchSize.labels(labels).observe(size)
    this.#inference.labels(labels).observe(durationMs / 1000)
  }

  queueDepth(requests: number): void {
    this.#queue.set(requests)
  }

  /** `name` is `bus` or an actor's, such as `engine:cuda-0` or `camera:lobby`; a camera's goes with `remove`. */
  breaker(name: string, state: BreakerState): void {
    this.#ofActor(this.#breaker, 'name', name).set(BREAKER_VALUES[state])
  }

  /** Of all GPUs at once; a figure that is `null`, or a GPU that is gone, has no series. */
  gpus(gpus: readonly GpuFigures[]): void {
    for (const gauge of [this.#gpuBusy, this.#gpuMemory, this.#gpuCelsius, this.#gpuWatts]) gauge.reset()
    for (const gpu of gpus) {
      const labels = { gpu_id: this.#bounded('gpu_id', String(gpu.index)) }
      const { memoryUsedBytes, memoryTotalBytes } = gpu
      const set = (gauge: Gauge, value: number | null) => value !== null && gauge.labels(labels).set(value)
      set(this.#gpuBusy, gpu.utilizationPercent)
      if (memoryUsedBytes !== null && memoryTotalBytes) set(this.#gpuMemory, (100 * memoryUsedBytes) / memoryTotalBytes)
      set(this.#gpuCelsius, gpu.temperatureCelsius)
      set(this.#gpuWatts, gpu.powerWatts)
    }
  }

  /** `actor` is its place in the tree, such as `engine:cpu` or `camera:lobby`; a camera's goes with `remove`. */
  restarts(actor: string): void {
    this.#ofActor(this.#restarts, 'actor', actor).inc()
  }

  outboxDepth(events: number): void {
    this.#outbox.set(events)
  }

  deadLetter(reason: string): void {
    this.#dead.labels({ reason: this.#bounded('dead_reason', reason) }).inc()
  }

  /** Takes back every series of a camera that is gone. */
  remove(cameraId: string): void {
    this.#cameras.delete(cameraId)
    for (const takeBack of this.#series.get(cameraId)?.values() ?? []) takeBack()
    this.#series.delete(cameraId)
  }

  /** Prometheus text format. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  close(): void {
    this.#loop.close()
    this.#registry.clear()
  }

  #ofActor<M extends Counter | Gauge>(metric: M, label: string, actor: string): ReturnType<M['labels']> {
    const cameraId = /^camera:(.+)$/.exec(actor)?.[1]
    if (cameraId !== undefined) return this.#of(cameraId, metric, { [label]: actor })
    return metric.labels({ [label]: this.#bounded('actor', actor) }) as ReturnType<M['labels']>
  }

  #of<M extends Counter | Gauge>(cameraId: string, metric: M, labels: Record<string, string>): ReturnType<M['labels']> {
    let series = this.#series.get(cameraId)
    if (!series) {
      series = new Map()
      this.#series.set(cameraId, series)
    }
    const key = [(metric as Metric & { name: string }).name, ...Object.values(labels)].join('\n')
    if (!series.has(key)) series.set(key, () => metric.remove(labels))
    return metric.labels(labels) as ReturnType<M['labels']>
  }

  #bounded(label: string, value: string): string {
    return this.#labels.of(label, value)
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] })
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] })
  }

  #histogram(name: string, help: string, buckets: number[], labelNames: string[] = []): Histogram {
    return new Histogram({ name, help, buckets, labelNames, registers: [this.#registry] })
  }
}
