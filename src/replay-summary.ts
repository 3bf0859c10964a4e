/**
 * The summary of a replay, as CONTRACT.md states it. Pure.
 */
import type { ReplayOutcome } from '../actors/replay-job.ts'
import type { CloudEvent, EventData } from '../core/event.ts'

export interface ReplaySummary {
  file: string
  camera: string
  durationSeconds: number
  wallSeconds: number
  /** Of these, from the opened source to the last verdict: without starting and ending processes. */
  analysisSeconds: number
  /** Media seconds analysed per wall second. */
  realtimeFactor: number
  frames: {
    captured: number
    analysed: number
    skipped: Record<string, number>
    dropped: Record<string, number>
    inFlight: number
  }
  faces: number
  tracks: number
  /** Tracks that ended with the name confirmed, by subject. */
  identities: Record<string, number>
  keyframes: number
  stages: Record<string, { p50Ms: number; p95Ms: number; count: number }>
  device: string
  decoder: string
  peakRssBytes: number
  /** Times the session host was replaced. */
  restarts: number
  /** Times the engine was started again meanwhile. */
  engineRestarts: number
  leases: number
  damage: ReplayOutcome['damage']
  /** Set when the replay was ended before its end. */
  stopped?: true
}

/** What the events do not say. */
export interface ReplayEnd {
  file: string
  camera: string
  outcome: ReplayOutcome
  wallSeconds: number
  device: string
  engineRestarts: number
}

/** Counts what the events of one replay say. */
export class ReplayTally {
  #identities = new Map<string, number>()
  #keyframes = 0

  add(event: CloudEvent): void {
    if (event.type === 'keyframe') this.#keyframes++
    if (event.type !== 'face.track') return
    const { phase, identity } = event.data as EventData<'face.track'>
    if (phase !== 'end' || identity.subject === undefined || !isSettled(identity.status)) return
    this.#identities.set(identity.subject, (this.#identities.get(identity.subject) ?? 0) + 1)
  }

  summary({ file, camera, outcome, wallSeconds, device, engineRestarts }: ReplayEnd): ReplaySummary {
    const { totals, stream, stages, damage, leases, restarts, peakRssBytes } = outcome
    const { captured, analysed, skipped, dropped, inFlight } = totals.ledger
    const seconds = totals.lastPtsMs / 1000
    const times = Object.entries(stages).map(([stage, { p50Ms, p95Ms, count }]) => [
      stage,
      { p50Ms: rounded(p50Ms), p95Ms: rounded(p95Ms), count },
    ])
    return {
      file,
      camera,
      durationSeconds: rounded(seconds),
      wallSeconds: rounded(wallSeconds),
      analysisSeconds: rounded(outcome.analysisMs / 1000),
      realtimeFactor: rounded(seconds / wallSeconds),
      frames: { captured, analysed, skipped, dropped, inFlight },
      faces: totals.faces,
      tracks: totals.tracks,
      identities: Object.fromEntries([...this.#identities].sort(([a], [b]) => (a < b ? -1 : 1))),
      keyframes: this.#keyframes,
      stages: Object.fromEntries(times),
      device,
      decoder: `${stream.decoder} ${stream.codec}`,
      peakRssBytes,
      restarts,
      engineRestarts,
      leases,
      damage,
      ...(outcome.reason === 'stopped' ? { stopped: true } : {}),
    }
  }
}

const isSettled = (status: string) => status === 'confirmed' || status === 'corrected'
const rounded = (value: number) => Math.round(value * 1000) / 1000
