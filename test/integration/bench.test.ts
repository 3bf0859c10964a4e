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
    expect(unknown.err).toMatch(/^CFG_USAGE: .*: script\/bench replay\|engine\|extract\S* .*\n$/)
  })

  it.skipIf(!hasClips)('engine prints a row for each model and batch size, with the load of the device', async () => {
    const env = { GRABBER_DATA: data }
    expect(await run('bin/grabber', ['models', 'pull'], env)).toMatchObject({ status: 0 })
    const { status, out, err } = await run('script/bench', ['engine', '--json', '--seconds', '1'], env)
    expect([status, err]).toEqual([0, ''])
    const { rows } = JSON.parse(out) as { rows: { model: string; batch: number }[] }
    const sizes = rows.map(({ batch }) => batch)
    expect(sizes.slice(0, 4)).toEqual([1, 2, 4, 8])
    expect(sizes.slice(0, sizes.length / 2)).toEqual(sizes.slice(sizes.length / 2))
    const figures = { imagesPerSecond: positive, p50Ms: positive, p95Ms: positive, meanBatch: positive }
    for (const row of rows) expect(row).toMatchObject({ ...figures, device: expect.any(String) })
    const onCpu = rows.filter((row) => 'device' in row && row.device === 'cpu')
    for (const row of onCpu) expect(row).toMatchObject({ deviceLoadPercent: positive })
  })

  it.skipIf(!hasClips)('measures prints the CPU time of each and of all', async () => {
    const { status, out, err } = await run('script/bench', ['measures', '--json', '--seconds', '1'], {})
    expect([status, err]).toEqual([0, ''])
    const { cpuMs, parts } = JSON.parse(out) as { cpuMs: number; parts: Record<string, number> }
    expect(cpuMs).toEqual(positive)
    expect(Object.keys(parts)).toEqual(expect.arrayContaining(['detail', 'noise', 'corners', 'edges', 'quality']))
    for (const value of Object.values(parts)) expect(value).toEqual(positive)
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
