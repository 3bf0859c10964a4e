/** Cameras whose servers and networks fail, one after the other, while three more are watched by the same daemon. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasClips } from '../integration/support/clips.ts'
import { type CameraFault, endure, enters, expectUndisturbed, falls } from './support/camera-fault.ts'
import { CameraSite, cameraIds, MAX_RETRY_MS, PASSWORD } from './support/camera-site.ts'

/** Pauses twice as long each, with up to a fifth of jitter, up to the limit. */
function expectGrowing(pausesMs: readonly number[]): void {
  expect(pausesMs.length).toBeGreaterThan(1)
  for (const [index, pauseMs] of pausesMs.entries()) {
    expect(pauseMs).toBeLessThanOrEqual(MAX_RETRY_MS)
    if (index > 0) expect(pauseMs).toBeGreaterThan(Math.min(MAX_RETRY_MS / 2, 1.2 * pausesMs[index - 1]!))
  }
}

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
      expectGrowing(refusals().map(({ nextRetryMs }) => nextRetryMs!))
    },
    mend: ({ stream }) => stream.changePassword(PASSWORD),
  },
]

describe.skipIf(!hasClips)('four cameras', () => {
  let site: CameraSite
  beforeAll(async () => {
    site = await CameraSite.open()
  })
  afterAll(() => site?.[Symbol.asyncDispose]())

  it.each(faults)('$name', (fault) => endure(site, fault))

  it('a name that does not exist: SRC_DNS, again and again, at most so often; another address mends it', async () => {
    const { watch, cameras } = site
    const command = async (...args: string[]) => expect(await site.command('cameras', ...args)).toBe(0)
    const since = watch.mark()
    await command('add', 'fifth', '--source', 'rtsp://camera.invalid/stream')
    const failures = () => watch.states('fifth').filter(({ state }) => state === 'backing_off')
    await watch.until('it was tried four times', () => failures().length >= 4)
    expect(new Set(failures().map(({ reason }) => reason))).toEqual(new Set(['SRC_DNS']))
    expectGrowing(failures().map(({ nextRetryMs }) => nextRetryMs!))
    await command('update', 'fifth', '--source', cameras.yard.stream.url)
    await watch.until('it is live', () => watch.camera('fifth').state === 'live')
    await watch.moreFrames('fifth', 5)
    await command('remove', 'fifth')
    for (const id of cameraIds) expectUndisturbed(watch, id, since)
    expect(watch.problems).toEqual([])
  })

  it('ends in order: nothing in flight, no lease, no process', () => site.stop())
})
