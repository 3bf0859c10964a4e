/**
 * One fault of one camera, and what must be true of it and of its neighbours. Runs in tests.
 */
import { expect } from 'vitest'
import type { CameraState } from '../../../core/event.ts'
import type { FaultProxy } from '../../integration/support/fault-proxy.ts'
import { type CameraId, type CameraSite, cameraIds, isWell, SAMPLE_MS, type SiteCamera } from './camera-site.ts'
import type { CameraWatch, Mark } from './camera-watch.ts'

/** Frames of the neighbours that may be missing between two analysed ones: none is dropped, but the media time of a network breathes. */
const STEPS = 3

export interface Struck extends SiteCamera {
  proxy: FaultProxy
  watch: CameraWatch
  since: Mark
}

export interface CameraFault {
  name: string
  at: CameraId
  /** Does it, and waits until it is noticed as it should be. */
  strike(camera: Struck): Promise<void>
  /** Ends it, where it does not pass by itself. */
  mend?(camera: Struck): unknown
}

export async function endure({ watch, cameras, proxy }: CameraSite, { at, strike, mend }: CameraFault): Promise<void> {
  await watch.until(`${at} is well`, () => isWell(watch, at))
  const since = watch.mark()
  const struck = { ...cameras[at], proxy, watch, since }
  await strike(struck)
  const noticed = watch.mark()
  await mend?.(struck)
  await watch.until(`${at} is live again`, () => isWell(watch, at))
  await watch.moreFrames(at, 5)
  // Where the connection was not lost, the track goes on.
  if (watch.states(at, since).some(({ state }) => state === 'connecting')) {
    const seesAgain = () => watch.eventsOf(at, noticed).some(({ type }) => type === 'face.track')
    await watch.until(`${at} sees again`, seesAgain)
  }
  for (const id of cameraIds) if (id !== at) expectUndisturbed(watch, id, since)
  expect(watch.problems).toEqual([])
}

/** No state, no gap, no drop. */
export function expectUndisturbed(watch: CameraWatch, id: CameraId, since: Mark): void {
  expect({ id, states: watch.states(id, since), drops: watch.drops(id, since) }).toEqual({ id, states: [], drops: {} })
  expect(watch.sights(id, since).length, `analysed frames of ${id}`).toBeGreaterThan(0)
  expect(watch.longestStepMs(id, since), `longest step of ${id}, ms`).toBeLessThanOrEqual(STEPS * SAMPLE_MS)
}

export function enters({ id, watch, since }: Struck, state: CameraState): Promise<void> {
  return watch.until(`${id} is ${state}`, () => watch.states(id, since).some((change) => change.state === state))
}

/** Down with that code, in its event and in the metrics. */
export async function falls({ id, watch, since }: Struck, code: string): Promise<void> {
  const fell = () => watch.states(id, since).some(({ state, reason }) => state === 'backing_off' && reason === code)
  await watch.until(`${id} backs off: ${code}`, fell)
  const series = `grabber_camera_session_failures_total{camera_id="${id}",code="${code}"}`
  await watch.until(series, () => watch.metric(series) > 0)
}
