/**
 * The commands as a service of the bus: `grabber.<node>.cmd.<command>`, discoverable with NATS's own tools. Runs in the daemon.
 */
import { errorTable } from '../../core/error-table.ts'
import type { BusMessage, ServiceReply, ServiceSpec } from '../../core/ports.ts'
import { httpStatus } from '../http/status.ts'
import type { Answer } from './command.ts'
import type { CommandDesk } from './command-desk.ts'

/** For `EventBus.serve`. `version` is that of the program. */
export function commandService(desk: CommandDesk, node: string, version: string): ServiceSpec {
  return {
    name: 'grabber',
    version,
    description: `commands of the grabber ${node}`,
    metadata: { node },
    endpoints: desk.commands.map(({ name }) => ({
      // A name of an endpoint has no dots.
      name: name.replace('.', '-'),
      subject: `grabber.${node}.cmd.${name}`,
      answer: async (request) => reply(await desk.answer(name, call(request))),
    })),
  }
}

function call({ headers, data }: BusMessage) {
  return { door: 'nats' as const, peer: null, headers, input: { bytes: data } }
}

function reply(answer: Answer): ServiceReply {
  const data = Buffer.from(JSON.stringify(answer))
  if (answer.ok) return { data, failure: null }
  const { code } = answer.error
  // The meaning of the code: the message may be long, and a header is one line.
  return { data, failure: { status: httpStatus(code), message: `${code}: ${errorTable[code].meaning}` } }
}
