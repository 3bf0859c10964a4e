/**
 * Commands by HTTP: the routes of the API, and the one of the control socket. Runs in the daemon. What they do is in src/commands.
 */
import type { GrabberError } from '../../core/errors.ts'
import type { Answer, Door } from '../commands/command.ts'
import type { Call } from '../commands/command-desk.ts'
import { badRequest, MAX_INPUT_BYTES } from '../commands/read-request.ts'
import { foreignRequest } from './local-only.ts'
import type { Reply, Request, Route } from './route.ts'
import { httpStatus } from './status.ts'

export interface CommandPort {
  command(name: string, call: Call): Promise<Answer>
}

/** `local`: the server listens on a loopback address. Without that, it only reads. */
export function cameraRoutes({ command }: CommandPort, local: boolean): Route[] {
  const verb = (name: string): Route => ({
    method: 'POST',
    path: `/api/v1/cameras/:id/${name}`,
    async answer(request) {
      const refusal = foreignRequest(request.headers, local) ?? unexpectedBody(request)
      return reply(await command(`cameras.${name}`, call('http', request, { id: request.params.id }, refusal)))
    },
  })
  return [
    {
      method: 'GET',
      path: '/api/v1/cameras/:id',
      answer: async (request) => reply(await command('cameras.get', call('http', request, { id: request.params.id }))),
    },
    ...['start', 'stop', 'restart'].map(verb),
  ]
}

/** Who can open the socket may use every command. */
export function controlCommandRoute({ command }: CommandPort): Route {
  return {
    method: 'POST',
    path: '/control/commands/:name',
    bodyLimitBytes: MAX_INPUT_BYTES,
    answer: async (request) => reply(await command(request.params.name ?? '', call('control', request, request.body))),
  }
}

function call(door: Door, { headers, peer }: Request, value: unknown, refusal?: GrabberError): Call {
  return { door, peer, headers, input: refusal ? { refusal } : { value } }
}

function reply(answer: Answer): Reply {
  return { status: answer.ok ? 200 : httpStatus(answer.error.code), body: answer }
}

/** Everything is said by the path. */
function unexpectedBody({ body }: Request): GrabberError | undefined {
  const empty = body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0)
  return empty ? undefined : badRequest('no body is expected')
}
