/** What servers of cameras, and the network before them, do wrong. Data for tests. */
import { expect } from 'vitest'
import { type CameraFault, enters, falls } from './camera-fault.ts'
import { MAX_RETRY_MS, PASSWORD } from './camera-site.ts'

/** Pauses twice as long each, with up to a fifth of jitter, up to the limit. */
export function expectGrowing(pausesMs: readonly number[]): void {
  expect(pausesMs.length).toBeGreaterThan(1)
  for (const [index, pauseMs] of pausesMs.entries()) {
    expect(pauseMs).toBeLessThanOrEqual(MAX_RETRY_MS)
    if (index > 0) expect(pauseMs).toBeGreaterThan(Math.min(MAX_RETRY_MS / 2, 1.2 * pausesMs[index - 1]!))
  }
}

export const networkFaults: CameraFault[] = [
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
      expectGrowing(refusals().map(({ nextRetryMs }) => nextRetryMs!))
    },
    mend: ({ stream }) => stream.changePassword(PASSWORD),
  },
]
