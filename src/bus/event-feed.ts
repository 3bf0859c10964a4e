/**
 * What subscribers see, from NATS: the messages of a subject, across lost connections. Runs in commands.
 * Subjects that a stream of ours keeps are read from it, so that nothing is missed while the connection is away; others come
 * by a plain subscription.
 */
import type { Clock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { BusMessage, Logger } from '../../core/ports.ts'
import { keepConnected } from './keep-connected.ts'
import type { NatsLink } from './nats-link.ts'
import type { NatsAddress } from './nats-url.ts'
import type { StreamCursor } from './stored-message.ts'
import { ourStreams } from './streams.ts'
import { subjectMatches } from './subjects.ts'

/** Each look for the last messages of a rare subject goes back so many times further. */
const LOOK_BACK_GROWTH = 4

/** Where a feed starts: with the last `last` messages (0: now), or with what was stored since (ms, Unix epoch). */
export type FeedStart = { last: number } | { sinceMs: number }

export interface FeedOptions {
  address(): NatsAddress | Promise<NatsAddress>
  subject: string
  start: FeedStart
  logger: Logger
  clock: Clock
  signal: AbortSignal
  onMessage(message: BusMessage): void
}

/** Name of the stream of ours that keeps every message of a subject pattern. */
export function streamOf(subject: string): string | undefined {
  return ourStreams.find(({ subjects }) => subjects.some((kept) => subjectMatches(kept, subject)))?.name
}

/** Until `signal`. BUS_* when reading cannot even begin; later it is tried again for ever. */
export async function feed(options: FeedOptions): Promise<void> {
  const { address, subject, logger, clock, signal, onMessage } = options
  const stream = streamOf(subject)
  const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  let begun = false
  const position: Position = { start: options.start, next: undefined }

  async function subscribe(link: NatsLink): Promise<void> {
    const { promise: refused, reject } = Promise.withResolvers<never>()
    link.subscribe(subject, onMessage, reject)
    begun = true
    await Promise.race([link.lost, refused, ended])
  }

  async function read(link: NatsLink, name: string): Promise<void> {
    const { cursor, skip } = await openCursor(link, name, subject, position)
    begun = true
    let left = skip
    const reading = async () => {
      for await (const message of cursor.read(Number.POSITIVE_INFINITY)) {
        if (signal.aborted) return
        if (left-- > 0) continue
        position.next = message.seq + 1
        onMessage(message)
      }
      throw new GrabberError('BUS_UNAVAILABLE', `reading the stream ${name} ended`)
    }
    try {
      await Promise.race([reading(), ended])
    } finally {
      await cursor.close()
    }
  }

  await keepConnected({
    address,
    name: 'grabber events tail',
    logger,
    clock,
    signal,
    serve: (link) => (stream === undefined ? subscribe(link) : read(link, stream)),
    onAway(error) {
      if (!begun) throw error
    },
  })
}

interface Position {
  readonly start: FeedStart
  /** Sequence number of the next message; `undefined` before the first one is known. */
  next: number | undefined
}

/** The first `skip` messages of the cursor are older than what was asked for. */
async function openCursor(
  link: NatsLink,
  stream: string,
  subject: string,
  position: Position,
): Promise<{ cursor: StreamCursor; skip: number }> {
  const range = await link.range(stream)
  if (range === undefined) {
    throw new GrabberError('BUS_UNAVAILABLE', `there is no stream ${stream} on this server`, {
      remedy: 'a running grabber makes it; check that one publishes to this server',
    })
  }
  const { start, next } = position
  // A stream that was deleted and made again counts from 1.
  if (next !== undefined) {
    const seq = next > range.last + 1 ? range.first : next
    return { cursor: await link.open(stream, subject, { seq }), skip: 0 }
  }
  if ('sinceMs' in start) return { cursor: await link.open(stream, subject, start), skip: 0 }
  if (start.last === 0) position.next = range.last + 1
  for (let span = start.last; ; span *= LOOK_BACK_GROWTH) {
    const seq = Math.max(range.first, range.last - span + 1)
    const cursor = await link.open(stream, subject, { seq })
    if (cursor.pending >= start.last || seq <= range.first) {
      return { cursor, skip: Math.max(0, cursor.pending - start.last) }
    }
    await cursor.close()
  }
}
