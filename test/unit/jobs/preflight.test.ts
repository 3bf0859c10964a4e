import { describe, expect, it } from 'vitest'
import { configSchema } from '../../../config/schema.ts'
import type { PreflightReport } from '../../../core/wire/preflight.ts'
import { judgePreflight } from '../../../src/jobs/preflight.ts'

const { limits } = configSchema.parse({}).jobs

const good: PreflightReport = {
  stream: {
    codec: 'h264',
    decoder: 'software',
    refused: [],
    transport: null,
    container: 'mov,mp4,m4a,3gp,3g2,mj2',
    width: 1920,
    height: 1080,
    fps: 30,
    durationMs: 60_000,
    rotation: 90,
    recordedAtMs: null,
  },
  sizeBytes: 30_000_000,
  colour: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'tv', bitDepth: 8, hdr: null },
  audio: null,
  packets: 1800,
  iframes: 30,
  variableFrameRate: true,
  damage: { count: 3, positions: [], at: [] },
}
const judged = (changes: Partial<PreflightReport>, tonemap = false) =>
  judgePreflight({ ...good, ...changes }, limits, { tonemap })
const withStream = (changes: Partial<PreflightReport['stream']>) => ({ stream: { ...good.stream, ...changes } })

describe('judgePreflight', () => {
  it('takes what is turned, damaged in part, or comes at a variable rate', () => {
    expect(judged({})).toBeUndefined()
    expect(judged(withStream({ durationMs: null }))).toBeUndefined()
    expect(judged(withStream({ durationMs: limits.minDurationMs }))).toBeUndefined()
    expect(judged(withStream({ durationMs: limits.maxDurationMs }))).toBeUndefined()
  })

  it.each(['pq', 'hlg', 'bt2020'] as const)('refuses %s, unless it is to be mapped', (hdr) => {
    const colour = { ...good.colour, hdr }
    expect(judged({ colour })?.code).toBe('SRC_HDR')
    expect(judged({ colour })?.remedy).toContain('--tonemap')
    expect(judged({ colour }, true)).toBeUndefined()
  })

  it.each([
    ['maxBytes', { sizeBytes: limits.maxBytes + 1 }],
    ['maxPixels', withStream({ width: 10_000, height: 5000 })],
    ['maxDurationMs', withStream({ durationMs: limits.maxDurationMs + 1 })],
    ['minDurationMs', withStream({ durationMs: limits.minDurationMs - 1 })],
  ])('names the limit that a recording is beyond: %s', (key, changes) => {
    const error = judged(changes, true)
    expect([error?.code, error?.remedy, error?.exitStatus]).toEqual(['SRC_LIMIT', `change jobs.limits.${key}`, 3])
  })

  it('refuses limits that allow nothing', () => {
    const written = { jobs: { limits: { minDurationMs: 2000, maxDurationMs: 1000 } } }
    expect(configSchema.safeParse(written).error?.issues[0]?.path).toEqual(['jobs', 'limits', 'maxDurationMs'])
  })
})
