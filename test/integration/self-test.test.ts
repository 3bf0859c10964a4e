/** `grabber models verify --self-test` on real pictures: what it says of a right entry, and of entries made wrong. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ARCFACE_TEMPLATE } from '../../models/conventions.ts'
import { findModel, localManifestPath } from '../../models/manifest.ts'
import type { ModelEntry } from '../../models/model-entry.ts'
import type { SelfTestReport } from '../../src/cli/models-self-test.ts'
import { assets, modelPath } from './support/engine.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const right = findModel('face-reid-0095')
const yunet = findModel('yunet')
/** Pictures of each person that are enough here. */
const PER_PERSON = 7

const wrong: Record<string, Partial<ModelEntry>> = {
  'reid-rgb': { input: { ...right.input, colour: 'RGB' } },
  'reid-scaled': { input: { ...right.input, mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 } },
  'reid-arcface': { alignment: { cropPx: 128, template: ARCFACE_TEMPLATE } },
}

describe.skipIf(!existsSync(assets))('the self-test', () => {
  const folder = mkdtempSync(join(tmpdir(), 'self-test-'))
  const models = join(folder, 'data/models')
  const people = join(folder, 'people')
  const few = join(folder, 'few')

  beforeAll(() => {
    mkdirSync(models, { recursive: true })
    for (const entry of [right, yunet]) symlinkSync(modelPath(entry.id), join(models, entry.file))
    const own = Object.entries(wrong).map(([id, changes]) => {
      symlinkSync(modelPath(right.id), join(models, `${id}.onnx`))
      return { ...right, id, file: `${id}.onnx`, aliases: [], ...changes }
    })
    symlinkSync(modelPath('yunet'), join(models, 'yunet-rgb.onnx'))
    own.push({ ...yunet, id: 'yunet-rgb', file: 'yunet-rgb.onnx', input: { ...yunet.input, colour: 'RGB' } })
    writeFileSync(localManifestPath(models), JSON.stringify({ version: 1, models: own }))
    const source = join(assets, 'faces/dlib_johns')
    for (const [index, person] of readdirSync(source).sort().entries()) {
      mkdirSync(join(people, person), { recursive: true })
      const files = readdirSync(join(source, person)).sort()
      for (const file of files.slice(0, PER_PERSON)) symlinkSync(join(source, person, file), join(people, person, file))
      if (index >= 2) continue
      mkdirSync(join(few, person), { recursive: true })
      for (const file of files.slice(0, 2)) symlinkSync(join(source, person, file), join(few, person, file))
    }
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  function verify(...args: string[]): Promise<{ status: number; out: string; err: string }> {
    return new Promise((done) => {
      const env = { PATH: '/usr/bin:/bin', GRABBER_DATA: join(folder, 'data') }
      execFile(
        join(root, 'bin/grabber'),
        ['models', 'verify', '--self-test', ...args],
        { cwd: folder, env },
        (error, out, err) => done({ status: error === null ? 0 : Number(error.code), out, err }),
      )
    })
  }

  async function report(
    model: string,
    pictures = people,
  ): Promise<{ status: number; err: string; report: SelfTestReport }> {
    const { status, out, err } = await verify(model, '--pictures', pictures, '--json')
    return { status, err, report: (JSON.parse(out) as SelfTestReport[])[0]! }
  }

  const aspect = ({ aspects }: SelfTestReport, name: string) => aspects.find((one) => one.aspect === name)!

  test('finds a right entry right, in each of its aspects', async () => {
    const { status, report: found } = await report('face-reid-0095')
    expect(found).toMatchObject({ verdict: 'right', measured: { people: 5, pictures: 35, given: 35 } })
    expect(found.aspects.map(({ aspect: name, verdict }) => [name, verdict])).toEqual([
      ['colour', 'right'],
      ['range', 'right'],
      ['alignment', 'right'],
    ])
    expect(found.checks.every(({ ok }) => ok)).toBe(true)
    expect(status).toBe(0)
  })

  test.for([
    ['reid-rgb', 'colour', 'BGR is better'],
    ['reid-scaled', 'range', '0 to 255 is better'],
    ['reid-arcface', 'alignment', 'Open Model Zoo 0095 is better'],
  ] as const)('finds %s wrong in its %s, and what is right: status 4, MDL_CONVENTION', async ([model, name, why]) => {
    const { status, err, report: found } = await report(model)
    expect(found.verdict).toBe('wrong')
    expect(aspect(found, name)).toMatchObject({ verdict: 'wrong', why })
    expect(status).toBe(4)
    expect(err).toContain(`MDL_CONVENTION: ${model}: `)
  })

  test('knows a detector that is fed the wrong colours', async () => {
    const { report: swapped } = await report('yunet-rgb')
    expect(aspect(swapped, 'colour')).toMatchObject({ verdict: 'wrong', why: 'BGR is better' })
  })

  test('says what it cannot tell: without pictures, or with too few', async () => {
    const { status, out } = await verify('face-reid-0095')
    expect(status).toBe(0)
    expect(out).toMatch(/^face-reid-0095 on cpu: cannot tell \(no pictures were given\)/)
    expect(out).toMatch(/ok +a batch answers as one alone/)
    for (const name of ['colour BGR', 'range 0 to 255', 'alignment Open Model Zoo 0095']) {
      expect(out).toContain(`${name}: cannot tell (not measured)`)
    }
    const { report: found } = await report('face-reid-0095', few)
    expect(found).toMatchObject({
      verdict: 'cannot tell',
      measured: null,
      why: expect.stringMatching(/2 people with 3 pictures/),
    })
  })

  test('a folder that is not there is SRC_NOT_FOUND', async () => {
    expect(await verify('yunet', '--pictures', join(folder, 'none'))).toMatchObject({
      status: 3,
      err: expect.stringMatching(/^SRC_NOT_FOUND/),
    })
  })
})
