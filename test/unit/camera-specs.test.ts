/** What the sessions of each kind of source are told. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CameraSpecs } from '../../src/camera-specs.ts'
import { PlaybackTable } from '../../src/store/playback.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { configOf } from './fleet-trial.ts'

const folder = mkdtempSync(join(tmpdir(), 'grabber-specs-'))
const store = openStore(join(folder, 'grabber.db'))
afterAll(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

const specs = new CameraSpecs({
  faces: () => null,
  keyframes: () => null,
  playbacks: new PlaybackTable(store),
  picturesDir: '/pictures',
})
const film = join(folder, 'film.mp4')
writeFileSync(film, 'x')

const config = configOf(
  {
    gate: { source: 'rtsp://viewer:hush@camera/main', substream: 'rtsp://viewer:hush@camera/sub', transport: 'udp' },
    desk: { source: 'v4l2:/dev/video0', capture: { width: 640, format: 'mjpeg' } },
    yard: { source: 'https://camera/live.m3u8' },
    door: { source: 'onvif://camera' },
    film: { source: `file:${film}`, loop: 3 },
    folder: { source: `file:${folder}` },
  },
  { timeouts: { stallMs: 7000, openMs: 3000 } },
)

const noFormat = { width: null, height: null, fps: null, format: null }
const live = { kind: 'live', transport: 'auto', capture: noFormat, readTimeoutMs: 10_000, overflow: 'drop-oldest' }

test.each([
  ['gate', { ...live, protocol: 'rtsp', url: 'rtsp://viewer:hush@camera/sub', transport: 'udp' }],
  ['desk', { ...live, protocol: 'v4l2', url: '/dev/video0', capture: { ...noFormat, width: 640, format: 'mjpeg' } }],
  ['yard', { ...live, protocol: 'http', url: 'https://camera/live.m3u8' }],
  ['door', { ...live, protocol: 'onvif', url: 'onvif://camera' }],
])('%s: a live source, given up after a stall and an opening, under an epoch of its own', (id, source) => {
  const first = specs.next(config, id, 1)
  expect(first).toMatchObject({ camera: id, source, originMs: null, openTimeoutMs: 3000, picturesDir: '/pictures' })
  expect(first.epoch).toMatch(/^l[0-9a-z]+-1$/)
  expect(specs.next(config, id, 2).epoch).toBe(first.epoch.replace(/1$/, '2'))
})

test('a recording goes on from its checkpoint under the same number, until its playback is over', () => {
  const next = () => specs.next(config, 'film', 1)
  expect(next()).toMatchObject({ epoch: 'p1', source: { kind: 'file', path: film, passes: 3, from: null } })
  const checkpoint = { loop: 1, seqBase: 65, ptsBaseMs: 2600 }
  specs.checkpoint('film', checkpoint)
  expect(next()).toMatchObject({ epoch: 'p1', source: { from: checkpoint } })
  expect(next().originMs).toBeGreaterThan(Date.now() - 2600 - 60_000)
  specs.over('film')
  expect(next()).toMatchObject({ epoch: 'p2', source: { from: null } })
  specs.allOver()
  expect(next().epoch).toBe('p3')
})

test('a folder is no recording', () => {
  expect(() => specs.next(config, 'folder', 1)).toThrow(expect.objectContaining({ code: 'SRC_UNSUPPORTED' }))
})
