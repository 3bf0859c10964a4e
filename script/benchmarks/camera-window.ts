/**
 * A stretch of time over a rig of cameras: who spent how much CPU time, whether all cameras were live throughout, what was dropped,
 * how late the daemon's loop was. Runs in the benchmark's process.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { CameraRig, ProcessKind, Spent } from './camera-rig.ts'
import { DecodeProcess, type PlainDecodeCost } from './decode-process.ts'
import { machineCpuSeconds } from './kit.ts'

/** How often the cameras' states are read, s; a Prometheus server looks every 15 s or so. */
const LOOK_S = 5
const DROPPED = 'grabber_dropped_frames_total'
const LOOP_P99 = 'grabber_event_loop_delay_seconds{quantile="0.99"}'

export interface Window {
  seconds: number
  /** CPU seconds of each process that was there from the start to the end, by pid. */
  byPid: Map<number, number>
  byKind: Record<ProcessKind, number>
  serverCpuSeconds: number
  /** Of everything that is not ours, as a share of the machine. */
  othersCpuShare: number
  /** The process that plainly decoded the same stream meanwhile. */
  decode: PlainDecodeCost
  allLive: boolean
  /** Camera states at the looks that were not `live`, and changes of state meanwhile. */
  notLive: number
  stateChanges: number
  dropped: Record<string, number>
  /** Largest of the looks; each is over the last one to two minutes. */
  loopDelayP99Ms: number
  /** Share of the looks at cameras that found their decoder resting. */
  restingRatio: number
}

/** Watches for `seconds` while one more client plainly decodes `url`. */
export async function watchFor(rig: CameraRig, seconds: number, url: string, cores: number): Promise<Window> {
  using decode = await DecodeProcess.start(url)
  const statesBefore = rig.arrivals.states.length
  const droppedBefore = await rig.metrics(DROPPED)
  const own = process.cpuUsage()
  const busy = machineCpuSeconds()
  const before = rig.spent()
  decode.begin()
  let [notLive, resting, looked, loopDelayP99Ms] = [0, 0, 0, 0]
  for (let at = LOOK_S; ; at += LOOK_S) {
    await pause(1000 * Math.min(LOOK_S, seconds - (at - LOOK_S)))
    for (const { state, gate } of await rig.reports()) {
      looked++
      if (state !== 'live') notLive++
      if (gate === 'idle') resting++
    }
    loopDelayP99Ms = Math.max(loopDelayP99Ms, 1000 * ((await rig.metrics(LOOP_P99)).get(LOOP_P99) ?? 0))
    if (at >= seconds) break
  }
  const decoded = await decode.end()
  const after = rig.spent()
  const machine = machineCpuSeconds() - busy
  const { user, system } = process.cpuUsage(own)
  const byPid = difference(before, after)
  const sum = (pids: readonly number[]) => pids.reduce((total, pid) => total + (byPid.get(pid) ?? 0), 0)
  const { daemon, engine, nats, hosts } = rig.processes
  const wallSeconds = (after.atMs - before.atMs) / 1000
  const ours = [...byPid.values()].reduce((total, cpu) => total + cpu, 0) + decoded.cpuSeconds + (user + system) / 1e6
  const stateChanges = rig.arrivals.states.length - statesBefore
  return {
    seconds: wallSeconds,
    byPid,
    byKind: { daemon: sum(daemon), engine: sum(engine), nats: sum(nats), hosts: sum(hosts) },
    serverCpuSeconds: byPid.get(rig.serverPid) ?? 0,
    // The machine counts in ticks of 10 ms, so a quiet one can come out below zero.
    othersCpuShare: Math.max(0, machine - ours) / (cores * wallSeconds),
    decode: decoded,
    allLive: notLive === 0 && stateChanges === 0,
    notLive,
    stateChanges,
    dropped: growth(droppedBefore, await rig.metrics(DROPPED)),
    loopDelayP99Ms,
    restingRatio: resting / looked,
  }
}

function difference(before: Spent, after: Spent): Map<number, number> {
  const both = [...after.byPid].filter(([pid]) => before.byPid.has(pid))
  return new Map(both.map(([pid, cpu]) => [pid, cpu - before.byPid.get(pid)!]))
}

/** By `stage.reason`, over all cameras. */
function growth(before: Map<string, number>, after: Map<string, number>): Record<string, number> {
  const grown: Record<string, number> = {}
  for (const [series, value] of after) {
    const more = value - (before.get(series) ?? 0)
    if (more <= 0) continue
    const key = `${/stage="([^"]*)"/.exec(series)?.[1]}.${/reason="([^"]*)"/.exec(series)?.[1]}`
    grown[key] = (grown[key] ?? 0) + more
  }
  return grown
}
