/**
 * How a service says that it failed, besides its answer's body: the headers of NATS's service protocol. Pure; no I/O.
 * https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-32.md, "Error Handling"
 */
import type { ServiceReply } from '../../core/ports.ts'

/** A header holds one line. */
const LINE_BREAKS = /[\r\n]+/g

export function failureHeaders({ status, message }: NonNullable<ServiceReply['failure']>): Record<string, string> {
  return { 'Nats-Service-Error-Code': String(status), 'Nats-Service-Error': message.replaceAll(LINE_BREAKS, ' ') }
}
