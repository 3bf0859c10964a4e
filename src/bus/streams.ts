/**
 * The JetStream streams of grabber: names, subjects and limits. Data only.
 * A stream that exists is left as it is: its limits may be the operator's own.
 */

const MIB = 1024 * 1024
const DAY_MS = 24 * 3600 * 1000

export interface StreamLimits {
  name: string
  subjects: string[]
  maxBytes: number
  maxAgeMs: number
  duplicateWindowMs: number
}

/** About a million events of 1 KB, or 30 days; the oldest go first. The window is JetStream's default, stated. */
export const eventsStream: StreamLimits = {
  name: 'GRABBER_EVENTS',
  subjects: ['grabber.*.events.>'],
  maxBytes: 1024 * MIB,
  maxAgeMs: 30 * DAY_MS,
  duplicateWindowMs: 120_000,
}

/** What could not be processed, with its reason. */
export const deadStream: StreamLimits = {
  name: 'GRABBER_DEAD',
  subjects: ['grabber.*.dead.>'],
  maxBytes: 64 * MIB,
  maxAgeMs: 30 * DAY_MS,
  duplicateWindowMs: 120_000,
}

export const ourStreams = [eventsStream, deadStream] as const
