/**
 * `grabber events tail`: what subscribers see, as it comes. Runs as a command, beside a daemon or far from it. Ends with the
 * user's interruption or when nobody reads on.
 */
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { BusMessage } from '../../core/ports.ts'
import { type FeedStart, feed, streamOf } from '../bus/event-feed.ts'
import { type CliContext, openConfig, usage } from './context.ts'
import { humanEventLine, jsonLine } from './event-line.ts'
import { eventsPlace } from './events-address.ts'
import { followHistory } from './history-feed.ts'

const MAX_LAST = 100_000
const MINUTE_MS = 60_000
const unitsMs: Record<string, number> = { s: 1000, m: MINUTE_MS, h: 60 * MINUTE_MS, d: 24 * 60 * MINUTE_MS }

interface TailFlags {
  subject: string
  since?: string
  last?: string
  json?: true
  nats?: string
}

export function registerTail(events: Command, context: CliContext): void {
  events
    .command('tail')
    .description('what subscribers see, as it comes; one JSON line an event unless stdout is a terminal')
    .option('--subject <subject>', 'NATS subject, with wildcards', 'grabber.*.events.>')
    .option('--last <n>', 'begin with the last n events that are stored')
    .option('--since <when>', 'begin with what was stored since: 30s, 15m, 2h, 7d or a date')
    .option('--json', 'JSON lines (CloudEvents in structured mode) on a terminal as well')
    .option('--nats <url>', 'another server: nats://host:4222')
    .addHelpText('after', '\nExample:\n  grabber events tail --subject "grabber.*.events.lobby.face.track" --last 10')
    .action(async (flags: TailFlags, command: Command) => {
      const { config } = openConfig(context, command)
      await tail(context, config, flags)
      throw context.signal.reason
    })
}

async function tail(context: CliContext, config: Config, flags: TailFlags): Promise<void> {
  const { logger, signal, stdout } = context
  const { subject } = flags
  const start = startOf(flags)
  const line = flags.json || stdout.isTTY !== true ? jsonLine : humanEventLine
  const onMessage = (message: BusMessage) => void stdout.write(line(message))
  const place = eventsPlace(config, flags.nats)
  if (place.kind === 'nats') {
    await feed({ address: place.address, subject, start, logger, clock: systemClock, signal, onMessage })
    return
  }
  if (streamOf(subject) === undefined) {
    throw new GrabberError(
      'BUS_UNAVAILABLE',
      `the bus of the running grabber is inside it: ${subject} cannot be seen`,
      {
        remedy: 'install nats-server, or set nats.url to a server',
      },
    )
  }
  logger.info({}, 'the bus of the running grabber is inside it: events come from its history')
  await followHistory({ path: join(config.data, 'grabber.db'), subject, start, clock: systemClock, signal, onMessage })
}

function startOf({ subject, since, last }: TailFlags): FeedStart {
  if (!/^[^\s.]+(\.[^\s.]+)*$/.test(subject)) throw usage('--subject takes a NATS subject')
  if (since !== undefined && last !== undefined) throw usage('--since and --last exclude each other')
  if ((since ?? last) !== undefined && streamOf(subject) === undefined) {
    throw usage(`${subject} is not stored as a whole: only grabber.*.events.> has a past`)
  }
  if (since !== undefined) return { sinceMs: sinceMs(since) }
  const count = last === undefined ? 0 : Number(last)
  if (!Number.isInteger(count) || count < 0 || count > MAX_LAST) throw usage(`--last takes 0 to ${MAX_LAST}`)
  return { last: count }
}

function sinceMs(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  const timeMs = unit === undefined ? Date.parse(text) : Date.now() - Number(amount) * unitsMs[unit]!
  if (!Number.isFinite(timeMs)) throw usage('--since takes 30s, 15m, 2h, 7d or a date such as 2026-01-31T08:00Z')
  return timeMs
}
