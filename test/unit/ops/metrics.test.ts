import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { emptyLedger, type LedgerCounts } from '../../../core/ledger.ts'
import type { GpuFigures } from '../../../models/gpu-figures.ts'
import { ledgerDelta } from '../../../src/ops/ledger-delta.ts'
import { Metrics } from '../../../src/ops/metrics.ts'

let metrics: Metrics
beforeEach(() => {
  metrics = new Metrics()
})
afterEach(() => metrics.close())

const ledger = (counts: Partial<LedgerCounts>): LedgerCounts => ({ ...emptyLedger(), ...counts })

async function value(series: string): Promise<number | undefined> {
  const line = (await metrics.text()).split('\n').find((text) => text.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

const gpu: GpuFigures = {
  index: 0,
  name: 'a GPU',
  uuid: 'GPU-1',
  computeCapability: 8.9,
  memoryUsedBytes: 1000,
  memoryTotalBytes: 4000,
  utilizationPercent: 97,
  temperatureCelsius: 71,
  powerWatts: 389.5,
  powerLimitWatts: 450,
  driver: '1',
}

describe('Metrics', () => {
  it('has no series for a figure that a GPU does not have, or a GPU that is gone', async () => {
    metrics.gpus([gpu, { ...gpu, index: 1, memoryUsedBytes: 0, utilizationPercent: null }])
    expect(await value('grabber_gpu_memory_utilization_percent{gpu_id="1"}')).toBe(0)
    expect(await value('grabber_gpu_utilization_percent{gpu_id="1"}')).toBeUndefined()
    metrics.gpus([{ ...gpu, index: 1 }])
    expect(await value('grabber_gpu_utilization_percent{gpu_id="0"}')).toBeUndefined()
    expect(await value('grabber_gpu_utilization_percent{gpu_id="1"}')).toBe(97)
  })

  it('tells the states of a breaker by numbers', async () => {
    const seen: unknown[] = []
    for (const state of ['closed', 'half-open', 'open'] as const) {
      metrics.breaker('engine:a', state)
      seen.push(await value('grabber_circuit_breaker_state{name="engine:a"}'))
    }
    expect(seen).toEqual([0, 1, 2])
  })

  it('has every name of the contract that this version can feed', async () => {
    metrics.cameraState('a', 'live')
    metrics.sessionFailure('a', 'SRC_TIMEOUT')
    metrics.lastFrameAge('a', 0.2)
    metrics.rateShare('a', 0.25)
    metrics.frames(
      'a',
      ledger({ captured: 9, analysed: 4, skipped: { rate: 2 }, dropped: { 'detect.overflow': 1 }, inFlight: 2 }),
    )
    metrics.stage('detect', 12)
    metrics.captureToEvent(0.08)
    metrics.faces('a', 3)
    metrics.damaged('a', 2)
    metrics.deadLetter('BUS_REFUSED')
    expect(await value('grabber_dead_letters_total{reason="BUS_REFUSED"}')).toBe(1)
    metrics.faceError('GAL_NO_FACE')
    metrics.matching(0.002)
    metrics.batch('yunet', 4, 20)
    metrics.queueDepth(7)
    metrics.restarts('engine:cpu')
    metrics.breaker('engine:cpu', 'half-open')
    metrics.gpus([gpu])
    metrics.outboxDepth(11)
    const expected: Record<string, number> = {
      grabber_active_camera_sessions: 1,
      'grabber_camera_state{camera_id="a",state="live"}': 1,
      'grabber_camera_state{camera_id="a",state="black"}': 0,
      'grabber_camera_transitions_total{camera_id="a",state="live"}': 1,
      'grabber_camera_session_failures_total{camera_id="a",code="SRC_TIMEOUT"}': 1,
      'grabber_camera_last_frame_age_seconds{camera_id="a"}': 0.2,
      'grabber_camera_rate_share{camera_id="a"}': 0.25,
      'grabber_captured_frames_total{camera_id="a"}': 9,
      'grabber_processed_frames_total{camera_id="a",result="analysed"}': 4,
      'grabber_processed_frames_total{camera_id="a",result="skipped_rate"}': 2,
      'grabber_dropped_frames_total{camera_id="a",stage="detect",reason="overflow"}': 1,
      'grabber_frames_in_flight{camera_id="a"}': 2,
      'grabber_frame_processing_duration_seconds_sum{stage="detect"}': 0.012,
      grabber_capture_to_event_seconds_count: 1,
      'grabber_faces_detected_total{camera_id="a"}': 3,
      'grabber_damaged_pictures_total{camera_id="a"}': 2,
      'grabber_face_recognition_errors_total{code="GAL_NO_FACE"}': 1,
      grabber_visitor_matching_duration_seconds_sum: 0.002,
      'grabber_inference_batch_size_sum{model="yunet"}': 4,
      'grabber_inference_duration_seconds_sum{model="yunet"}': 0.02,
      grabber_inference_queue_depth: 7,
      'grabber_actor_restarts_total{actor="engine:cpu"}': 1,
      'grabber_circuit_breaker_state{name="engine:cpu"}': 1,
      'grabber_gpu_utilization_percent{gpu_id="0"}': 97,
      'grabber_gpu_memory_utilization_percent{gpu_id="0"}': 25,
      'grabber_gpu_temperature_celsius{gpu_id="0"}': 71,
      'grabber_gpu_power_watts{gpu_id="0"}': 389.5,
      grabber_bus_outbox_depth: 11,
    }
    for (const [series, wanted] of Object.entries(expected)) expect(await value(series), series).toBe(wanted)
    expect(await value('grabber_event_loop_delay_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(0)
    expect(await metrics.text()).toContain('process_resident_memory_bytes')
  })

  it('adds deltas, and never lets a counter run back', async () => {
    const first = ledger({ captured: 5, analysed: 3, skipped: { gate: 1 }, inFlight: 1 })
    const second = ledger({ captured: 8, analysed: 7, skipped: { gate: 1 } })
    metrics.frames('a', ledgerDelta(emptyLedger(), first))
    metrics.frames('a', ledgerDelta(first, second))
    metrics.frames('a', ledger({ captured: -4 }))
    expect(await value('grabber_captured_frames_total{camera_id="a"}')).toBe(8)
    expect(await value('grabber_processed_frames_total{camera_id="a",result="analysed"}')).toBe(7)
    expect(await value('grabber_frames_in_flight{camera_id="a"}')).toBe(0)
  })

  it('forgets a camera wholly, and only that one', async () => {
    for (const id of ['a', 'b']) {
      metrics.cameraState(id, 'live')
      metrics.sessionFailure(id, 'DEC_FAILED')
      metrics.frames(id, ledger({ captured: 1, dropped: { 'host.died': 1 } }))
      metrics.restarts(`camera:${id}`)
      metrics.breaker(`camera:${id}`, 'open')
    }
    metrics.remove('a')
    const text = await metrics.text()
    expect(text).not.toMatch(/camera_id="a"|camera:a/)
    expect(text).toContain('camera_id="b"')
    expect(await value('grabber_active_camera_sessions')).toBe(1)
  })

  it('bounds the values of a label', async () => {
    for (let i = 0; i < 500; i++) metrics.stage(`stage${i}`, 1)
    const stages = new Set((await metrics.text()).match(/_count\{stage="[^"]+"\}/g))
    expect(stages.size).toBe(101)
    expect(await value('grabber_frame_processing_duration_seconds_count{stage="other"}')).toBe(400)
  })
})
