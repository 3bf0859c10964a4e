import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findModel, loadManifest } from '../../models/manifest.ts'
import { identify } from '../../src/store/process-identity.ts'

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

interface Row {
  id: string
  installed: boolean
  used: boolean
  verified: boolean
}

const rows = async () => JSON.parse((await grabber(['models', 'list', '--json'])).out) as Row[]
const idsWhere = async (has: (row: Row) => boolean) => (await rows()).filter(has).map(({ id }) => id)

describe('grabber models', () => {
  it('lists every model with its licence, whether it is there, verified and used', async () => {
    const { status, out } = await grabber(['models', 'list'])
    expect(status).toBe(0)
    for (const { id, licence, verification } of models) {
      expect(out).toMatch(new RegExp(`^${id} .*${licence.spdx} +${verification.status} +missing`, 'm'))
    }
    expect(out).toMatch(/^sface .* unverified +missing, in use$/m)
    expect(await idsWhere(({ installed }) => installed)).toEqual([])
  })

  withAssets('pulls from a mirror what it has of each kind, once, and verifies', async () => {
    const first = await grabber(['models', 'pull'], assets)
    expect([first.status, first.err]).toEqual([0, ''])
    expect(first.out).toMatch(/^yunet: pulled from .*\nface-reid-0095: pulled from .*\n/)
    const installed = await idsWhere((row) => row.installed)
    expect(installed).toEqual(expect.arrayContaining(['yunet', 'face-reid-0095']))
    expect(installed).not.toContain('yunet-2023mar')
    expect(await idsWhere(({ used }) => used)).toEqual(expect.arrayContaining(['yunet', 'face-reid-0095']))
    const second = await grabber(['models', 'pull'], assets)
    expect(second.out.match(/: already installed$/gm)).toHaveLength(installed.length)
    expect(await grabber(['models', 'verify'])).toMatchObject({
      status: 0,
      out: installed.map((id) => `${id}: ok\n`).join(''),
    })
  })

  withAssets("finds opencv_zoo's YuNet under the mirror's name for it", async () => {
    const { status, out } = await grabber(['models', 'pull', 'yunet-2023mar'], assets)
    expect([status, out]).toEqual([0, expect.stringMatching(/pulled from .*yunet_s_640_640\.onnx/)])
    expect(existsSync(join(data, 'models', findModel('yunet-2023mar').file))).toBe(true)
    expect(await idsWhere((row) => row.used)).toContain('yunet-2023mar')
  })

  withAssets('refuses a file with another hash, with status 4, and goes on with the others', async () => {
    const [bad, good] = [findModel('yunet'), findModel('face-reid-0095')]
    mkdirSync(join(data, 'models'))
    writeFileSync(join(data, 'models', bad.file), 'x'.repeat(bad.bytes))
    copyFileSync(join(assets, 'models', good.file), join(data, 'models', good.file))
    const { status, out, err } = await grabber(['models', 'verify'])
    expect(status).toBe(4)
    expect(err).toContain('yunet: MDL_HASH: ')
    expect(out).toBe('face-reid-0095: ok\n')
  })

  it('says that those in use are not installed, with status 4', async () => {
    const { status, out, err } = await grabber(['models', 'verify'])
    expect([status, out]).toEqual([4, ''])
    expect(err).toMatch(/^yunet: MDL_MISSING: .*\nsface: MDL_MISSING: /)
  })

  it('leaves nothing behind when the mirror holds a wrong file', async () => {
    const mirror = join(data, 'mirror')
    const entry = findModel('face-reid-0095')
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

  withAssets('bench: the device, what was refused and why, a row for each model and batch size', async () => {
    await grabber(['models', 'pull', 'yunet', 'yunet-2023mar'], assets)
    const args = ['models', 'bench', 'yunet', 'yunet-2023mar', '--batch', '1,2', '--seconds', '0.6', '--json']
    const { status, out } = await grabber(args)
    expect(status).toBe(0)
    const { devices, rows: measured } = JSON.parse(out) as { devices: object; rows: Record<string, number | string>[] }
    expect(devices).toMatchObject({ chosen: [expect.any(String)], refused: expect.any(Array), gpus: [] })
    // The file with a fixed batch is not asked for 2.
    expect(measured.map(({ model, batch }) => [model, batch])).toEqual([
      ['yunet', 1],
      ['yunet', 2],
      ['yunet-2023mar', 1],
    ])
    for (const row of measured) expect(row.imagesPerSecond).toBeGreaterThan(0)
    const text = await grabber(['models', 'bench', 'yunet', '--batch', '1', '--seconds', '0.1'])
    expect(text.out).toMatch(/^device {3}\w+/)
    expect(text.out).toMatch(/^yunet +1 +/m)
  })

  it.for([
    [['bench', '--batch', '0'], /--batch takes whole numbers/],
    [['bench', '--seconds', 'x'], /--seconds takes a number/],
    [['verify', '--pictures', '/tmp'], /go with --self-test/],
  ] as const)('%j is a usage error', async ([args, message]) => {
    expect(await grabber(['models', ...args])).toMatchObject({ status: 2, err: expect.stringMatching(message) })
  })
})

describe('grabber models pull beside a running daemon', () => {
  /** A control socket that answers what a daemon of this or an older version does, in a folder that has an owner. */
  async function withOwner(status: number, work: (asked: string[]) => Promise<void>): Promise<void> {
    const socket = join(data, 'control.sock')
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      const body =
        status === 200 ? { ok: true, data: {} } : { ok: false, error: { code: 'API_NOT_FOUND', message: 'no' } }
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    await new Promise<void>((done) => server.listen(socket, done))
    const owner = { ...identify(process.pid)!, children: [], natsUrl: null, httpUrl: null, controlSocket: socket }
    writeFileSync(join(data, 'run.json'), JSON.stringify(owner))
    try {
      await work(asked)
    } finally {
      await new Promise((done) => server.close(done))
    }
  }

  withAssets('has it take the new models, once, and only when there are new ones', async () => {
    await withOwner(200, async (asked) => {
      const first = await grabber(['models', 'pull', 'yunet'], assets)
      expect(first).toMatchObject({ status: 0, err: 'the running grabber takes the new models now\n' })
      expect((await grabber(['models', 'pull', 'yunet'], assets)).err).toBe('')
      expect(asked).toEqual(['POST /control/models/refresh'])
    })
  })

  withAssets('says that one which cannot has to be restarted', async () => {
    await withOwner(404, async () => {
      const { status, err } = await grabber(['models', 'pull', 'yunet'], assets)
      expect([status, err]).toEqual([0, 'restart the running grabber for it to take the new models\n'])
    })
  })
})
