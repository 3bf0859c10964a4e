import { describe, expect, it } from 'vitest'
import { applicable, configDiff } from '../../../config/diff.ts'
import { type Config, configSchema } from '../../../config/schema.ts'

const config = (written: object): Config => configSchema.parse(written)
const two = { a: { source: 'file:/a.mp4' }, b: { source: 'file:/b.mp4', analysis: { fps: 10 } } }

describe('configDiff', () => {
  it('finds nothing between equal configurations', () => {
    const diff = configDiff(config({ cameras: two }), config({ cameras: { b: two.b, a: two.a } }))
    expect(diff).toEqual({
      changed: [],
      live: new Set(),
      cameras: { added: [], removed: [], changed: [] },
      restartNeeded: [],
    })
  })

  it('tells cameras that come, go and change, and leaves the others out', () => {
    const after = { b: { ...two.b, priority: 3 }, c: { source: 'file:/c.mp4' } }
    const diff = configDiff(config({ cameras: two }), config({ cameras: after }))
    expect(diff.cameras).toEqual({ added: ['c'], removed: ['a'], changed: ['b'] })
    expect(diff.changed).toEqual(['cameras.a', 'cameras.b.priority', 'cameras.c'])
  })

  it('takes a default as a change of those cameras that inherit it', () => {
    const diff = configDiff(config({ cameras: two }), config({ cameras: two, defaults: { analysis: { fps: 7 } } }))
    expect(diff.cameras.changed).toEqual(['a'])
    expect(diff.changed).toEqual(['defaults.analysis.fps'])
    expect([...diff.live]).toEqual(['defaults'])
  })

  it.each([
    ['log.level', { log: { level: 'debug' } }],
    ['http.port', { http: { port: 1 } }],
    ['events.historyRows', { events: { historyRows: 5000 } }],
    ['load.shed', { load: { shed: false } }],
    ['reconnect.minMs', { reconnect: { minMs: 5 } }],
    ['timeouts.stallMs', { timeouts: { stallMs: 5 } }],
  ])('%s is applied', (path, written) => {
    const diff = configDiff(config({}), config(written))
    expect(diff).toMatchObject({ changed: [path], live: new Set([path.split('.')[0]]), restartNeeded: [] })
  })

  it('what was built in at the start waits for the next one, and keeps its value until then', () => {
    const before = config({ cameras: two })
    const after = config({
      node: 'other',
      data: '/elsewhere',
      nats: { url: 'none' },
      engine: { batch: { max: 2 } },
      visitors: { maxTracks: 1 },
      log: { level: 'warn' },
    })
    const { restartNeeded, live } = configDiff(before, after)
    expect(restartNeeded).toEqual(['data', 'engine.batch.max', 'nats.url', 'node', 'visitors.maxTracks'])
    expect(live).toEqual(new Set(['cameras', 'log']))
    expect(applicable(before, after)).toEqual({ ...before, cameras: {}, log: { level: 'warn' } })
  })
})
