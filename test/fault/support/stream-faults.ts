/** What the streams of cameras do wrong. Data for tests. */
import { expect } from 'vitest'
import type { EventData } from '../../../core/event.ts'
import { accessUnits } from '../../integration/support/access-units.ts'
import { cameraClip } from '../../integration/support/camera-clips.ts'
import { type CameraFault, enters, falls, type Struck } from './camera-fault.ts'

const person = () => cameraClip('person')
const black = () => cameraClip('black')
const larger = () => cameraClip('person', { width: 960 })
const inH265 = () => cameraClip('person', { codec: 'hevc' })

/** Makes the clips, which blocks this process. */
export function prepareClips(): void {
  for (const clip of [person, black, larger, inH265]) accessUnits(clip())
}

/** Time stamps that stand still are known as such after a second; until then they are taken for B-frames. */
const LONGEST_STEP_MS = 2000

/** Media time goes on as the wall clock does, whatever the camera's own does. */
async function expectTimeGoesOn({ watch, id, since }: Struck): Promise<void> {
  await watch.moreFrames(id, 10)
  expect(watch.states(id, since)).toEqual([])
  const times = watch.sights(id, since).map(({ ptsMs }) => ptsMs)
  expect(Math.max(...times.slice(1).map((time, index) => time - times[index]!))).toBeLessThanOrEqual(LONGEST_STEP_MS)
}

const jump = (name: string, ms: number): CameraFault => ({
  name,
  at: 'yard',
  async strike(camera) {
    await camera.stream.jump(ms)
    await expectTimeGoesOn(camera)
  },
})

/** The tracks that were seen, and the left edges of their boxes in fractions of the picture. */
function tracksOf({ watch, id, since }: Struck) {
  const boxes = watch.sights(id, since).flatMap(({ boxes }) => boxes)
  const edges = boxes.map(({ box: [x] }) => x)
  return { ids: new Set(boxes.map(({ trackId }) => trackId)), spread: Math.max(...edges) - Math.min(...edges) }
}

export const streamFaults: CameraFault[] = [
  {
    name: 'packets are lost and reordered, then all are lost',
    at: 'radio',
    async strike(camera) {
      const { stream, watch, id, since } = camera
      await stream.spoil({ loss: 0.03, reorder: 0.1 })
      const damaged = `grabber_damaged_pictures_total{camera_id="${id}"}`
      await watch.until('damage is counted', () => watch.metric(damaged) > 0)
      await watch.moreFrames(id, 10)
      expect(watch.states(id, since)).toEqual([])
      await stream.spoil({ loss: 1 })
      await enters(camera, 'stalled')
      await falls(camera, 'SRC_TIMEOUT')
    },
    mend: ({ stream }) => stream.spoil({ loss: 0, reorder: 0 }),
  },
  {
    name: 'all packets hold garbage',
    at: 'radio',
    async strike(camera) {
      await camera.stream.spoil({ garbage: 1 })
      await falls(camera, 'DEC_FAILED')
    },
    mend: ({ stream }) => stream.spoil({ garbage: 0 }),
  },
  {
    name: 'the picture is frozen',
    at: 'yard',
    async strike(camera) {
      await camera.stream.freeze()
      await enters(camera, 'frozen')
    },
    mend: ({ stream }) => stream.resume(),
  },
  {
    name: 'the picture is black',
    at: 'yard',
    async strike(camera) {
      await camera.stream.show(black())
      await enters(camera, 'black')
    },
    mend: ({ stream }) => stream.show(person()),
  },
  {
    name: 'the resolution changes, and changes back',
    at: 'yard',
    async strike(camera) {
      const { stream, watch, id, since } = camera
      await stream.show(larger())
      await watch.moreFrames(id, 10)
      // The person stays where they are, and who they are.
      expect(tracksOf(camera).ids.size).toBe(1)
      expect(tracksOf(camera).spread).toBeLessThan(0.05)
      expect(watch.states(id, since)).toEqual([])
      await stream.kick()
      await falls(camera, 'SRC_LOST')
      const end = watch.eventsOf(id, since).findLast(({ type }) => type === 'face.track')
      expect((end!.data as EventData<'face.track'>).frame).toMatchObject({ width: 960, height: 540 })
    },
    mend: ({ stream }) => stream.show(person()),
  },
  {
    name: 'the codec changes',
    at: 'yard',
    async strike(camera) {
      const { stream, watch, id } = camera
      await stream.show(inH265())
      await falls(camera, 'SRC_LOST')
      await watch.until('H.265 is read', () => watch.camera(id).stream?.codec === 'hevc')
      await watch.moreFrames(id, 5)
    },
    mend: ({ stream }) => stream.show(person()),
  },
  jump('the PTS jump an hour ahead', 3_600_000),
  jump('the PTS jump an hour back', -3_600_000),
  {
    name: 'the PTS stand still',
    at: 'yard',
    async strike(camera) {
      await camera.stream.spoil({ clockStill: true })
      await expectTimeGoesOn(camera)
    },
    mend: ({ stream }) => stream.spoil({ clockStill: false }),
  },
]
