/**
 * `grabber faces calibrate` on five people of eleven photographs each: every figure is computed again, from the exported
 * embeddings, by a program of another language that shares nothing with this one.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CalibrationReport } from '../../src/calibration/calibration-report.ts'
import { calibrate } from '../../src/calibration/report.ts'
import { somePeople } from '../unit/calibration/people.ts'
import { asset } from './support/faces.ts'
import { Grabber, hasAssets } from './support/grabber.ts'

const PYTHON = '/usr/bin/python3'
const script = fileURLToPath(new URL('../fixtures/calibration/recompute.py', import.meta.url))
const hasNumpy = (() => {
  try {
    execFileSync(PYTHON, ['-c', 'import numpy'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

/** The number of figures that agree; throws with the differences. */
const recomputed = (...files: string[]) =>
  Number(execFileSync(PYTHON, [script, ...files], { encoding: 'utf8', stdio: 'pipe' }))

let grabber: Grabber
beforeEach(() => {
  grabber = new Grabber({ models: true })
})
afterEach(() => grabber[Symbol.dispose]())

const run = (...args: string[]) => grabber.run('faces', 'calibrate', ...args)
const pictures = ['--pictures', asset('faces/dlib_johns')]

describe.skipIf(!hasAssets)('faces calibrate', () => {
  test.skipIf(!hasNumpy).for(['0.001', '0.02', '0.3'])(
    'on labelled pictures gives figures that Python gives as well, wanted rate %s',
    async (wanted) => {
      const files = ['--export', 'export.json', '--html', 'report.html', '--false-accept-rate', wanted]
      const { status, out, err } = await run(...pictures, ...files, '--json')
      expect([status, err]).toEqual([
        0,
        expect.stringMatching(/left out: GAL_DUPLICATE: .*\n.*biometric data of 5 people/),
      ])
      writeFileSync(grabber.path('report.json'), out)
      expect(recomputed(grabber.path('export.json'), grabber.path('report.json'))).toBeGreaterThan(900)
      expect(statSync(grabber.path('export.json')).mode & 0o777).toBe(0o600)
      expect(readFileSync(grabber.path('report.html'), 'utf8')).toContain('John_Savage')

      const { data, operatingPoints, nearest, wanted: found } = JSON.parse(out) as CalibrationReport
      expect(data).toMatchObject({ people: 5, embeddings: 54, sources: true })
      expect(operatingPoints[0]).toMatchObject({
        at: 'configured',
        threshold: 0.6,
        fmr: { errors: 0, comparisons: 216 },
      })
      expect(operatingPoints[0]!.fnmr).toMatchObject({ errors: 1, comparisons: 54 })
      expect(nearest[0]).toMatchObject({ a: 'John_Savage', b: 'John_Schneider' })
      // 3 ÷ 216 comparisons: a rate of 0.001 cannot be measured with so few.
      expect(found.threshold === null).toBe(wanted === '0.001')
    },
  )

  test('on the gallery: nobody, then people, beside the page', async () => {
    const empty = await run()
    expect([empty.status, empty.out]).toEqual([0, expect.stringContaining('enrol at least two')])
    expect(existsSync(`${grabber.data}/grabber.db`)).toBe(false)
    for (const [subject, clip] of Object.entries({ anna: 'again', bert: 'book' })) {
      await grabber.run('faces', 'enroll', subject, asset(`videos/asl/${clip}.mkv`), '--name', `Name of ${subject}`)
    }
    const { status, out } = await run('--html', 'report.html')
    expect(status).toBe(0)
    expect(out).toMatch(/people 2, .*\nanna +bert +0\.\d{3}\n.*does not say which picture/s)
    expect(`${out}${readFileSync(grabber.path('report.html'), 'utf8')}`).not.toContain('Name of')
  })

  test('refuses what it cannot do', async () => {
    expect(await run('--false-accept-rate', '1')).toMatchObject({ status: 2, err: expect.stringMatching(/^CFG_USAGE/) })
    expect(await run('--pictures', 'nowhere')).toMatchObject({
      status: 3,
      err: expect.stringMatching(/^SRC_NOT_FOUND/),
    })
    expect(await run('--pictures', '.')).toMatchObject({ status: 3, err: expect.stringMatching(/^SRC_EMPTY/) })
    writeFileSync(grabber.path('mine.json'), 'mine')
    expect(await run('--export', 'mine.json')).toMatchObject({ status: 2, err: expect.stringContaining('EEXIST') })
    expect(readFileSync(grabber.path('mine.json'), 'utf8')).toBe('mine')
  })
})

test.skipIf(!hasNumpy)('tracks and many people: Python gives the same figures', () => {
  const people = somePeople(30, 4)
  const seen = somePeople(16, 3, { seed: 99 })
  const tracks = seen.map(({ embeddings }, index) => ({
    trackId: `t${index}`,
    camera: index % 3 === 0 ? 'yard' : 'lobby',
    startMs: index * 700,
    endMs: index * 700 + 4000,
    ...(index % 4 === 0 ? { subject: `person-${index}` } : index % 4 === 1 ? { anonymous: 'v-1' } : {}),
    // A named track is of one who is known.
    embeddings: index % 4 === 0 ? people[index]!.embeddings.slice(1) : embeddings,
  }))
  const data = { people, tracks }
  const plain = <T extends { embeddings: readonly Float32Array[] }>(item: T) => ({
    ...item,
    embeddings: item.embeddings.map((each) => [...each]),
  })
  writeFileSync(grabber.path('export.json'), JSON.stringify({ people: people.map(plain), tracks: tracks.map(plain) }))
  for (const wantedFmr of [0.0001, 0.003, 0.1]) {
    const report = calibrate(data, { model: 'm', threshold: 0.55, wantedFmr })
    expect(report.distributions).toHaveLength(6)
    writeFileSync(grabber.path('report.json'), JSON.stringify(report))
    expect(recomputed(grabber.path('export.json'), grabber.path('report.json'))).toBeGreaterThan(800)
    report.operatingPoints[0]!.fmr.bootstrap!.high += 1e-8
    writeFileSync(grabber.path('report.json'), JSON.stringify(report))
    expect(() => recomputed(grabber.path('export.json'), grabber.path('report.json'))).toThrow(/bootstrap\.high/)
  }
})
