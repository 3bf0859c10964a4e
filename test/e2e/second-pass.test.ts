/** `--optimise` and `--max-frames` as a person gives them: a second pass over real keyframes, its cache, what leaves. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasPhotographs, photographs, wayAlong } from '../integration/support/photograph-way.ts'
import { Grabber } from './support/grabber.ts'

interface Metadata {
  keyframes: { seq: number; file: string }[]
  secondPass?: { before: number; after: number; findings: Record<string, number> }
  summary: { reasons: Record<string, number> }
}

describe.skipIf(!hasPhotographs)('a second pass', () => {
  let grabber: Grabber
  beforeAll(() => {
    grabber = new Grabber()
    wayAlong(join(photographs, readdirSync(photographs).sort()[0]!), grabber.path('way.mp4'))
  })
  afterAll(() => grabber[Symbol.dispose]())

  const metadata = (out: string) =>
    JSON.parse(readFileSync(grabber.path(`${out}/way/metadata.json`), 'utf8')) as Metadata
  const images = (out: string) => readdirSync(grabber.path(`${out}/way/images`)).sort()
  const extract = (out: string, ...more: string[]) => grabber.run('extract', 'way.mp4', '--out', out, ...more)
  const cached = () => {
    const folder = join(grabber.data, 'cache', 'second-pass')
    return readdirSync(folder).map((name) => join(folder, name))
  }

  it('says what it found, and leaves what it keeps', async () => {
    expect(await extract('plain')).toMatchObject({ status: 0 })
    expect(await extract('best', '--optimise')).toMatchObject({ status: 0 })
    const { keyframes, secondPass } = metadata('best')
    expect(secondPass).toMatchObject({ before: metadata('plain').keyframes.length, after: keyframes.length })
    expect(secondPass!.findings.pairsVerified).toBeGreaterThanOrEqual(keyframes.length - 1)
    expect(images('best')).toEqual(keyframes.map(({ file }) => file))
  })

  it('keeps so many as were asked for; those that leave are named as thinned', async () => {
    for (const [out, flags] of [
      ['few', []],
      ['fewest', ['--optimise']],
    ] as const) {
      expect(await extract(out, '--max-frames', '2', ...flags)).toMatchObject({ status: 0 })
      expect([images(out).length, metadata(out).keyframes.length]).toEqual([2, 2])
      expect(metadata(out).summary.reasons.thinned).toBe(metadata('plain').keyframes.length - 2)
    }
  })

  it('is not made again for the same pictures; a damaged answer is none', async () => {
    const before = cached()
    for (const file of before) writeFileSync(file, '{"kept":')
    expect(await extract('again', '--optimise')).toMatchObject({ status: 0 })
    expect(metadata('again').keyframes).toEqual(metadata('best').keyframes)
    expect(cached().sort()).toEqual(before.sort())
    const whole = cached().filter((file) => readFileSync(file, 'utf8').endsWith('}'))
    expect(whole).toHaveLength(1)
    const known = JSON.parse(readFileSync(whole[0]!, 'utf8')) as { kept: number[] }
    writeFileSync(whole[0]!, JSON.stringify({ ...known, kept: known.kept.slice(0, 1) }))
    expect(await extract('known', '--optimise')).toMatchObject({ status: 0 })
    expect(images('known')).toHaveLength(1)
  })
})
