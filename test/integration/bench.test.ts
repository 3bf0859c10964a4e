/** The benchmarks as commands: they run, and print what the contract names. What they measure is not judged here. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const assets = process.env.GRABBER_ASSETS ?? resolve(root, '../shared/assets')
const hasClips = existsSync(join(assets, 'videos/asl')) && spawnSync('ffmpeg', ['-version']).status === 0

interface Result {
  status: number
  out: string
  err: string
}

function run(file: string, args: string[], env: Record<string, string>): Promise<Result> {
  return new Promise((done) => {
    const options = { cwd: root, env: { ...process.env, GRABBER_ASSETS: assets, ...env }, timeout: 90_000 }
    execFile(join(root, file), args, options, (error, out, err) => {
      done({ status: error === null ? 0 : Number(error.code ?? 1), out, err })
    })
  })
}

let data: string
beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'grabber-bench-'))
})
afterAll(() => rmSync(data, { recursive: true }))

const positive = expect.toSatisfy((value) => typeof value === 'number' && value > 0, 'a number above 0')

describe('script/bench', () => {
  it('says what to do without models, and names its benchmarks', async () => {
    const replay = await run('script/bench', ['replay', '--json'], { GRABBER_DATA: join(data, 'none') })
    expect([replay.status, replay.out]).toEqual([4, ''])
    expect(replay.err).toMatch(/^MDL_MISSING: .*: run `grabber models pull`\n$/)
    const unknown = await run('script/bench', ['rplay'], {})
    expect([unknown.status, unknown.out]).toEqual([2, ''])
    expect(unknown.err).toMatch(/^CFG_USAGE: .*: script\/bench replay\|engine\|startup\S* .*\n$/)
  })

  it.skipIf(!hasClips)('replay prints one object with the documented fields', async () => {
    expect(await run('bin/grabber', ['models', 'pull'], { GRABBER_DATA: data })).toMatchObject({ status: 0 })
    const { status, out, err } = await run('script/bench', ['replay', '--json', '--seconds', '2'], {
      GRABBER_DATA: data,
    })
    expect([status, err]).toEqual([0, ''])
    expect(out.trimEnd().split('\n')).toHaveLength(1)
    const report = JSON.parse(out)
    expect(report).toMatchObject({
      decodeOnlyFps: positive,
      inferOnlyFps: positive,
      limitFps: positive,
      replayFps: positive,
      replayCommandFps: positive,
      ratio: positive,
      // Every frame was detected: 2 s at 30 frames a second.
      frames: { captured: 60, analysed: 60, skipped: {}, dropped: {}, inFlight: 0 },
      facesPerFrame: positive,
      stages: { motion: { count: 60 }, detect: { p50Ms: positive, p95Ms: positive, count: 60 } },
    })
    const { cores, decodeCpuMsPerFrame, inferCpuMsPerFrame, limitFps, replayFps, ratio } = report
    expect(limitFps / ((1000 * cores) / (decodeCpuMsPerFrame + inferCpuMsPerFrame))).toBeCloseTo(1, 2)
    expect(ratio / (replayFps / limitFps)).toBeCloseTo(1, 2)
  })
})
