/**
 * COLMAP 3.8 as people run it on pictures of one video: features, matches of neighbours, mapper. Starts its processes and owns its
 * folder; a scene that COLMAP cannot begin with is a result, not an error.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GrabberError } from '../../core/errors.ts'
import { centreOf, type Point, rotationOf } from './similarity.ts'

const execute = promisify(execFile)
/** Of one of its commands. */
const LIMIT_MS = 1_200_000
/** Of a picture. COLMAP's own 8192 are for pictures of many megapixels. */
const MOST_FEATURES = 2048
/** Not from a picture of twice the size, as COLMAP's own −1 does: a third of the time, and 900 to 2000 features are left. */
const FIRST_OCTAVE = 0
/** Neighbours, and by COLMAP's own default those at 2, 4, 8, … pictures as well. */
const OVERLAP = 10
const THREADS = 2
/** With this status the mapper leaves when it found no pair to begin with. */
const NO_MODEL = 1

export interface Model {
  /** Centres of the registered pictures by file name, in the model's own frame. */
  centres: ReadonlyMap<string, Point>
  points: number
  /** Pictures that a point is seen in. */
  meanTrackLength: number
  /** Over all points, px. */
  reprojectionErrorPx: number
}

export const noModel: Model = { centres: new Map(), points: 0, meanTrackLength: 0, reprojectionErrorPx: 0 }

/** The largest model that COLMAP makes of the pictures in a folder; `folder` is empty and receives its files. */
export async function reconstruct(
  images: string,
  folder: string,
  focalPx: number,
  size: readonly [number, number],
): Promise<Model> {
  const database = join(folder, 'database.db')
  const sparse = join(folder, 'sparse')
  mkdirSync(sparse)
  const common = ['--database_path', database, '--random_seed', '1']
  // The focal length as a phone writes it into its files; the mapper refines it.
  const camera = ['--ImageReader.single_camera', '1', '--ImageReader.camera_model', 'SIMPLE_RADIAL']
  const prior = ['--ImageReader.camera_params', `${focalPx},${size[0] / 2},${size[1] / 2},0`]
  const sift = ['--SiftExtraction.use_gpu', '0', '--SiftExtraction.num_threads', `${THREADS}`]
  const extent = [
    '--SiftExtraction.max_num_features',
    `${MOST_FEATURES}`,
    '--SiftExtraction.first_octave',
    `${FIRST_OCTAVE}`,
  ]
  await colmap('feature_extractor', [...common, '--image_path', images, ...camera, ...prior, ...sift, ...extent])
  const matching = ['--SiftMatching.use_gpu', '0', '--SiftMatching.num_threads', `${THREADS}`]
  await colmap('sequential_matcher', [...common, ...matching, '--SequentialMatching.overlap', `${OVERLAP}`])
  const paths = ['--image_path', images, '--output_path', sparse, '--Mapper.num_threads', `${THREADS}`]
  await colmap('mapper', [...common, ...paths]).catch((error) => unlessHopeless(error))
  return await largest(sparse)
}

async function largest(sparse: string): Promise<Model> {
  let best = noModel
  for (const name of readdirSync(sparse)) {
    const folder = join(sparse, name)
    await colmap('model_converter', ['--input_path', folder, '--output_path', folder, '--output_type', 'TXT'])
    const text = (file: string) => readFileSync(join(folder, file), 'utf8')
    const model = readModel(text('images.txt'), text('points3D.txt'))
    if (model.centres.size > best.centres.size) best = model
  }
  return best
}

/** Of COLMAP's text format: https://colmap.github.io/format.html#text-format. */
export function readModel(imagesText: string, pointsText: string): Model {
  const centres = new Map<string, Point>()
  // Two lines a picture: its pose and name, and its points, of which there may be none.
  const lines = imagesText.split('\n').filter((line) => !line.startsWith('#'))
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const fields = lines[i]!.split(' ')
    const numbers = fields.slice(1, 8).map(Number)
    centres.set(fields.slice(9).join(' '), centreOf(rotationOf(numbers.slice(0, 4)), numbers.slice(4)))
  }
  let [points, error, observations] = [0, 0, 0]
  for (const line of pointsText.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const fields = line.trimEnd().split(' ')
    points++
    error += Number(fields[7])
    observations += (fields.length - 8) / 2
  }
  if (points === 0) return { ...noModel, centres }
  return { centres, points, meanTrackLength: observations / points, reprojectionErrorPx: error / points }
}

async function colmap(command: string, args: string[]): Promise<void> {
  const env = { ...process.env, QT_QPA_PLATFORM: 'offscreen' }
  try {
    await execute('colmap', [command, ...args], { env, timeout: LIMIT_MS, maxBuffer: 1 << 28 })
  } catch (cause) {
    const { code, stderr = '' } = cause as { code?: unknown; stderr?: string }
    if (code === 'ENOENT') {
      const remedy = 'install it: script/setup --test'
      throw new GrabberError('SRC_NOT_FOUND', 'the colmap command was not found', { cause, remedy })
    }
    throw new GrabberError('SRC_UNREADABLE', `colmap ${command} failed: ${stderr.slice(-300)}`, { cause })
  }
}

function unlessHopeless(error: unknown): void {
  const cause = error instanceof GrabberError ? error.cause : undefined
  if ((cause as { code?: unknown } | undefined)?.code !== NO_MODEL) throw error
}
