/** Keyframes of live cameras by HTTP, over a real database and real files: pages, filters, pictures, and what is not given out. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventSubject, toCloudEvent } from '../../core/event.ts'
import { type KeyframePage, keyframeRoutes } from '../../src/http/keyframe-routes.ts'
import { createServer } from '../../src/http/server.ts'
import { SqliteEventLog } from '../../src/store/events.ts'
import { KeyframeHistory } from '../../src/store/keyframes.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { cleanUp, motionEvent, onCleanUp, silentLogger, temporaryFolder } from './support/nats.ts'

const START_MS = Date.UTC(2026, 0, 1)
const JPEG = Buffer.from('ffd8ffd9', 'hex')

let folder: string
let store: Store
let log: SqliteEventLog
beforeEach(() => {
  folder = temporaryFolder()
  mkdirSync(join(folder, 'pictures/hall'), { recursive: true })
  store = openStore(join(folder, 'grabber.db'))
  onCleanUp(() => store.close())
  log = new SqliteEventLog(store)
})
afterEach(cleanUp)

/** A second after the one before; its id. */
function keyframe(camera: string, seq: number, file?: string): string {
  const frame = { seq, ptsMs: seq * 1000, width: 640, height: 360 }
  const data = { frame, score: 0.5, scores: { sharpness: 1 }, reason: 'parallax', ...(file && { file }) }
  const timeMs = START_MS + seq * 1000
  const event = toCloudEvent({ type: 'keyframe', node: 'n', camera, key: `k-${seq}`, timeMs, data })
  log.append(eventSubject('n', camera, 'keyframe'), event)
  return event.id
}

async function get(url: string, { local = true, headers = {} } = {}) {
  const routes = keyframeRoutes(new KeyframeHistory(store, join(folder, 'pictures')), local)
  const server = createServer(routes, { bodyLimitBytes: 1024, logger: silentLogger })
  const answer = await server.inject({ url, headers: { host: '127.0.0.1:8080', ...headers } })
  return { status: answer.statusCode, type: answer.headers['content-type'], bytes: answer.rawPayload }
}
async function list(query = ''): Promise<KeyframePage> {
  const { status, bytes } = await get(`/api/v1/keyframes${query}`)
  expect(status).toBe(200)
  return (JSON.parse(bytes.toString()) as { data: KeyframePage }).data
}
const codeOf = ({ bytes }: { bytes: Buffer }) =>
  (JSON.parse(bytes.toString()) as { error: { code: string } }).error.code

describe('the list', () => {
  it('is newest first, in pages, of keyframes alone', async () => {
    expect(await list()).toEqual({ keyframes: [], next: null })
    const ids = [0, 1, 2, 3, 4].map((seq) => {
      log.append('s', motionEvent(seq))
      return keyframe('hall', seq)
    })
    const first = await list('?limit=2')
    expect(first.keyframes.map(({ id }) => id)).toEqual([ids[4], ids[3]])
    expect(first.keyframes[0]).toEqual({
      ...{ id: ids[4], camera: 'hall', time: '2026-01-01T00:00:04.000Z', score: 0.5, reason: 'parallax' },
      ...{ frame: { seq: 4, ptsMs: 4000, width: 640, height: 360 }, hasPicture: false },
    })
    const second = await list(`?limit=2&before=${first.next}`)
    // What comes meanwhile moves nothing.
    keyframe('hall', 5)
    const last = await list(`?limit=2&before=${second.next}`)
    expect([...second.keyframes, ...last.keyframes].map(({ id }) => id)).toEqual([ids[2], ids[1], ids[0]])
    expect(last.next).toBeNull()
  })

  it('is of one camera, and of a time in any zone', async () => {
    for (let seq = 0; seq < 4; seq++) for (const camera of ['hall', 'yard']) keyframe(camera, seq)
    const seqs = async (query: string) => (await list(query)).keyframes.map(({ camera, frame }) => [camera, frame.seq])
    const time = 'from=2026-01-01T01:00:01%2B01:00&to=2026-01-01T00:00:03Z'
    expect(await seqs(`?camera=yard&${time}`)).toEqual([
      ['yard', 2],
      ['yard', 1],
    ])
    expect(await seqs(`?${time}`)).toHaveLength(4)
  })

  it('looks at so many for a page and no more, and says where to go on', () => {
    const ids = [0, 1, 2, 3, 4].map((seq) => keyframe(seq === 0 ? 'yard' : 'hall', seq))
    const history = new KeyframeHistory(store, folder, 2)
    const first = history.list({ limit: 10, camera: 'yard' })
    expect(first).toEqual({ keyframes: [], next: expect.any(String) })
    const second = history.list({ limit: 10, camera: 'yard', before: Number(first.next) })
    const third = history.list({ limit: 10, camera: 'yard', before: Number(second.next) })
    expect(third.keyframes.map(({ id }) => id)).toEqual([ids[0]])
    expect(third.next).toBeNull()
  })

  it.each(['limit=0', 'limit=1001', 'camera=../x', 'from=yesterday', 'before=x', 'page=2'])(
    'refuses %s',
    async (query) => {
      const answer = await get(`/api/v1/keyframes?${query}`)
      expect([answer.status, codeOf(answer)]).toEqual([400, 'API_BAD_REQUEST'])
    },
  )
})

describe('the picture', () => {
  const picture = (id: string, options = {}) => get(`/api/v1/keyframes/${id}/picture`, options)

  it('comes as it lies in the folder', async () => {
    writeFileSync(join(folder, 'pictures/hall/one.jpg'), JPEG)
    const answer = await picture(keyframe('hall', 1, 'hall/one.jpg'))
    expect([answer.status, answer.type, answer.bytes]).toEqual([200, 'image/jpeg', JPEG])
  })

  it('is none where there is none: unknown, not kept, removed, of another kind, or outside the folder', async () => {
    writeFileSync(join(folder, 'secret.jpg'), JPEG)
    writeFileSync(join(folder, 'pictures/hall/notes.txt'), 'text')
    symlinkSync(join(folder, 'secret.jpg'), join(folder, 'pictures/hall/link.jpg'))
    const ids = [
      undefined,
      'hall/gone.jpg',
      'hall/notes.txt',
      '../secret.jpg',
      'hall/link.jpg',
      'hall/\0.jpg',
      '/etc/passwd',
    ]
    const kept = ids.map((file, seq) => keyframe('hall', seq, file))
    for (const id of [...kept, 'x', '..%2Fsecret.jpg', '%2e%2e']) {
      const answer = await picture(id)
      expect([id, answer.status, codeOf(answer)]).toEqual([id, 404, 'API_NOT_FOUND'])
    }
    const motion = motionEvent(1)
    log.append('s', motion)
    expect((await picture(motion.id)).status).toBe(404)
  })

  it('is not sent beyond this machine, nor to web pages', async () => {
    writeFileSync(join(folder, 'pictures/hall/one.jpg'), JPEG)
    const id = keyframe('hall', 1, 'hall/one.jpg')
    for (const options of [
      { local: false },
      { headers: { origin: 'http://x' } },
      { headers: { host: 'evil.example' } },
    ]) {
      const answer = await picture(id, options)
      expect([answer.status, codeOf(answer)]).toEqual([403, 'API_FORBIDDEN'])
    }
  })
})
