import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { askDaemon } from '../../src/http/control-client.ts'
import type { ControlPorts } from '../../src/http/control-routes.ts'
import type { HttpPorts } from '../../src/http/public-routes.ts'
import { controlServer, startHttp } from '../../src/http/server.ts'

const warnings: string[] = []
const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (_, message) => void warnings.push(message),
  error: () => undefined,
  child: () => logger,
}
const ports: HttpPorts = {
  keyframes: { list: () => ({ keyframes: [], next: null }), picture: async () => undefined },
  health: () => ({ started: true, parts: [] }),
  metrics: async () => '',
  supervision: () => ({}),
  cameras: () => [],
  events: () => [],
  jobs: () => undefined,
  command: async () => ({ ok: true, data: null, requestId: 'r' }),
}
const control: ControlPorts = {
  enroll: ({ subject, name, embeddings }) => ({ subject, name, embeddings: embeddings.length, enrolledAtMs: 1 }),
  remove: (subject) => {
    throw new GrabberError('GAL_UNKNOWN_SUBJECT', `there is no subject ${subject}`)
  },
  submit: () => undefined,
  refreshModels: async () => ({}),
  command: async () => ({ ok: true, data: null, requestId: 'r' }),
  visitors: async () => [],
  nameVisitor: async (_, { subject, name }) => ({ subject, name, embeddings: 1, enrolledAtMs: 1 }),
  forgetVisitor: async () => undefined,
  list: () => [{ subject: 's1', name: null, embeddings: 2, enrolledAtMs: 1 }],
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'grabber-http-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('startHttp', () => {
  it('answers on a real port, frees it on close, and warns when it is open to the network', async () => {
    const server = await startHttp({ host: '127.0.0.1', port: 0, ports, logger })
    const answer = await fetch(`${server.url}/health/ready`)
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok', reasons: [] }])
    await server.close()
    await expect(fetch(server.url)).rejects.toThrow()
    expect(warnings).toEqual([])
    const open = await startHttp({ host: '0.0.0.0', port: 0, ports, logger })
    await open.close()
    expect(warnings).toHaveLength(1)
  })

  it('says so when the port is in use', async () => {
    const taken = createTcpServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    await expect(startHttp({ host: '127.0.0.1', port, ports, logger })).rejects.toMatchObject({
      code: 'API_LISTEN',
      message: `cannot listen on 127.0.0.1:${port} (EADDRINUSE)`,
    })
    await new Promise((resolve) => taken.close(resolve))
  })
})

describe('controlServer', () => {
  it('serves this user alone, passes data and coded errors, and takes the place of a left-over socket', async () => {
    const path = join(folder, 'control.sock')
    const killed = await controlServer(path, control, logger)
    const server = await controlServer(path, control, logger)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await askDaemon(path, { method: 'GET', path: '/control/subjects' })).toHaveLength(1)
    const body = { subject: 's2', name: 'Grüße', model: 'm', embeddings: [[0.5, 1]] }
    expect(await askDaemon(path, { method: 'POST', path: '/control/subjects', body })).toMatchObject({
      name: 'Grüße',
      embeddings: 1,
    })
    await expect(askDaemon(path, { method: 'DELETE', path: '/control/subjects/s9' })).rejects.toMatchObject({
      code: 'GAL_UNKNOWN_SUBJECT',
      message: 'there is no subject s9',
    })
    await server.close()
    await expect(askDaemon(path, { method: 'GET', path: '/control/subjects' })).rejects.toMatchObject({
      code: 'STO_LOCKED',
    })
    await killed.close()
  })

  it('refuses a path that is too long for a socket', async () => {
    await expect(controlServer(join(folder, 'x'.repeat(120)), control, logger)).rejects.toMatchObject({
      code: 'API_LISTEN',
    })
  })
})
