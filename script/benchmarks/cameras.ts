/**
 * `script/bench cameras`: what cameras cost while nothing happens and while somebody moves before them, how old an event is, how
 * long a resting camera takes to wake. Runs in the benchmark's process; the daemon is the real command, the cameras are GStreamer's
 * RTSP server, whose CPU time is not grabber's.
 *
 * One run, one machine: somebody comes by each camera, all cameras rest, then some are active, then others wake. Beside each stretch one process plainly decodes
 * the same stream over RTSP, so that both sides of a ratio meet the same load.
 */
import { availableParallelism } from 'node:os'
import { GrabberError } from '../../core/errors.ts'
import { table } from '../../src/cli/table.ts'
import { facesSpec, installedModels, modelIds } from '../../src/face-models.ts'
import { cameraClip, VISIT } from '../../test/integration/support/camera-clips.ts'
import { ageOf, agree, type Calibration, type ClipShape, calibrate, spreadOf } from './camera-latency.ts'
import { CameraRig, pause, type Watched } from './camera-rig.ts'
import { type Window, watchFor } from './camera-window.ts'
import { type BenchContext, type BenchResult, figure } from './kit.ts'
import { movingClip } from './moving-clip.ts'
import { pssBytes, rssBytes } from './processes.ts'

export const FPS = 25
/** Of each clip, which is played in a loop; a visit has its own length. */
export const CLIP_SECONDS = 8
/** At the constant quality of camera-clips: 1.6 Mbit/s of a room with a sensor's noise, 3.2 with somebody who moves in it. */
const CODING = { fps: FPS, width: 1920 } as const
export const SHAPE: ClipShape = { fps: FPS, frames: FPS * CLIP_SECONDS, width: 1920, height: 1080 }
const SECONDS = 60
const COUNT = 50
/** Starting one takes about a second of a core. */
const LIVE_LIMIT_MS = 60_000
const LIVE_LIMIT_MS_PER_CAMERA = 4000
/** The gate closes 2 s after the last movement, at an I-frame; encoders and thresholds take some more to settle. */
const REST_LIMIT_MS = 60_000
/** From the first event of an active camera to the start of what is measured: tracks are confirmed, models are warm. */
const SETTLE_MS = 5000
/** Cameras that are visited at a time, before anything is measured. */
const VISITED = 8
/** Cameras whose waking is measured, at most; each is one more that decodes for 10 s. */
const WAKING = 6

export async function benchCameras(context: BenchContext): Promise<BenchResult> {
  const { config, seconds = SECONDS, count = COUNT, active = Math.min(4, count) } = context
  if (active > count) throw new GrabberError('CFG_USAGE', `${active} of ${count} cameras cannot be active`)
  await installedModels(config, modelIds(facesSpec(config)))
  const clips = {
    quiet: cameraClip('quiet', { ...CODING, seconds: CLIP_SECONDS }),
    person: movingClip({ ...CODING, seconds: CLIP_SECONDS, gop: 2 * FPS }),
    visit: cameraClip('visit', CODING),
  }
  const cores = availableParallelism()
  const waking = Math.min(WAKING, count - active)
  await using rig = await CameraRig.start({ config, clip: clips.quiet, count, logged: active + waking })
  const startedMs = performance.now()
  const live = await rig.until(
    (reports) => reports.every(({ state }) => state === 'live'),
    LIVE_LIMIT_MS + count * LIVE_LIMIT_MS_PER_CAMERA,
  )
  if (!live) throw new GrabberError('ACT_DEADLINE', `not all of ${count} cameras came live: ${rig.lines.at(-1)}`)
  const allLiveAfterMs = performance.now() - startedMs
  await showVisits(rig, clips.visit)
  await rig.until((reports) => reports.every(({ gate }) => gate === 'idle'), REST_LIMIT_MS)

  const idle = await watchFor(rig, seconds, rig.cameras[0]!.camera.url, cores)
  const memory = memoryOf(rig)
  const busy = active > 0 ? await watchActive(rig, clips.person, active, seconds, cores) : undefined
  const wakes = await wake(rig, rig.cameras.slice(active, active + waking), clips.visit)

  const idleCpu = perSecond(idle.byKind.hosts, idle) / count + sharedPerSecond(idle) / count
  const decodeIdle = perSecond(idle.decode.cpuSeconds, idle)
  const report = {
    bench: 'cameras',
    cores,
    count,
    active,
    seconds,
    allLive: idle.allLive && (busy?.window.allLive ?? true),
    allLiveAfterMs: Math.round(allLiveAfterMs),
    idleToDecodeRatio: figure(idleCpu / decodeIdle),
    activeToDecodeRatio: busy
      ? figure(activeCpu(rig, busy, idle, active) / perSecond(busy.window.decode.cpuSeconds, busy.window))
      : null,
    captureToEventMs: busy?.events ?? null,
    captureToBoxesMs: busy?.boxes ?? null,
    calibrationsAgree: busy?.agrees ?? null,
    wakeMs: wakes,
    ...memory,
    loopDelayP99Ms: figure(Math.max(idle.loopDelayP99Ms, busy?.window.loopDelayP99Ms ?? 0)),
    othersCpuShare: figure(Math.max(idle.othersCpuShare, busy?.window.othersCpuShare ?? 0)),
    idle: describe(idle),
    activePhase: busy ? describe(busy.window) : null,
  }
  return { report, text: asTable(report) }
}

const perSecond = (cpuSeconds: number, { seconds }: Window) => cpuSeconds / seconds
const sharedPerSecond = (window: Window) => {
  const { daemon, engine, nats } = window.byKind
  return perSecond(daemon + engine + nats, window)
}

interface ActivePhase {
  window: Window
  events: ReturnType<typeof spreadOf>
  boxes: ReturnType<typeof spreadOf>
  agrees: boolean
  hosts: number[]
}

async function watchActive(
  rig: CameraRig,
  clip: string,
  active: number,
  seconds: number,
  cores: number,
): Promise<ActivePhase> {
  const chosen = rig.cameras.slice(0, active)
  for (const { camera } of chosen) await camera.show(clip)
  await rig.until(
    (reports) => chosen.every(({ id }) => reports.find((each) => each.id === id)?.gate === 'active'),
    REST_LIMIT_MS,
  )
  await pause(SETTLE_MS)
  const before = await calibrations(rig, chosen)
  const from = rig.arrivals.sightings.length
  const window = await watchFor(rig, seconds, chosen[0]!.camera.url, cores)
  const seen = rig.arrivals.sightings.slice(from)
  const after = await calibrations(rig, chosen)
  const agrees = chosen.every(({ id }) => agree(before.get(id)!, after.get(id)!, SHAPE))
  const ages = (types: readonly string[]) =>
    chosen.flatMap(({ id, camera }) =>
      seen
        // The end of a track is told when it has not been seen for a while, and names the picture in which it was seen last.
        .filter(
          (sighting) =>
            sighting.camera === id &&
            types.includes(sighting.type) &&
            !(sighting.type === 'face.track' && sighting.phase === 'end'),
        )
        .flatMap((sighting) => ageOf(sighting, camera, before.get(id)!, SHAPE) ?? []),
    )
  return {
    window,
    agrees,
    events: spreadOf(ages(['motion', 'face.track'])),
    boxes: spreadOf(ages(['boxes'])),
    hosts: chosen.flatMap(({ id }) => rig.hostOf(id) ?? []),
  }
}

async function calibrations(rig: CameraRig, cameras: readonly Watched[]): Promise<Map<string, Calibration>> {
  const known = new Map<string, Calibration>()
  for (const watched of cameras) known.set(watched.id, await calibrate(rig, watched, SHAPE))
  return known
}

/** CPU seconds a second of one active camera: its host, and what engine and daemon do beyond what the resting ones need. */
function activeCpu(rig: CameraRig, { window, hosts }: ActivePhase, idle: Window, active: number): number {
  const count = rig.cameras.length
  const own = hosts.reduce((sum, pid) => sum + (window.byPid.get(pid) ?? 0), 0)
  const shared = sharedPerSecond(window) - (sharedPerSecond(idle) * (count - active)) / count
  return (perSecond(own, window) + shared) / active
}

/**
 * Somebody comes by every camera: from then on it knows whether the sizes of its pictures tell (streams/analysis/packet-activity). Then
 * the room again, round and round: begun anew once more, the same pictures would come at times that no loop has, which is called frozen.
 */
async function showVisits(rig: CameraRig, visit: string) {
  for (let from = 0; from < rig.cameras.length; from += VISITED) {
    const cameras = rig.cameras.slice(from, from + VISITED)
    for (const { camera } of cameras) await camera.show(visit, { once: true })
    await pause(1000 * VISIT.toS)
  }
}

/** From the first picture in which somebody comes in to the first event of it. */
async function wake(rig: CameraRig, cameras: readonly Watched[], visit: string) {
  if (cameras.length === 0) return null
  const shownAtMs = new Map<string, number>()
  const from = rig.arrivals.sightings.length
  for (const { id, camera } of cameras) {
    shownAtMs.set(id, Date.now())
    await camera.show(visit, { once: true })
  }
  await pause(1000 * VISIT.toS)
  const seen = rig.arrivals.sightings.slice(from)
  let early = 0
  const times = cameras.flatMap(({ id, camera }) => {
    const first = seen.find(
      (sighting) => sighting.camera === id && sighting.type === 'motion' && sighting.phase === 'start',
    )
    if (first === undefined) return []
    const beganAtMs = camera.sentAtMs(VISIT.fromS * FPS, first.arrivedAtMs)
    // Another clip before it is a change as well.
    if (beganAtMs !== undefined && beganAtMs > shownAtMs.get(id)!) return [first.arrivedAtMs - beganAtMs]
    early++
    return []
  })
  return { ...spreadOf(times), cameras: cameras.length, early }
}

function memoryOf(rig: CameraRig) {
  const { daemon, engine, nats, hosts } = rig.processes
  const mean = (of: (pid: number) => number) => Math.round(hosts.reduce((sum, pid) => sum + of(pid), 0) / hosts.length)
  const sum = (pids: readonly number[]) => pids.reduce((total, pid) => total + pssBytes(pid), 0)
  return {
    rssPerCameraBytes: mean(rssBytes),
    pssPerCameraBytes: mean(pssBytes),
    pssBytes: { daemon: sum(daemon), engine: sum(engine), nats: sum(nats), hosts: sum(hosts) },
  }
}

function describe(window: Window) {
  const { byKind, decode } = window
  const share = (cpuSeconds: number) => figure(perSecond(cpuSeconds, window))
  return {
    restingRatio: figure(window.restingRatio),
    notLive: window.notLive,
    stateChanges: window.stateChanges,
    dropped: window.dropped,
    loopDelayP99Ms: figure(window.loopDelayP99Ms),
    othersCpuShare: figure(window.othersCpuShare),
    /** Of one core. */
    cpu: {
      daemon: share(byKind.daemon),
      engine: share(byKind.engine),
      nats: share(byKind.nats),
      hosts: share(byKind.hosts),
      server: share(window.serverCpuSeconds),
      plainDecode: share(decode.cpuSeconds),
    },
    plainDecodeFps: figure(decode.frames / window.seconds),
  }
}

function asTable(report: object): string {
  const rows = Object.entries(report).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ])
  return table([['FIGURE', 'VALUE'], ...rows])
}
