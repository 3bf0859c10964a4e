/** Which models `auto` means, over folders with different files and galleries. */
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cameraConfig } from '../../config/camera-config.ts'
import { type Config, configSchema } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { findModel, localManifestPath } from '../../models/manifest.ts'
import { featuresModelOf } from '../../src/features-model.ts'
import { checkGalleryModel, chooseModels, databasePath, settleModels } from '../../src/model-choice.ts'
import { SqliteGallery } from '../../src/store/gallery.ts'
import { storeMigrations } from '../../src/store/migrations.ts'
import { PeopleStore } from '../../src/store/people-store.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { RecordingLogger } from './recording-logger.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'choice-'))
  mkdirSync(join(folder, 'models'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const configure = (faces: object = {}, cameras: object = {}): Config => ({
  ...configSchema.parse({ defaults: { faces }, cameras }),
  data: folder,
})

/** Of the right size: whether it is the right file is asked when it is loaded. */
function install(...ids: string[]): void {
  for (const id of ids) {
    const { file, bytes } = findModel(id)
    const path = join(folder, 'models', file)
    writeFileSync(path, '')
    truncateSync(path, bytes)
  }
}

async function enroll(model: string, dimension: number, people: number): Promise<void> {
  using store = openStore(databasePath(configure()))
  const gallery = new SqliteGallery(new PeopleStore(store, { model, dimension }), systemClock)
  const vector = new Float32Array(dimension)
  vector[0] = 1
  for (let n = 0; n < people; n++) await gallery.enroll(`${model}-${n}`, null, [vector])
}

const choice = (faces: object = {}) => {
  const { detector, embedder } = settleModels(configure(faces)).defaults.faces
  return [detector, embedder]
}

describe('auto', () => {
  test.for<[string, string[], string[]]>([
    ['nothing: what can be downloaded', [], ['yunet', 'sface']],
    ['what a network gives', ['yunet', 'sface'], ['yunet', 'sface']],
    ['what a mirror gives', ['yunet', 'face-reid-0095'], ['yunet', 'face-reid-0095']],
    [
      'all: what was verified, in the order of the manifest',
      ['yunet', 'yunet-2023mar', 'sface', 'face-reid-0095'],
      ['yunet', 'face-reid-0095'],
    ],
    ['only the fixed detector', ['yunet-2023mar', 'sface'], ['yunet-2023mar', 'sface']],
  ])('with %s', ([, installed, chosen]) => {
    install(...installed)
    expect(choice()).toEqual(chosen)
    expect(choice()).toEqual(chosen)
  })

  test('a file of another size is not installed', () => {
    install('sface')
    writeFileSync(join(folder, 'models', findModel('face-reid-0095').file), 'cut off')
    expect(choice()).toEqual(['yunet', 'sface'])
  })

  test('the embedder of the gallery wins, of several that with most embeddings, installed or not', async () => {
    install('face-reid-0095')
    await enroll('sface', 128, 2)
    expect(choice()[1]).toBe('sface')
    await enroll('face-reid-0095', 256, 3)
    expect(choice()[1]).toBe('face-reid-0095')
    expect(choice({ embedder: 'sface' })[1]).toBe('sface')
  })

  test('a gallery of an older version is asked as it is', async () => {
    await enroll('sface', 128, 1)
    const before = [...storeMigrations]
    ;(storeMigrations as string[]).push('CREATE TABLE later (one INTEGER) STRICT')
    try {
      expect(choice()[1]).toBe('sface')
    } finally {
      ;(storeMigrations as string[]).splice(0, Number.POSITIVE_INFINITY, ...before)
    }
  })

  test('a gallery of an embedder that nobody knows is MDL_INVALID with a remedy', async () => {
    await enroll('facenet', 64, 1)
    const refused = { code: 'MDL_INVALID', remedy: expect.stringContaining('manifest.local.json') }
    expect(() => settleModels(configure())).toThrow(expect.objectContaining(refused))
    expect(choice({ embedder: 'sface' })[1]).toBe('sface')
  })

  test('cameras that say auto get the same', () => {
    install('yunet-2023mar')
    const cameras = {
      a: { source: 'file:/a.mp4', faces: { detector: 'auto', maxPerFrame: 3 } },
      b: { source: 'file:/b.mp4' },
    }
    const settled = settleModels(configure({ detector: 'yunet' }, cameras))
    expect(settled.cameras.a?.faces).toEqual({ detector: 'yunet', maxPerFrame: 3 })
    expect(settled.cameras.b).not.toHaveProperty('faces')
  })

  test("a user's own model is chosen after those of the program", () => {
    const own = { ...findModel('face-reid-0095'), id: 'own', file: 'own.onnx' }
    writeFileSync(localManifestPath(join(folder, 'models')), JSON.stringify({ version: 1, models: [own] }))
    writeFileSync(join(folder, 'models/own.onnx'), '')
    truncateSync(join(folder, 'models/own.onnx'), own.bytes)
    expect(choice()[1]).toBe('own')
    install('face-reid-0095')
    expect(choice()[1]).toBe('face-reid-0095')
  })
})

describe('one gallery, one embedder', () => {
  test('an embedder of which the gallery has nothing is refused, with what to do', async () => {
    await enroll('sface', 128, 2)
    expect(() => checkGalleryModel(configure(), 'face-reid-0095')).toThrow(
      expect.objectContaining({
        code: 'GAL_MODEL_MISMATCH',
        message: 'the gallery has 2 embeddings of sface and none of face-reid-0095',
        remedy: expect.stringContaining('set faces.embedder to sface or auto'),
      }),
    )
    checkGalleryModel(configure(), 'sface')
    await enroll('face-reid-0095', 256, 1)
    checkGalleryModel(configure(), 'face-reid-0095')
  })

  test('an empty gallery belongs to whoever comes', async () => {
    checkGalleryModel(configure(), 'sface')
    await enroll('sface', 128, 0)
    checkGalleryModel(configure(), 'face-reid-0095')
  })

  test('the daemon does not start with it, unless no camera looks for faces', async () => {
    await enroll('sface', 128, 1)
    const faces = { embedder: 'face-reid-0095' }
    const camera = { a: { source: 'file:/a.mp4' } }
    const refused = expect.objectContaining({ code: 'GAL_MODEL_MISMATCH' })
    await expect(chooseModels(configure(faces, camera), new RecordingLogger())).rejects.toThrow(refused)
    const without = settleModels(configure({ ...faces, enabled: false }, camera))
    expect((await chooseModels(without, new RecordingLogger())).engineModels).toEqual([])
  })

  test('a camera cannot have an embedder of its own', async () => {
    const cameras = { a: { source: 'file:/a.mp4', faces: { embedder: 'sface' } } }
    const config = settleModels(configure({ embedder: 'face-reid-0095' }, cameras))
    await expect(chooseModels(config, new RecordingLogger())).rejects.toMatchObject({
      code: 'GAL_MODEL_MISMATCH',
      remedy: expect.stringContaining('cameras.a.faces.embedder'),
    })
  })
})

describe('keyframes', () => {
  const keeping = (keyframes: object) => configure({ enabled: false }, { a: { source: 'file:a.mp4', keyframes } })

  test('a camera that keeps them has a spec, and others have none', async () => {
    const logger = new RecordingLogger()
    const cameras = {
      a: { source: 'file:a.mp4', keyframes: { enabled: true, mode: 'fast' } },
      b: { source: 'file:b.mp4' },
    }
    const config = configure({ enabled: false }, cameras)
    const { keyframes } = await chooseModels(config, logger)
    expect(keyframes(cameraConfig(config, 'a'))).toMatchObject({ mode: 'fast', features: null, imagesDir: null })
    expect(keyframes(cameraConfig(config, 'b'))).toBeNull()
    expect(logger.lines).toEqual([])
  })

  test('the model of dense features is the installed one; a named one that is missing is an error, or a warning of the daemon', async () => {
    const careful = { enabled: true, mode: 'high_quality' }
    const ofConfig = (config: Config) => featuresModelOf(config, cameraConfig(config, 'a').keyframes)
    expect(ofConfig(keeping(careful))).toBeNull()
    const named = keeping({ ...careful, features: 'xfeat' })
    expect(() => ofConfig(named)).toThrow(expect.objectContaining({ code: 'MDL_MISSING' }))
    const logger = new RecordingLogger()
    expect((await chooseModels(named, logger)).keyframes(cameraConfig(named, 'a'))?.features).toBeNull()
    expect(logger.lines.map(({ message }) => message).join()).toContain('keyframes without dense features')
    install('xfeat')
    expect(ofConfig(keeping(careful))).toBe('xfeat')
    expect(ofConfig(keeping({ ...careful, features: 'off' }))).toBeNull()
    expect(ofConfig(keeping({ enabled: true, mode: 'fast' }))).toBeNull()
    expect(() => ofConfig(keeping({ ...careful, features: 'yunet' }))).toThrow(
      expect.objectContaining({ code: 'MDL_INVALID' }),
    )
  })
})
