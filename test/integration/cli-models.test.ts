import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadManifest } from '../../models/manifest.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const assets = process.env.GRABBER_ASSETS ?? join(root, '../shared/assets')
const { models } = loadManifest()
const withAssets = it.skipIf(!existsSync(assets))

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'grabber-models-'))
})
afterEach(() => rmSync(data, { recursive: true }))

function grabber(args: string[], mirror?: string): Promise<{ status: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const env = {
      PATH: '/usr/bin:/bin',
      GRABBER_DATA: data,
      ...(mirror === undefined ? {} : { GRABBER_ASSETS: mirror }),
    }
    execFile(join(root, 'bin/grabber'), args, { cwd: data, env }, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

const states = (out: string) => (JSON.parse(out) as { installed: boolean }[]).map(({ installed }) => installed)

describe('grabber models', () => {
  it('lists every model with its licence, and whether it is there', async () => {
    const { status, out } = await grabber(['models', 'list'])
    expect(status).toBe(0)
    for (const { id, licence } of models) expect(out).toMatch(new RegExp(`^${id} .*${licence.spdx} +missing$`, 'm'))
    expect(states((await grabber(['models', 'list', '--json'])).out)).toEqual(models.map(() => false))
  })

  withAssets('pulls from a mirror, once, and verifies', async () => {
    const first = await grabber(['models', 'pull'], assets)
    expect([first.status, first.err]).toEqual([0, ''])
    expect(first.out.match(/: pulled from /g)).toHaveLength(models.length)
    const second = await grabber(['models', 'pull'], assets)
    expect(second.out.match(/: already installed$/gm)).toHaveLength(models.length)
    expect(await grabber(['models', 'verify'])).toMatchObject({
      status: 0,
      out: models.map(({ id }) => `${id}: ok\n`).join(''),
    })
    expect(states((await grabber(['models', 'list', '--json'])).out)).toEqual(models.map(() => true))
  })

  withAssets('refuses a file with another hash, with status 4, and goes on with the others', async () => {
    const [bad, ...good] = models
    mkdirSync(join(data, 'models'))
    writeFileSync(join(data, 'models', bad!.file), 'not a model')
    for (const { file } of good) copyFileSync(join(assets, 'models', file), join(data, 'models', file))
    const { status, out, err } = await grabber(['models', 'verify'])
    expect(status).toBe(4)
    expect(err).toContain(`${bad!.id}: MDL_HASH: `)
    expect(out).toBe(good.map(({ id }) => `${id}: ok\n`).join(''))
  })

  it('leaves nothing behind when the mirror holds a wrong file', async () => {
    const mirror = join(data, 'mirror')
    const entry = models.find(({ urls }) => urls.length === 0) ?? models[0]!
    mkdirSync(join(mirror, 'models'), { recursive: true })
    writeFileSync(join(mirror, 'models', entry.file), 'x'.repeat(entry.bytes))
    const { status, err } = await grabber(['models', 'pull', entry.id], mirror)
    expect([status, err]).toEqual([4, expect.stringMatching(/^MDL_DOWNLOAD: .*\n$/)])
    expect(existsSync(join(data, 'models', entry.file))).toBe(false)
  })

  it('names the model that was meant', async () => {
    expect(await grabber(['models', 'pull', 'yunte'])).toMatchObject({
      status: 2,
      err: expect.stringContaining('did you mean yunet?'),
    })
  })
})
