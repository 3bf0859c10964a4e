/** `grabber faces detect` and `identify` as a person runs them, on labelled photographs and on files of every kind. */
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Box, iou } from '../../core/geometry.ts'
import { asset, ffmpeg, type PictureLine, readTruth, withOrientation } from './support/faces.ts'
import { Grabber, hasAssets, jsonLines } from './support/grabber.ts'

const onAssets = describe.skipIf(!hasAssets)
const knn = 'faces/face_recognition/knn_examples'
const portrait = asset('faces/face_recognition/examples/obama-480p.jpg')

const toBox = ([x, y, width, height]: [number, number, number, number]): Box => ({ x, y, width, height })

onAssets('grabber faces detect', () => {
  let grabber: Grabber
  beforeAll(() => {
    grabber = new Grabber({ models: true })
  })
  afterAll(() => grabber[Symbol.dispose]())

  async function detect(...args: string[]) {
    const { status, out, err } = await grabber.run('faces', 'detect', ...args)
    return { status, err, lines: jsonLines<PictureLine>(out) }
  }

  test('finds at least 42 of 43 labelled faces, and nothing else', async () => {
    const folder = asset('detection_truth/dlib_faces')
    const truth = new Map([...readTruth(join(folder, 'testing.xml')), ...readTruth(join(folder, 'training.xml'))])
    const { status, err, lines } = await detect(...[...truth.keys()].map((file) => join(folder, file)))
    expect([status, err]).toEqual([0, ''])
    let [expected, found, unmatched] = [0, 0, 0]
    for (const [index, boxes] of [...truth.values()].entries()) {
      const faces = lines[index]!.faces.map(({ box }) => toBox(box))
      const wanted = boxes.filter(({ ignored }) => !ignored)
      expected += wanted.length
      found += wanted.filter(({ box }) => faces.some((face) => iou(face, box) > 0.3)).length
      unmatched += faces.filter((face) => !boxes.some(({ box }) => iou(face, box) > 0.3)).length
    }
    expect(expected).toBe(43)
    expect(found).toBeGreaterThanOrEqual(42)
    expect(unmatched).toBe(0)
  })

  test('finds nobody where nobody is', async () => {
    const files = readdirSync(asset('negatives')).map((name) => asset(`negatives/${name}`))
    const { status, lines } = await detect(...files)
    expect(status).toBe(0)
    expect(lines.map(({ file, faces }) => [file, faces])).toEqual(files.map((file) => [file, []]))
  })

  test('leaves the data folder as it was', async () => {
    await detect(portrait)
    expect(readdirSync(grabber.data)).toEqual(['models'])
  })

  test('writes embeddings of length 1 when asked, and none otherwise', async () => {
    const { lines } = await detect('--embed', portrait)
    const { embedding } = lines[0]!.faces[0]!
    expect(embedding).toHaveLength(256)
    expect(Math.hypot(...embedding!)).toBeCloseTo(1, 4)
    expect((await detect(portrait)).lines[0]!.faces[0]).not.toHaveProperty('embedding')
  })

  test('reads every kind of picture: the same face at the same place, whatever holds it', async () => {
    const made = (name: string, ...filter: string[]) => {
      ffmpeg('-i', portrait, ...filter, grabber.path(name))
      return name
    }
    const copied = (name: string) => {
      copyFileSync(portrait, grabber.path(name))
      return name
    }
    // What undoes each orientation is applied to the pixels, so that all eight show the same upright picture.
    const undo = ['null', 'hflip', 'hflip,vflip', 'vflip', 'transpose=cclock_flip', 'transpose=cclock']
    undo.push('transpose=clock_flip', 'transpose=clock')
    const turned = undo.map((filter, index) => {
      const name = made(`exif-${index + 1}.jpg`, '-vf', filter, '-q:v', '2')
      writeFileSync(grabber.path(name), withOrientation(readFileSync(grabber.path(name)), index + 1))
      return name
    })
    const files = [
      made('alpha.png', '-pix_fmt', 'rgba'),
      made('deep.png', '-pix_fmt', 'rgb48be'),
      made('deep-alpha.png', '-pix_fmt', 'rgba64be'),
      made('palette.gif', '-pix_fmt', 'pal8'),
      copied('50% off.jpg'),
      copied('frame-%03d.jpg'),
      copied('a:b.jpg'),
      copied('star*.jpg'),
      copied('no-extension'),
      copied('not-a.png'),
      ...turned,
    ]
    const { status, err, lines } = await detect(portrait, ...files)
    expect([status, err]).toEqual([0, ''])
    const [reference, ...others] = lines
    expect(others.map(({ file }) => file)).toEqual(files)
    for (const { file, width, height, faces } of others) {
      expect([file, width, height, faces.length]).toEqual([file, 853, 480, 1])
      expect(iou(toBox(faces[0]!.box), toBox(reference!.faces[0]!.box)), file).toBeGreaterThan(0.93)
      const [left, right] = faces[0]!.landmarks
      expect(left![0], file).toBeLessThan(right![0])
    }
  })

  test('says which files fail, does the others, and ends with 3', async () => {
    writeFileSync(grabber.path('text.txt'), 'no picture')
    writeFileSync(grabber.path('text.jpg'), 'no picture')
    writeFileSync(grabber.path('empty.jpg'), '')
    writeFileSync(grabber.path('head.jpg'), readFileSync(portrait).subarray(0, 300))
    ffmpeg('-i', portrait, '-vf', 'scale=1:1', grabber.path('dot.png'))
    ffmpeg('-i', portrait, '-vf', 'scale=1:2000', '-frames:v', '1', grabber.path('strip.png'))
    const bad = ['text.txt', 'text.jpg', 'empty.jpg', 'head.jpg', 'missing.jpg', '.']
    const good = ['dot.png', 'strip.png', portrait]
    const { status, err, lines } = await detect(...bad, ...good)
    expect(status).toBe(3)
    expect(lines.map(({ file, width, height, faces }) => [file, width, height, faces.length])).toEqual([
      ['dot.png', 1, 1, 0],
      ['strip.png', 1, 2000, 0],
      [portrait, 853, 480, 1],
    ])
    const said = err.trimEnd().split('\n')
    expect(said).toHaveLength(bad.length)
    for (const line of said) expect(line).toMatch(/^(SRC|DEC)_[A-Z_]+: \S+: .+: .+$/)
    expect(said.map((line) => line.split(': ')[1]).sort()).toEqual([...bad].sort())
  })

  test('without models says so, with 4', async () => {
    using bare = new Grabber()
    const { status, err } = await bare.run('faces', 'detect', portrait)
    expect([status, err]).toEqual([4, expect.stringMatching(/^MDL_MISSING: .*grabber models pull`\n$/)])
    expect(existsSync(bare.data)).toBe(false)
  })

  test('without pictures is a usage error', async () => {
    const { status, err } = await grabber.run('faces', 'detect')
    expect([status, err]).toEqual([2, expect.stringMatching(/^CFG_USAGE: /)])
  })
})

onAssets('grabber faces identify', () => {
  let grabber: Grabber
  beforeAll(async () => {
    grabber = new Grabber({ models: true })
    for (const subject of readdirSync(asset(`${knn}/train`))) {
      const folder = asset(`${knn}/train/${subject}`)
      const images = readdirSync(folder).map((name) => join(folder, name))
      const { status, err } = await grabber.run('faces', 'enroll', subject, ...images)
      expect([subject, status, err]).toEqual([subject, 0, ''])
    }
  })
  afterAll(() => grabber[Symbol.dispose]())

  test('names seven of seven probes from other pictures, and not the stranger among them', async () => {
    // Subjects from the left to the right of each picture.
    const probes: Record<string, string[]> = {
      'alex_lacamoire1.jpg': ['alex_lacamoire'],
      'johnsnow_test1.jpg': ['kit_harington'],
      'kit_with_rose.jpg': ['rose_leslie', 'kit_harington'],
      'obama1.jpg': ['obama'],
      'obama_and_biden.jpg': ['biden', 'obama', 'nobody'],
    }
    const files = Object.keys(probes).map((name) => asset(`${knn}/test/${name}`))
    const { status, out } = await grabber.run('faces', 'identify', ...files)
    expect(status).toBe(0)
    const named = jsonLines<PictureLine>(out).map(({ faces }) =>
      faces.toSorted((a, b) => a.box[0] - b.box[0]).map(({ match }) => match?.subject ?? 'nobody'),
    )
    expect(named).toEqual(Object.values(probes))
  })

  test('gives similarity and margin with a name, and null without one', async () => {
    const stranger = asset('faces/face_recognition/examples/lin-manuel-miranda.png')
    const { out } = await grabber.run('faces', 'identify', portrait, stranger)
    const [known, unknown] = jsonLines<PictureLine>(out)
    expect(known!.faces[0]!.match).toEqual({
      subject: 'obama',
      similarity: expect.closeTo(0.97, 1),
      margin: expect.closeTo(0.85, 1),
    })
    expect(unknown!.faces[0]!.match).toBeNull()
  })

  test('knows nobody without a gallery', async () => {
    using fresh = new Grabber({ models: true })
    const { status, out } = await fresh.run('faces', 'identify', portrait)
    expect([status, jsonLines<PictureLine>(out)[0]!.faces[0]!.match]).toEqual([0, null])
  })
})
