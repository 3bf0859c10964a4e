/**
 * What differs between two configurations, and what of it can be applied while the daemon runs. Pure.
 */
import { isDeepStrictEqual } from 'node:util'
import { cameraConfig } from './camera-config.ts'
import type { Config } from './schema.ts'

type Section = keyof Config

/** Whether a change of a section is applied to a running daemon. What is not has been built into its members at the start. */
const appliedLive: Record<Section, boolean> = {
  cameras: true,
  defaults: true,
  events: true,
  http: true,
  jobs: true,
  load: true,
  log: true,
  reconnect: true,
  timeouts: true,
  data: false,
  engine: false,
  nats: false,
  node: false,
  visitors: false,
}

export interface CameraDiff {
  added: string[]
  removed: string[]
  /** Those for which something effective differs, a default that they inherit included. */
  changed: string[]
}

export interface ConfigDiff {
  /** Dotted paths of all values that differ, in order; sections that are only in one of the two stand for their content. */
  changed: string[]
  /** Sections that differ and are applied. */
  live: ReadonlySet<Section>
  cameras: CameraDiff
  /** Those of `changed` that wait for the next start of the daemon. */
  restartNeeded: string[]
}

export function configDiff(before: Config, after: Config): ConfigDiff {
  const changed = [...differences(before, after, [])].sort()
  const isLive = (path: string) => appliedLive[path.split('.')[0] as Section]
  return {
    changed,
    live: new Set(changed.filter(isLive).map((path) => path.split('.')[0] as Section)),
    cameras: cameraDiff(before, after),
    restartNeeded: changed.filter((path) => !isLive(path)),
  }
}

/** `after`, with what cannot be applied left as it is in `running`. */
export function applicable(running: Config, after: Config): Config {
  const kept = Object.entries(running).filter(([section]) => !appliedLive[section as Section])
  return { ...after, ...Object.fromEntries(kept) }
}

function cameraDiff(before: Config, after: Config): CameraDiff {
  const had = Object.keys(before.cameras)
  const has = Object.keys(after.cameras)
  return {
    added: has.filter((id) => !had.includes(id)),
    removed: had.filter((id) => !has.includes(id)),
    changed: has.filter(
      (id) => had.includes(id) && !isDeepStrictEqual(cameraConfig(before, id), cameraConfig(after, id)),
    ),
  }
}

function* differences(before: unknown, after: unknown, path: readonly string[]): Generator<string> {
  if (isDeepStrictEqual(before, after)) return
  if (!isMapping(before) || !isMapping(after)) {
    yield path.join('.')
    return
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    yield* differences(before[key], after[key], [...path, key])
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
