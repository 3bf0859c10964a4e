/** Cameras whose servers and networks fail, one after the other, while three more are watched by the same daemon. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasClips } from '../integration/support/clips.ts'
import { type CameraFault, endure, enters, falls } from './support/camera-fault.ts'
import { CameraSite, MAX_RETRY_MS, PASSWORD } from './support/camera-site.ts'

const faults: CameraFault[] = [
  {
    name: 'the server is killed, and started again',
    at: 'alone',
    async strike(camera) {
      const { server, watch, id } = camera
      await server.kill()
      await falls(camera, 'SRC_LOST')
      await falls(camera, 'SRC_UNREACHABLE')
      await watch.until('the breaker is open', () => watch.camera(id).breaker === 'open')
      await watch.until(
        'the metrics say so',
        () => watch.metric(`grabber_circuit_breaker_state{name="camera:${id}"}`) === 2,
      )
    },
    mend: ({ server }) => server.restart(),
  },
  {
    name: 'the server is stopped and goes on (SIGSTOP, SIGCONT)',
    at: 'alone',
    async strike(camera) {
      camera.server.signal('SIGSTOP')
      await enters(camera, 'stalled')
    },
    mend: ({ server }) => server.signal('SIGCONT'),
  },
  {
    name: 'the connection is reset',
    at: 'porch',
    async strike(camera) {
      camera.proxy.reset()
      await falls(camera, 'SRC_LOST')
    },
  },
  {
    name: 'the connection is half-open',
    at: 'porch',
    async strike(camera) {
      camera.proxy.hang()
      await falls(camera, 'SRC_TIMEOUT')
      const [first, second] = camera.watch.states(camera.id, camera.since)
      expect([first?.state, second?.state]).toEqual(['stalled', 'backing_off'])
    },
  },
  {
    name: 'it accepts and says nothing',
    at: 'porch',
    async strike(camera) {
      await camera.proxy.become('silent')
      camera.proxy.reset()
      await falls(camera, 'SRC_TIMEOUT')
    },
    mend: ({ proxy }) => proxy.become('pass'),
  },
  {
    name: 'it drips one byte a second',
    at: 'porch',
    async strike(camera) {
      await camera.proxy.become({ dripBytesPerSecond: 1 })
      await enters(camera, 'stalled')
      await falls(camera, 'SRC_TIMEOUT')
    },
    mend: ({ proxy }) => proxy.become('pass'),
  },
  {
    name: 'the password is wrong',
    at: 'porch',
    async strike(camera) {
      const { stream, watch, id, since } = camera
      await stream.changePassword('another')
      const refusals = () => watch.states(id, since).filter(({ reason }) => reason === 'SRC_AUTH')
      await watch.until('it is refused three times', () => refusals().length >= 3)
      await falls(camera, 'SRC_AUTH')
      const pauses = refusals().map(({ nextRetryMs }) => nextRetryMs!)
      expect(pauses.slice(0, 2)).toEqual(pauses.slice(0, 2).toSorted((a, b) => a - b))
      for (const pause of pauses) expect(pause).toBeLessThanOrEqual(MAX_RETRY_MS)
    },
    mend: ({ stream }) => stream.changePassword(PASSWORD),
  },
]

describe.skipIf(!hasClips)('four cameras', () => {
  let site: CameraSite
  beforeAll(async () => {
    site = await CameraSite.open('  nowhere: { source: "rtsp://camera.invalid/stream" }\n')
  })
  afterAll(() => site?.[Symbol.asyncDispose]())

  it.each(faults)('$name', (fault) => endure(site, fault))

  it('a name that does not exist: SRC_DNS, again and again, at most so often', async () => {
    const { watch } = site
    expect(watch.camera('nowhere')).toMatchObject({ breaker: 'open', ledger: { captured: 0 } })
    const falls = watch.states('nowhere').filter(({ state }) => state === 'backing_off')
    expect(new Set(falls.map(({ reason }) => reason))).toEqual(new Set(['SRC_DNS']))
    expect(falls.map(({ attempt }) => attempt)).toEqual(falls.map((_, index) => index + 1))
    for (const { nextRetryMs } of falls.slice(4)) expect(nextRetryMs).toBeGreaterThan(MAX_RETRY_MS / 2)
  })

  it('ends in order: nothing in flight, no lease, no process', () => site.stop())
})
