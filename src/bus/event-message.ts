/**
 * CloudEvents 1.0 in NATS binary mode: attributes as `ce-` headers, the data as JSON. Pure; no I/O.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/nats-protocol-binding.md
 */
import type { CloudEvent } from '../../core/event.ts'
import type { BusMessage } from '../../core/ports.ts'

/**
 * Headers and payload. Values go as they are: ids, node and camera names, types and times are ASCII without spaces
 * (core/event, config), so nothing has to be percent-encoded.
 */
export function toMessage(subject: string, event: CloudEvent): BusMessage {
  return {
    subject,
    headers: {
      'ce-specversion': event.specversion,
      'ce-id': event.id,
      'ce-source': event.source,
      'ce-type': event.type,
      'ce-subject': event.subject,
      'ce-time': event.time,
      'ce-dataschema': event.dataschema,
      'content-type': event.datacontenttype,
      // JetStream refuses to store a second message of the same id within its duplicate window.
      'Nats-Msg-Id': event.id,
    },
    data: Buffer.from(JSON.stringify(event.data)),
  }
}

/** The structured form; `undefined` when the message is no CloudEvent of ours. The data is not checked against its schema. */
export function fromMessage({ headers, data }: BusMessage): CloudEvent | undefined {
  const { 'ce-id': id, 'ce-source': source, 'ce-type': type, 'ce-subject': subject, 'ce-time': time } = headers
  const dataschema = headers['ce-dataschema']
  if (headers['ce-specversion'] !== '1.0' || headers['content-type'] !== 'application/json') return undefined
  if (!id || !source || !type || !subject || !time || !dataschema) return undefined
  return {
    specversion: '1.0',
    id,
    source,
    type: type as CloudEvent['type'],
    subject,
    time,
    datacontenttype: 'application/json',
    dataschema,
    data: JSON.parse(Buffer.from(data).toString()) as CloudEvent['data'],
  }
}
