/**
 * The HTTP servers: answers `{ok:true,data}` or `{ok:false,error:{code,message}}`, coded errors, size and time limits.
 * Runs in the daemon; only importer of fastify. The routes are in public-routes and control-routes; what they answer comes
 * through ports. There is no authentication: the default address is the loopback one, and commands need it.
 */
import { chmod, lstat, unlink } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import type { ErrorCode } from '../../core/error-table.ts'
import { errorTable } from '../../core/error-table.ts'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { type ControlPorts, controlRoutes } from './control-routes.ts'
import { isLoopback } from './local-only.ts'
import { type HttpPorts, publicRoutes } from './public-routes.ts'
import type { Reply, Request, Route } from './route.ts'
import { httpStatus } from './status.ts'

const REQUEST_TIMEOUT_MS = 10_000
/** The longest path of a Unix socket on Linux (sun_path is 108 bytes with its end). */
const MAX_SOCKET_PATH_BYTES = 107

export interface RunningServer {
  /** `http://host:port`, or the path of the socket. */
  url: string
  /** Stops listening, ends idle connections, waits for requests that are being answered. */
  close(): Promise<void>
}

export interface HttpOptions {
  host: string
  /** 0 takes a free port. */
  port: number
  ports: HttpPorts
  logger: Logger
}

/** Health, metrics, the API. Throws API_LISTEN when the address cannot be had. */
export async function startHttp({ host, port, ports, logger }: HttpOptions): Promise<RunningServer> {
  if (!isLoopback(host)) logger.warn({ host }, 'the HTTP API has no authentication yet and listens beyond this machine')
  const server = createServer(publicRoutes(ports, { local: isLoopback(host) }), { bodyLimitBytes: 64 * 1024, logger })
  return listen(server, { host, port }, `${host}:${port}`)
}

/**
 * The command line's way to a running daemon, on a Unix socket that only this user can open.
 * Takes the place of a socket file left by a daemon that was killed: the lock on the data folder makes that safe.
 */
export async function controlServer(path: string, ports: ControlPorts, logger: Logger): Promise<RunningServer> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw new GrabberError('API_LISTEN', `the socket path ${path} is longer than ${MAX_SOCKET_PATH_BYTES} bytes`, {
      remedy: 'use a data folder with a shorter path',
    })
  }
  const stale = await lstat(path).catch(() => undefined)
  if (stale?.isSocket()) await unlink(path)
  // Several embeddings of a few thousand numbers, as decimal text.
  const server = createServer(controlRoutes(ports), { bodyLimitBytes: 4 * 1024 * 1024, logger })
  const running = await listen(server, { path }, path)
  await chmod(path, 0o600)
  return { ...running, url: path }
}

/** The instance without a listener; for tests, which use `inject`. */
export function createServer(
  routes: readonly Route[],
  { bodyLimitBytes, logger }: { bodyLimitBytes: number; logger: Logger },
): FastifyInstance {
  const server = fastify({
    logger: false,
    bodyLimit: bodyLimitBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
  })
  for (const route of routes) {
    server.route({
      method: route.method,
      url: route.path,
      ...(route.bodyLimitBytes === undefined ? {} : { bodyLimit: route.bodyLimitBytes }),
      async handler(request, reply) {
        const { params, query, body, headers, socket } = request
        const answer = await route.answer({
          params: params as Record<string, string>,
          query,
          body,
          headers: single(headers),
          peer: socket.remoteAddress ?? null,
        })
        return send(reply, answer)
      },
    })
  }
  server.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send(failure('API_NOT_FOUND', `there is nothing at ${request.method} ${request.url.split('?')[0]}`)),
  )
  server.setErrorHandler((error, request, reply) => {
    const coded = codedError(error)
    const status = httpStatus(coded.code)
    if (status >= 500) logger.error({ err: error, route: request.routeOptions.url }, 'a request failed')
    // The message of a defect can hold anything; it is in the log.
    const message = coded.code === 'ACT_DEFECT' ? errorTable.ACT_DEFECT.meaning : coded.message
    return reply.code(status).send(failure(coded.code, message))
  })
  return server
}

function single(headers: IncomingHttpHeaders): Request['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  )
}

interface Sender {
  code(status: number): Sender
  header(name: string, value: string): Sender
  send(payload: unknown): unknown
}

function send(reply: Sender, answer: Reply): unknown {
  reply
    .code(answer.status ?? 200)
    .header('x-content-type-options', 'nosniff')
    .header('cache-control', 'no-store')
  if ('text' in answer) return reply.header('content-type', answer.contentType).send(answer.text)
  if ('bytes' in answer) return reply.header('content-type', answer.contentType).send(answer.bytes)
  if ('body' in answer) return reply.send(answer.body)
  return reply.send({ ok: true, data: answer.data ?? null })
}

function failure(code: ErrorCode, message: string) {
  return { ok: false, error: { code, message } }
}

/** What fastify itself refuses (malformed JSON, too large, wrong media type) is the caller's mistake. */
function codedError(error: unknown): GrabberError {
  const status = (error as { statusCode?: number } | null)?.statusCode
  if (!(error instanceof GrabberError) && status !== undefined && status >= 400 && status < 500) {
    return new GrabberError('API_BAD_REQUEST', (error as Error).message)
  }
  return toGrabberError(error)
}

async function listen(
  server: FastifyInstance,
  where: { host: string; port: number } | { path: string },
  shown: string,
): Promise<RunningServer> {
  try {
    const url = await server.listen(where)
    return { url, close: () => server.close() }
  } catch (cause) {
    await server.close()
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason'
    throw new GrabberError('API_LISTEN', `cannot listen on ${shown} (${reason})`, { cause })
  }
}
