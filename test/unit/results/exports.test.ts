import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import type { CopyOrder } from '../../../core/wire/copies.ts'
import { sfmData } from '../../../src/results/exports/alicevision.ts'
import { writeExports } from '../../../src/results/exports/export-formats.ts'
import { matchPairs } from '../../../src/results/exports/match-pairs.ts'
import { madeResult } from '../../support/made-result.ts'

const folder = mkdtempSync(join(tmpdir(), 'exports-'))
afterAll(() => rmSync(folder, { recursive: true }))
const read = (name: string) => readFileSync(join(folder, name), 'utf8')

describe('matchPairs', () => {
  const chain = (count: number, links: (index: number) => [number, number][] = () => []) =>
    Array.from({ length: count }, (_, index) => ({ seq: 10 * index, links: links(index) }))

  it('takes all pairs of few, each once and the earlier first', () => {
    const pairs = matchPairs(chain(60))
    expect(pairs).toHaveLength((60 * 59) / 2)
    expect(new Set(pairs.map(String)).size).toBe(pairs.length)
    expect(pairs.every(([a, b]) => a < b)).toBe(true)
  })

  it('takes of many the linked, the near and some further ones, and not all', () => {
    const pairs = matchPairs(
      chain(200, (index) =>
        index === 150
          ? [
              [30, 40],
              [70, 0],
              [99_999, 5],
            ]
          : [],
      ),
    )
    const of150 = pairs.filter(([, later]) => later === 150).map(([earlier]) => earlier)
    expect(of150).toEqual([3, 86, 118, 134, 142, 144, 145, 146, 147, 148, 149])
    expect(pairs.length).toBeLessThan(200 * 11)
  })

  it('has none of one or no keyframe', () => {
    expect(matchPairs(chain(0))).toEqual([])
    expect(matchPairs(chain(1))).toEqual([])
  })
})

describe('an export', () => {
  const result = madeResult({ candidates: 200, width: 1921, height: 1080 })
  const names = result.keyframes.map(({ file }) => file)

  it('colmap: cameras, images, pairs and where they will be', async () => {
    expect(await writeExports(folder, '/out/walk', result, ['colmap', 'colmap'])).toEqual([])
    const db = new DatabaseSync(join(folder, 'colmap/database.db'), { readOnly: true })
    const cameras = db.prepare('SELECT * FROM cameras').all()
    expect(cameras).toMatchObject([{ camera_id: 1, model: 2, width: 1921, height: 1080, prior_focal_length: 0 }])
    const params = new Float64Array(new Uint8Array(cameras[0]!.params as Uint8Array).buffer)
    expect([...params]).toEqual([1.2 * 1921, 960.5, 540, 0])
    const images = db.prepare('SELECT image_id, name, camera_id FROM images ORDER BY image_id').all()
    expect(images.map((row) => ({ ...row }))).toEqual(
      names.map((name, index) => ({ image_id: index + 1, name, camera_id: 1 })),
    )
    db.close()
    expect(readdirSync(join(folder, 'colmap')).sort()).toEqual([
      'database.db',
      'pairs.txt',
      'project.ini',
      'reconstruct.sh',
    ])
    const pairs = read('colmap/pairs.txt').trim().split('\n')
    expect(pairs.every((line) => line.split(' ').every((name) => names.includes(name)))).toBe(true)
    expect(read('colmap/project.ini')).toContain('image_path=/out/walk/images\n')
    expect(statSync(join(folder, 'colmap/reconstruct.sh')).mode & 0o111).toBe(0o111)
  })

  it('colmap: a picture of another size has a camera of its own', async () => {
    const [first, ...rest] = result.keyframes
    await writeExports(folder, '/out', { ...result, keyframes: [{ ...first!, width: 640, height: 480 }, ...rest] }, [
      'colmap',
    ])
    const db = new DatabaseSync(join(folder, 'colmap/database.db'), { readOnly: true })
    expect(
      db
        .prepare('SELECT camera_id FROM images')
        .all()
        .map((row) => row.camera_id),
    ).toEqual([1, ...rest.map(() => 2)])
    db.close()
  })

  it('nerfstudio: copies of a half, a quarter and an eighth under the same names', async () => {
    const orders = (await writeExports(folder, '/out', result, ['nerfstudio'])) as CopyOrder[]
    expect(orders.map(({ file }) => file)).toEqual(names.map((name) => join(folder, 'images', name)))
    expect(orders[0]!.copies).toEqual([
      { path: join(folder, 'images_2', names[0]!), width: 960, height: 540, jpegQuality: 2 },
      { path: join(folder, 'images_4', names[0]!), width: 480, height: 270, jpegQuality: 2 },
      { path: join(folder, 'images_8', names[0]!), width: 240, height: 135, jpegQuality: 2 },
    ])
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['images_2', 'images_4', 'images_8']))
    expect(readdirSync(folder)).not.toContain('transforms.json')
  })

  it('alicevision: views that name their camera and their picture, all ids apart', async () => {
    await writeExports(folder, '/out/walk', result, ['alicevision'])
    const data = JSON.parse(read('alicevision/cameraInit.sfm'))
    expect(data.views.map(({ path }: { path: string }) => path)).toEqual(
      names.map((name) => `/out/walk/images/${name}`),
    )
    expect(new Set(data.views.map(({ viewId }: { viewId: number }) => viewId)).size).toBe(names.length)
    const [camera] = data.intrinsics
    // 45° across, as assumed for COLMAP: the same focal length in both.
    expect((camera.focalLength / camera.sensorWidth) * camera.width).toBeCloseTo(1.2 * 1921, 6)
    for (const view of data.views) {
      expect(view).toMatchObject({ poseId: view.viewId, intrinsicId: camera.intrinsicId, width: 1921, height: 1080 })
      expect(view.viewId).toBeLessThan(2 ** 31)
    }
    expect(data.poses).toBeUndefined()
  })

  it('alicevision: two recordings do not share ids, one has the same ids each time', () => {
    const ids = (hash: string) => sfmData('/x', hash, result.keyframes).views.map(({ viewId }) => viewId)
    expect(ids('a')).toEqual(ids('a'))
    expect(ids('a').filter((id) => ids('b').includes(id))).toEqual([])
  })
})
