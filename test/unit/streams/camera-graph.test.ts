/** The whole graph over made-up pictures: ledger and leases in every ending, overload, pass ends. */
import { beforeAll, describe, expect, it } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import { droppedTotal } from '../../../core/ledger.ts'
import { cameraGraph } from '../../../streams/camera-graph.ts'
import type { Seen } from '../../../streams/graph-item.ts'
import { silenceNativeLog } from '../../../streams/media/native-log.ts'
import { LIVE_TAIL_FRAMES } from '../../../streams/session-services.ts'
import { settle } from '../virtual-clock.ts'
import { faceRow, patchwork, plain, Run, Studio, type StudioOptions } from './studio.ts'

beforeAll(silenceNativeLog)

const limits = { detectQueue: 2, tailQueue: LIVE_TAIL_FRAMES + 2 }

function setUp(options: StudioOptions = {}) {
  const studio = new Studio({ faces: true, ...options })
  const run = new Run<Seen>((frames) =>
    cameraGraph(frames, studio.services, { width: 64, height: 64 }, { ...limits, ...(options.overflow ? {} : wide) }),
  )
  const push = (ptsMs: number, luma = plain(100)) => run.frames.next(studio.frame(ptsMs, luma)!)
  const conclude = async () => {
    for (const words of run.out.splice(0)) await studio.services.conclude(words)
  }
  return { studio, run, push, conclude }
}
const wide = { detectQueue: 100, tailQueue: 100 }

describe('cameraGraph', () => {
  it('gives every frame its verdict in PTS order, and ends what is open at the end of the pass: tracks, then motion', async () => {
    const { studio, run, push, conclude } = setUp({
      analysis: { motion: { enabled: true, minAreaRatio: 0.01, pixelThreshold: 18, quietMs: 1000 } },
    })
    const bright = plain(100)
    bright.data.fill(250, 0, 20 * 64)
    for (let n = 0; n < 6; n++) push(n * 200, n < 2 ? plain(100) : bright)
    run.frames.complete()
    await studio.engine.answerAll((model) => (model === 'detector' ? [faceRow(10, 10)] : []))
    const frames = run.out.filter(({ info }) => info !== null).map(({ info }) => info!.ptsMs)
    expect(frames).toEqual([0, 400, 600, 800, 1000])
    const words = run.out.flatMap(({ events }) => events.map((event) => `${event.type} ${phaseOf(event.data)}`))
    expect(words).toEqual(['motion start', 'face.track new', 'face.track end', 'motion end'])
    expect(run.out.slice(-2).map(({ info }) => info)).toEqual([null, null])
    expect(run.ended).toBe('complete')
    await conclude()
    expect(studio.ledger).toMatchObject({ captured: 6, analysed: 5, skipped: { gate: 1 }, dropped: {}, inFlight: 0 })
    expect([studio.leases, studio.unfreed]).toEqual([0, 0])
  })

  it('a cut ends the tracks before the next scene’s begin', async () => {
    const { studio, run, push } = setUp()
    for (let n = 0; n < 6; n++) push(n * 200, patchwork(n < 3 ? 1 : 2))
    run.frames.complete()
    await studio.engine.answerAll((model) => (model === 'detector' ? [faceRow(20, 20)] : []))
    const words = run.out.flatMap(({ info, events }) =>
      events.flatMap(({ type, data }) => (type === 'face.track' ? [[info?.ptsMs ?? 'end', phaseOf(data)]] : [])),
    )
    expect(words).toEqual([
      [200, 'new'],
      [600, 'end'],
      [800, 'new'],
      ['end', 'end'],
    ])
    expect(studio.leases).toBe(0)
  })

  it.each(['wait', 'drop-oldest'] as const)(
    'a face that cannot be cut out costs its crop alone (%s)',
    async (overflow) => {
      const { studio, run, push, conclude } = setUp({ overflow })
      for (let n = 0; n < 3; n++) {
        push(n * 200)
        await studio.engine.answerAll((model) => (model === 'detector' ? [faceRow(20, 20, 20, 10)] : []))
      }
      run.frames.complete()
      await settle()
      await conclude()
      expect(run.ended).toBe('complete')
      expect(studio.posted.filter(({ type }) => type === 'complaint')).toMatchObject([
        { error: { code: 'DEC_FAILED' } },
      ])
      expect(studio.ledger).toMatchObject({ captured: 3, analysed: 3, dropped: {}, inFlight: 0 })
      expect([studio.leases, studio.unfreed]).toEqual([0, 0])
    },
  )

  it('without models it still tells of motion, and keeps no lease', async () => {
    const { studio, run, push, conclude } = setUp({ faces: false })
    push(0)
    push(200)
    run.frames.complete()
    expect(studio.leases).toBe(0)
    await conclude()
    expect(studio.ledger).toMatchObject({ captured: 2, analysed: 2, inFlight: 0 })
  })

  it('keeps the frames in order when the engine answers out of order', async () => {
    const { studio, run, push } = setUp()
    push(0)
    push(200)
    await settle()
    studio.engine.asked[1]!.answer()
    await settle()
    expect(run.out).toEqual([])
    studio.engine.asked[0]!.answer()
    await settle()
    expect(run.out.map(({ info }) => info?.ptsMs)).toEqual([0, 200])
  })

  it('a recording whose engine is lost: the graph fails, every lease is back, every frame is settled', async () => {
    const { studio, run, push } = setUp()
    for (let n = 0; n < 6; n++) push(n * 200)
    await settle()
    // One is past the detector, one is being detected, four wait.
    studio.engine.asked.shift()!.answer()
    await settle()
    const error = new GrabberError('ENG_UNAVAILABLE', 'gone')
    studio.engine.asked[0]!.fail(error)
    await settle()
    expect(run.ended).toEqual({ error })
    studio.services.abandon()
    expect([studio.leases, studio.unfreed]).toEqual([0, 0])
    expect(studio.ledger).toMatchObject({ captured: 6, analysed: 0, dropped: { 'session.failed': 6 }, inFlight: 0 })
  })

  it('a source that fails: the same', async () => {
    const { studio, run, push } = setUp()
    for (let n = 0; n < 4; n++) push(n * 200)
    run.frames.error(new GrabberError('SRC_TIMEOUT', 'no data'))
    studio.services.abandon()
    expect(studio.leases).toBe(0)
    expect(studio.ledger).toMatchObject({ dropped: { 'session.failed': 4 }, inFlight: 0 })
    // The engine's late answer changes nothing.
    await studio.engine.answerAll()
    expect(studio.ledger.dropped).toEqual({ 'session.failed': 4 })
  })

  it('poison costs its frame alone, also in a recording', async () => {
    const { studio, run, push, conclude } = setUp()
    push(0)
    push(200)
    run.frames.complete()
    await settle()
    studio.engine.asked.shift()!.fail(new GrabberError('ENG_POISON', 'died twice'))
    await settle()
    await studio.engine.answerAll()
    await conclude()
    expect(run.ended).toBe('complete')
    expect(studio.ledger).toMatchObject({ analysed: 1, dropped: { 'engine.poison': 1 }, inFlight: 0 })
    expect(studio.posted).toMatchObject([{ type: 'complaint', error: { code: 'ENG_POISON' } }])
  })

  it('a camera without an engine drops the frame and goes on', async () => {
    const { studio, run, push, conclude } = setUp({ overflow: 'drop-oldest' })
    push(0)
    await settle()
    studio.engine.asked.shift()!.fail(new GrabberError('ENG_UNAVAILABLE', 'gone'))
    await settle()
    push(200)
    await settle()
    await studio.engine.answerAll()
    await conclude()
    expect(run.ended).toBeUndefined()
    expect(studio.ledger).toMatchObject({ analysed: 1, dropped: { 'engine.timeout': 1 }, inFlight: 0 })
  })

  it('a defect in the engine client ends a camera’s stream too', async () => {
    const { studio, run, push } = setUp({ overflow: 'drop-oldest' })
    push(0)
    await settle()
    studio.engine.asked[0]!.fail(new TypeError('defect'))
    await settle()
    expect(run.ended).toEqual({ error: expect.any(TypeError) })
  })
})

describe('cameraGraph, a camera’s overload', () => {
  it('a slow detector: the newest win', async () => {
    const { studio, push } = setUp({ overflow: 'drop-oldest' })
    for (let n = 0; n < 10; n++) push(n * 200)
    await settle()
    expect(studio.ledger).toMatchObject({ captured: 10, dropped: { 'detect.overflow': 6 }, inFlight: 4 })
    expect(studio.leases).toBe(4)
  })

  it('a daemon that acknowledges nothing: frames wait before the detector, where the newest win; nothing fails', async () => {
    const { studio, run, push } = setUp({ overflow: 'drop-oldest' })
    // Nothing concludes: as when the event credits are used up.
    for (let n = 0; n < 60; n++) {
      push(n * 200)
      await settle()
      await studio.engine.answerAll((model) => (model === 'detector' ? [faceRow(10, 10)] : []))
    }
    expect(run.ended).toBeUndefined()
    // The tail's places, the two whose detection waits for one, and the detector's queue.
    expect(studio.ledger.inFlight).toBe(LIVE_TAIL_FRAMES + 2 + limits.detectQueue)
    expect(studio.ledger.dropped).toEqual({ 'detect.overflow': 60 - LIVE_TAIL_FRAMES - 4 })
    expect(studio.leases).toBe(4)
    // When it acknowledges again everything flows.
    for (let n = 0; n < 20; n++) {
      for (const words of run.out.splice(0)) await studio.services.conclude(words)
      await settle()
      await studio.engine.answerAll()
    }
    expect(studio.ledger.inFlight).toBe(0)
    expect(droppedTotal(studio.ledger)).toBe(60 - LIVE_TAIL_FRAMES - 4)
    expect(studio.leases).toBe(0)
  })
})

const phaseOf = (data: object) => (data as { phase: string }).phase
