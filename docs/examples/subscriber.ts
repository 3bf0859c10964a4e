/**
 * Reads the events of a grabber and writes one line for each, durably: what comes while this program is away is there when it is
 * back. Needs the package `nats`.
 *
 *   node subscriber.ts nats://127.0.0.1:4222 my-program
 *
 * The address is in data/run.json (`natsUrl`). JetStream delivers at least once: an event that was seen before is known by its id.
 */
import { AckPolicy, connect, DeliverPolicy, type JsMsg } from 'nats'
import type { GrabberEvent } from '../events/grabber-events.d.ts'

const [servers = 'nats://127.0.0.1:4222', name = 'example-ts'] = process.argv.slice(2)
const STREAM = 'GRABBER_EVENTS'
const REMEMBERED_IDS = 10_000

const seen = new Set<string>()

/** CloudEvents binary mode: attributes are headers `ce-…`, the payload is the data. */
function eventOf(message: JsMsg): GrabberEvent {
  const header = (attribute: string) => message.headers?.get(attribute) ?? ''
  return {
    specversion: '1.0',
    id: header('ce-id'),
    source: header('ce-source'),
    type: header('ce-type'),
    subject: header('ce-subject'),
    time: header('ce-time'),
    datacontenttype: 'application/json',
    dataschema: header('ce-dataschema'),
    data: message.json(),
  } as GrabberEvent
}

/** Your work goes here. `type` tells which data the event has. */
function handle(event: GrabberEvent): void {
  if (event.type === 'face.track' && event.data.identity.status === 'confirmed') {
    const { name: person, subject } = event.data.identity
    process.stderr.write(`${event.subject}: ${person ?? subject ?? ''} since ${event.data.firstSeen}\n`)
  }
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

const connection = await connect({ servers, name, maxReconnectAttempts: -1 })
const manager = await connection.jetstreamManager()
// One position for each name; the same call again finds it.
await manager.consumers.add(STREAM, {
  durable_name: name,
  ack_policy: AckPolicy.Explicit,
  deliver_policy: DeliverPolicy.All,
  filter_subject: 'grabber.*.events.>',
})
const consumer = await connection.jetstream().consumers.get(STREAM, name)
for await (const message of await consumer.consume()) {
  const event = eventOf(message)
  if (!seen.has(event.id)) handle(event)
  // After the work: a crash in between means that it comes again.
  message.ack()
  seen.add(event.id)
  if (seen.size > REMEMBERED_IDS) seen.delete(seen.values().next().value!)
}
