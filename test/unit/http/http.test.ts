import { beforeEach, describe, expect, it } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import { type CloudEvent, toCloudEvent } from '../../../core/event.ts'
import type { Logger } from '../../../core/ports.ts'
import type { Call } from '../../../src/commands/command-desk.ts'
import { type ControlPorts, controlRoutes, type EnrollInput } from '../../../src/http/control-routes.ts'
import type { HealthReport } from '../../../src/http/health.ts'
import { type HttpPorts, publicRoutes } from '../../../src/http/public-routes.ts'
import { createServer } from '../../../src/http/server.ts'
import type { JobRecords } from '../../../src/jobs/job.ts'

const logged: string[] = []
const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (_, message) => void logged.push(message),
  child: () => logger,
}

let report: HealthReport
let asked: unknown[]
let records: JobRecords | undefined
beforeEach(() => {
  report = { started: true, parts: [{ name: 'store', state: 'up', required: true }] }
  asked = []
  records = undefined
  logged.length = 0
})

const ports: HttpPorts = {
  keyframes: { list: () => ({ keyframes: [], next: null }), picture: async () => undefined },
  health: () => report,
  metrics: async () => '# HELP x\nx 1\n',
  supervision: () => ({ name: 'root' }),
  cameras: () => {
    throw new TypeError('reading secretThing of undefined')
  },
  events: (...given) => {
    asked.push(given)
    return []
  },
  command: async () => ({ ok: true, data: null, requestId: 'r' }),
  jobs: (read) => (records ? read(records) : undefined),
}

const server = () => createServer(publicRoutes(ports, { local: true }), { bodyLimitBytes: 1024, logger })
const get = async (url: string) => {
  const answer = await server().inject(url)
  return { status: answer.statusCode, body: answer.body, type: String(answer.headers['content-type']) }
}

describe('health', () => {
  it('is ready once the required parts are up, with reasons while they are not', async () => {
    report = { started: false, parts: [{ name: 'store', state: 'down', required: true, reason: 'opening' }] }
    expect((await get('/health/live')).status).toBe(200)
    const startup = await get('/health/startup')
    expect([startup.status, startup.body]).toEqual([503, expect.stringContaining('store is down: opening')])
    expect((await get('/health/ready')).status).toBe(503)

    report = { started: true, parts: report.parts }
    expect((await get('/health/startup')).status).toBe(200)
    expect(JSON.parse((await get('/health/ready')).body)).toEqual({
      status: 'unavailable',
      reasons: ['store is down: opening'],
    })
  })

  it('stays ready, and says so, when a part that is not required is down', async () => {
    report.parts.push(
      { name: 'bus', state: 'degraded', required: true },
      { name: 'camera:a', state: 'down', required: false },
    )
    const ready = await get('/health/ready')
    expect(ready.status).toBe(200)
    expect(JSON.parse(ready.body)).toEqual({ status: 'degraded', reasons: ['bus is degraded', 'camera:a is down'] })
  })
})

describe('the API', () => {
  it('wraps data, and serves metrics as text', async () => {
    expect(JSON.parse((await get('/api/v1/supervision')).body)).toEqual({ ok: true, data: { name: 'root' } })
    expect(await get('/metrics')).toMatchObject({
      status: 200,
      body: '# HELP x\nx 1\n',
      type: expect.stringContaining('text/plain'),
    })
  })

  it('passes limits on and refuses bad ones with a coded error', async () => {
    await get('/api/v1/events')
    await get('/api/v1/events?limit=7&camera=lobby')
    expect(asked).toEqual([
      [100, undefined],
      [7, 'lobby'],
    ])
    for (const query of ['limit=0', 'limit=ten', 'limit=100000', 'camera=../x', 'sort=up']) {
      const answer = await get(`/api/v1/events?${query}`)
      expect([answer.status, JSON.parse(answer.body).error.code], query).toEqual([400, 'API_BAD_REQUEST'])
    }
    expect(asked).toHaveLength(2)
  })

  it('answers what is not there, and keeps the words of a defect for the log', async () => {
    expect(JSON.parse((await get('/api/v2?key=s3')).body)).toEqual({
      ok: false,
      error: { code: 'API_NOT_FOUND', message: 'there is nothing at GET /api/v2' },
    })
    const defect = await get('/api/v1/cameras')
    expect(defect.status).toBe(500)
    expect(defect.body).not.toContain('secretThing')
    expect(logged).toEqual(['a request failed'])
  })
})

describe('commands by HTTP', () => {
  const calls: { name: string; call: Call }[] = []
  const command = async (name: string, call: Call) => {
    calls.push({ name, call })
    return { ok: true, data: null, requestId: 'r' } as const
  }
  const instance = (local: boolean) =>
    createServer(publicRoutes({ ...ports, command }, { local }), { bodyLimitBytes: 1024, logger })

  it('are asked for with the camera of the path, and what the caller said of itself', async () => {
    const headers = { host: '127.0.0.1:1', 'x-request-id': 'r-1' }
    for (const verb of ['start', 'stop', 'restart']) {
      const answer = await instance(true).inject({ method: 'POST', url: `/api/v1/cameras/lobby/${verb}`, headers })
      expect(answer.json()).toEqual({ ok: true, data: null, requestId: 'r' })
    }
    expect(calls.map(({ name, call: { input } }) => [name, input])).toEqual(
      ['start', 'stop', 'restart'].map((verb) => [`cameras.${verb}`, { value: { id: 'lobby' } }]),
    )
    expect(calls[0]?.call).toMatchObject({ door: 'http', peer: '127.0.0.1', headers: { 'x-request-id': 'r-1' } })
  })

  it('are refused before they are run on a server that listens beyond this machine; reading is not', async () => {
    calls.length = 0
    const headers = { host: '127.0.0.1:1' }
    await instance(false).inject({ method: 'POST', url: '/api/v1/cameras/lobby/stop', headers })
    await instance(false).inject({ method: 'GET', url: '/api/v1/cameras/lobby', headers })
    expect(calls.map(({ name, call: { input } }) => [name, Object.keys(input)])).toEqual([
      ['cameras.stop', ['refusal']],
      ['cameras.get', ['value']],
    ])
  })
})

describe('the control socket', () => {
  const enrolled: EnrollInput[] = []
  const submitted: CloudEvent[] = []
  const control: ControlPorts = {
    enroll(input) {
      if (input.model !== 'm1') throw new GrabberError('GAL_MODEL_MISMATCH', 'the gallery is of m1')
      enrolled.push(input)
      return { subject: input.subject, name: input.name, embeddings: input.embeddings.length, enrolledAtMs: 5 }
    },
    remove(subject) {
      throw new GrabberError('GAL_UNKNOWN_SUBJECT', `there is no subject ${subject}`)
    },
    list: () => [],
    visitors: async () => [],
    nameVisitor: async (_, { subject, name }) => ({ subject, name, embeddings: 1, enrolledAtMs: 1 }),
    forgetVisitor: async () => undefined,
    submit: (event) => submitted.push(event),
    refreshModels: async () => ({ models: ['yunet'], cameras: ['lobby'] }),
    command: async () => ({ ok: true, data: null, requestId: 'r' }),
  }
  const post = async (payload: object | string) => {
    const instance = createServer(controlRoutes(control), { bodyLimitBytes: 2048, logger })
    const headers = { 'content-type': 'application/json' }
    const answer = await instance.inject({ method: 'POST', url: '/control/subjects', headers, payload })
    return {
      status: answer.statusCode,
      ...(JSON.parse(answer.body) as { ok: boolean; data?: unknown; error?: { code: string; message: string } }),
    }
  }

  it('enrols checked input', async () => {
    const answer = await post({ subject: 's1', name: 'Ada', model: 'm1', embeddings: [[0.5, 0.25]] })
    expect(answer).toEqual({
      status: 201,
      ok: true,
      data: { subject: 's1', name: 'Ada', embeddings: 1, enrolledAtMs: 5 },
    })
    expect(enrolled[0]?.embeddings).toEqual([Float32Array.of(0.5, 0.25)])
  })

  it.each([
    ['no embedding', { subject: 's1', model: 'm1', embeddings: [] }],
    ['uneven embeddings', { subject: 's1', model: 'm1', embeddings: [[1, 2], [1]] }],
    ['text for a number', { subject: 's1', model: 'm1', embeddings: [['1', 2]] }],
    ['a path for a subject', { subject: '../s', model: 'm1', embeddings: [[1, 2]] }],
    ['an unknown field', { subject: 's1', model: 'm1', embeddings: [[1, 2]], admin: true }],
    ['broken JSON', '{"subject":'],
    ['too much', { subject: 's1', model: 'm1', embeddings: [Array.from({ length: 1500 }, () => 1)] }],
  ])('refuses %s', async (_, payload) => {
    expect(await post(payload)).toMatchObject({ status: 400, ok: false, error: { code: 'API_BAD_REQUEST' } })
  })

  it('passes the codes of the gallery on', async () => {
    expect(await post({ subject: 's1', model: 'm2', embeddings: [[1, 2]] })).toMatchObject({
      status: 409,
      error: { code: 'GAL_MODEL_MISMATCH' },
    })
    const instance = createServer(controlRoutes(control), { bodyLimitBytes: 2048, logger })
    const gone = await instance.inject({ method: 'DELETE', url: '/control/subjects/s9' })
    expect([gone.statusCode, JSON.parse(gone.body).error.code]).toEqual([404, 'GAL_UNKNOWN_SUBJECT'])
  })

  it('takes events whose data fit their type, all or none', async () => {
    const instance = createServer(controlRoutes(control), { bodyLimitBytes: 4096, logger })
    const frame = { seq: 3, ptsMs: 100, width: 64, height: 48 }
    const data = { phase: 'start' as const, areaRatio: 0.5, frame }
    const event = toCloudEvent({ type: 'motion', node: 'n', camera: 'lobby', key: '1', timeMs: 0, data })
    const send = async (...events: object[]) => {
      const answer = await instance.inject({ method: 'POST', url: '/control/events', payload: { events } })
      return [answer.statusCode, JSON.parse(answer.body).data]
    }
    expect(await send(event, event)).toEqual([200, { accepted: 2 }])
    expect(submitted).toEqual([event, event])
    for (const wrong of [
      { ...event, data: { ...data, areaRatio: 2 } },
      { ...event, type: 'keyframe' },
      { ...event, subject: 'lobby.>' },
      { ...event, extra: 1 },
    ]) {
      expect(await send(event, wrong)).toEqual([400, undefined])
    }
    expect(await send()).toEqual([400, undefined])
    expect(submitted).toHaveLength(2)
  })
})

describe('jobs', () => {
  it('are listed as asked for, and there are none where there never was one', async () => {
    expect(JSON.parse((await get('/api/v1/jobs')).body)).toEqual({ ok: true, data: [] })
    records = { list: (filter) => [filter as never], find: () => undefined }
    expect(JSON.parse((await get('/api/v1/jobs?state=failed&limit=5')).body).data).toEqual([
      { state: 'failed', limit: 5 },
    ])
    expect(JSON.parse((await get('/api/v1/jobs')).body).data).toEqual([{ limit: 100 }])
    expect((await get('/api/v1/jobs?state=lost')).status).toBe(400)
  })

  it('are shown one at a time with their history', async () => {
    expect((await get('/api/v1/jobs/5e36f8a517d8')).status).toBe(404)
    records = { list: () => [], find: (id) => (id === '5e36f8a517d8' ? ({ id, history: [] } as never) : undefined) }
    expect(JSON.parse((await get('/api/v1/jobs/5e36f8a517d8')).body).data).toEqual({ id: '5e36f8a517d8', history: [] })
    expect((await get('/api/v1/jobs/000000000000')).status).toBe(404)
  })
})
