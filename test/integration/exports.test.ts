/**
 * What `--export` writes, opened by the tools that it is for: the real COLMAP on real pictures; of the others, which are no Debian packages,
 * what their readers demand (nerfstudio's dataparsers, Meshroom's readSfMData, AliceVision's loadJSON).
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyPictures } from '../../actors/copies-job.ts'
import { configSchema } from '../../config/schema.ts'
import type { KeyframeRecord } from '../../core/keyframe.ts'
import type { CopyOrder } from '../../core/wire/copies.ts'
import { hostSettings } from '../../src/host-settings.ts'
import { writeResult } from '../../src/results/write-result.ts'
import { madeResult } from '../support/made-result.ts'
import { RecordingLogger } from '../unit/recording-logger.ts'

const assets = process.env.GRABBER_ASSETS ?? resolve(import.meta.dirname, '../../../shared/assets')
const pictures = join(assets, 'sfm/berlin/images')
const has = (command: string) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
const hasPictures = spawnSync('test', ['-d', pictures]).status === 0
const why = !hasPictures
  ? ' (skipped: no GRABBER_ASSETS)'
  : !has('colmap')
    ? ' (skipped: no colmap, see script/setup --test)'
    : ''

const root = mkdtempSync(join(tmpdir(), 'exports-'))
afterAll(() => rmSync(root, { recursive: true }))
/** With a blank and a quote, as people name things. */
const final = join(root, "the church's walk")
const size = { width: 640, height: 480 }
/** Three pictures from nearly one place are less than the mapper begins with by itself. */
const MAPPER = [
  '--Mapper.init_min_tri_angle',
  '4',
  '--Mapper.init_min_num_inliers',
  '40',
  '--Mapper.init_max_error',
  '8',
]
const host = hostSettings(configSchema.parse({}), new RecordingLogger())
const copy = (orders: readonly CopyOrder[]) =>
  copyPictures({ orders, host, signal: AbortSignal.timeout(60_000), openTimeoutMs: 10_000 })

/** Written as a job does it: in a folder that gets its name when all is there. */
async function writeAll(): Promise<KeyframeRecord[]> {
  const folder = join(root, '.walk.part')
  mkdirSync(join(folder, 'images'), { recursive: true })
  const made = madeResult({ candidates: 400, ...size })
  const keyframes = made.keyframes.slice(0, 3)
  await copy(
    keyframes.map(({ file }, index) => ({
      file: join(pictures, `${String(index + 1).padStart(2, '0')}.jpg`),
      copies: [{ path: join(folder, 'images', file), ...size, jpegQuality: 2 }],
    })),
  )
  const options = { exports: ['colmap', 'nerfstudio', 'alicevision'] as const, finalFolder: final, copyPictures: copy }
  await writeResult(folder, { ...made, keyframes }, options)
  renameSync(folder, final)
  return keyframes
}

describe.skipIf(!hasPictures)('exports of three pictures', () => {
  let keyframes: KeyframeRecord[]
  beforeAll(async () => {
    keyframes = await writeAll()
  })

  it.skipIf(why !== '')(`colmap reconstructs from it, with the ids that it was given${why}`, () => {
    const ids = () => {
      const db = new DatabaseSync(join(final, 'colmap/database.db'), { readOnly: true })
      const rows = db.prepare('SELECT image_id, name, camera_id FROM images ORDER BY image_id').all()
      const pairs = db.prepare('SELECT count(*) AS count FROM two_view_geometries WHERE rows > 0').get()
      const features = db.prepare('SELECT count(*) AS count FROM keypoints WHERE rows > 100').get()
      db.close()
      return { rows: rows.map((row) => ({ ...row })), pairs: pairs?.count, features: features?.count }
    }
    const before = ids()
    const done = spawnSync(join(final, 'colmap/reconstruct.sh'), MAPPER, { cwd: root, encoding: 'utf8' })
    expect(done.status, `${done.stdout}\n${done.stderr}`).toBe(0)
    const after = ids()
    expect(after.rows).toEqual(before.rows)
    expect(after.features).toBe(3)
    expect(after.pairs).toBe(3)
    const model = join(final, 'colmap/sparse/0')
    expect(readdirSync(model)).toEqual(expect.arrayContaining(['cameras.bin', 'images.bin', 'points3D.bin']))
    expect(readFileSync(join(model, 'images.bin')).readBigUInt64LE()).toBe(3n)
    // As the interface reads it, and without the graphics card that the test's machine may lack.
    const project = join(root, 'project.ini')
    writeFileSync(
      project,
      `${readFileSync(join(final, 'colmap/project.ini'), 'utf8')}[SiftExtraction]\nuse_gpu=false\n`,
    )
    const env = { ...process.env, QT_QPA_PLATFORM: 'offscreen' }
    const rest = spawnSync('colmap', ['feature_extractor', '--project_path', project], {
      cwd: '/',
      env,
      encoding: 'utf8',
    })
    expect(rest.stdout + rest.stderr).toContain('SKIP: Features for image already extracted')
  })

  it('nerfstudio finds every picture in every size under its name', () => {
    for (const [folder, divisor] of [
      ['images', 1],
      ['images_2', 2],
      ['images_4', 4],
      ['images_8', 8],
    ] as const) {
      expect(readdirSync(join(final, folder)).sort()).toEqual(keyframes.map(({ file }) => file))
      for (const { file } of keyframes) {
        expect(jpegSize(readFileSync(join(final, folder, file)))).toEqual([size.width / divisor, size.height / divisor])
      }
    }
  })

  it('alicevision names pictures that are there', () => {
    const { views } = JSON.parse(readFileSync(join(final, 'alicevision/cameraInit.sfm'), 'utf8'))
    expect(views).toHaveLength(3)
    for (const { path, width, height } of views) {
      expect(statSync(path).isFile()).toBe(true)
      expect(jpegSize(readFileSync(path))).toEqual([width, height])
    }
  })
})

it('a picture that cannot be read fails the copies with its code, and leaves no host', async () => {
  const orders = [{ file: '/dev/null', copies: [] }]
  await expect(copy(orders)).rejects.toMatchObject({ code: expect.stringMatching(/^(SRC|DEC)_/) })
})

/** [width, height] by the frame header (ITU-T T.81, B.2.2). */
function jpegSize(bytes: Buffer): [number, number] | undefined {
  for (let at = 2; at < bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1]!
    if (marker >= 0xc0 && marker <= 0xc2) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)]
  }
  return undefined
}
