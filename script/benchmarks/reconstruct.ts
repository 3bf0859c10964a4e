/**
 * `script/bench reconstruct`: what the real COLMAP makes of as many pictures as `grabber` chooses, as even spacing gives, and as
 * ffmpeg's thumbnail filter finds, over rendered handheld clips of known geometry; and how many evenly spaced ones it takes to
 * register as much. Runs in the benchmark's process.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  fullScene,
  type ScenePath,
  type SceneTruth,
  sceneClip,
  scenePaths,
} from '../../test/support/scenes/scene-clips.ts'
import { reconstruct } from './colmap.ts'
import { type BenchContext, type BenchResult, figure } from './kit.ts'
import { writeEven, writeKeyframes, writeThumbnails } from './picture-choices.ts'
import { figuresOf, type ReconstructionFigures } from './reconstruction-figures.ts'

const MODE = 'balanced'
/** Times as many pictures as grabber's, tried in turn until even spacing registers and covers as much. */
const FACTORS = [1.5, 2, 3]

export type Method = 'grabber' | 'even' | 'thumbnail'

interface Row extends ReconstructionFigures {
  path: ScenePath
  method: Method
}

type Choice = (folder: string) => Promise<void>

/** One clip, and COLMAP on pictures of it. */
class Trial {
  readonly path: ScenePath
  readonly clip: string
  readonly truth: SceneTruth
  readonly #folder = mkdtempSync(join(tmpdir(), 'grabber-reconstruct-'))
  #runs = 0

  constructor(path: ScenePath, seconds: number) {
    this.path = path
    const { clip, truth } = sceneClip(path, { ...fullScene, seconds })
    this.clip = clip
    this.truth = truth
  }

  async run(method: Method, choose: Choice): Promise<Row> {
    const folder = join(this.#folder, String(this.#runs++))
    mkdirSync(folder)
    const images = join(folder, 'images')
    await choose(images)
    const { focalPx, width, height } = this.truth.intrinsics
    const model = await reconstruct(images, folder, focalPx, [width, height])
    const figures = rounded(figuresOf(readdirSync(images).toSorted(), model, this.truth))
    // Four paths take most of an hour, of which nothing would be seen.
    process.stderr.write(`${this.path}, ${method}: ${figures.registeredShare} of ${figures.pictures} pictures\n`)
    return { path: this.path, method, ...figures }
  }

  even(count: number): Promise<Row> {
    return this.run('even', (folder) => writeEven(this.clip, folder, count, this.truth.frames.length))
  }

  thumbnail(count: number): Promise<Row> {
    return this.run('thumbnail', (folder) => writeThumbnails(this.clip, folder, count, this.truth.frames.length))
  }

  grabber(): Promise<Row> {
    return this.run('grabber', (folder) => writeKeyframes(this.clip, folder, MODE))
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true })
  }
}

export async function benchReconstruct({ paths, seconds }: BenchContext): Promise<BenchResult> {
  const rows: Row[] = []
  const needed: { path: ScenePath; pictures: number; evenPictures: number | null; fewerShare: number | null }[] = []
  for (const path of scenePaths.slice(0, paths)) {
    using trial = new Trial(path, seconds ?? fullScene.seconds)
    const grabber = await trial.grabber()
    const even = await trial.even(grabber.pictures)
    rows.push(grabber, even, await trial.thumbnail(grabber.pictures))
    const evenPictures = await evenAsGood(trial, grabber, even)
    const fewerShare = evenPictures === null ? null : figure(1 - grabber.pictures / evenPictures)
    needed.push({ path, pictures: grabber.pictures, evenPictures, fewerShare })
  }
  const methods = Object.fromEntries(
    (['grabber', 'even', 'thumbnail'] as const).map((method) => [method, over(rows, method)]),
  )
  return { report: { ...methods, rows, needed }, text: `${table(rows)}\n${neededText(needed)}` }
}

/** How many evenly spaced pictures register and cover as much; `null` when the largest factor does not. */
async function evenAsGood(trial: Trial, grabber: Row, even: Row): Promise<number | null> {
  if (asGood(even, grabber)) return even.pictures
  for (const factor of FACTORS) {
    const row = await trial.even(Math.round(factor * grabber.pictures))
    if (asGood(row, grabber)) return row.pictures
  }
  return null
}

function asGood(row: Row, than: Row): boolean {
  return row.registeredShare >= than.registeredShare && row.coveredShare >= than.coveredShare
}

/** A method over all paths: shares of all pictures together, means of the rest. */
function over(rows: readonly Row[], method: Method): ReconstructionFigures {
  const own = rows.filter((row) => row.method === method)
  const sum = (of: (row: Row) => number) => own.reduce((total, row) => total + of(row), 0)
  const [pictures, parallaxPictures] = [sum((row) => row.pictures), sum((row) => row.parallaxPictures)]
  const mean = (of: (row: Row) => number) => sum(of) / own.length
  // A path without a model has no error, and so has none the whole: it must not look better for that.
  const meanOfAll = (of: (row: Row) => number | null) => {
    const values = own.map(of)
    return values.includes(null) ? null : values.reduce<number>((total, value) => total + value!, 0) / values.length
  }
  return rounded({
    pictures,
    parallaxPictures,
    registeredShare: sum((row) => row.registeredShare * row.parallaxPictures) / Math.max(1, parallaxPictures),
    registeredShareAll: sum((row) => row.registeredShareAll * row.pictures) / Math.max(1, pictures),
    coveredShare: mean((row) => row.coveredShare),
    points: mean((row) => row.points),
    meanTrackLength: mean((row) => row.meanTrackLength),
    reprojectionErrorPx: mean((row) => row.reprojectionErrorPx),
    positionError: meanOfAll((row) => row.positionError),
    registeredPositionError: meanOfAll((row) => row.registeredPositionError),
    registeredPositionErrorMedian: meanOfAll((row) => row.registeredPositionErrorMedian),
  })
}

function rounded(figures: ReconstructionFigures): ReconstructionFigures {
  const entries = Object.entries(figures).map(([name, value]) => [name, value === null ? null : figure(value)])
  return Object.fromEntries(entries)
}

export function table(rows: readonly Row[]): string {
  const percent = (share: number | null) => (share === null ? '–' : `${(100 * share).toFixed(1)} %`)
  const error = (share: number | null) => (share === null ? '–' : `${(1000 * share).toFixed(2)} ‰`)
  const head =
    'path | method | pictures | registered (parallax) | all | covered | points | track | reprojection | position | of registered | median'
  const lines = rows.map((row) => {
    const shares = [row.registeredShare, row.registeredShareAll, row.coveredShare].map(percent)
    const model = [Math.round(row.points), row.meanTrackLength.toFixed(2), `${row.reprojectionErrorPx.toFixed(3)} px`]
    return [
      row.path,
      row.method,
      row.pictures,
      ...shares,
      ...model,
      error(row.positionError),
      error(row.registeredPositionError),
      error(row.registeredPositionErrorMedian),
    ].join(' | ')
  })
  return `${[head, ...lines].join('\n')}\n`
}

function neededText(
  needed: readonly { path: string; pictures: number; evenPictures: number | null; fewerShare: number | null }[],
): string {
  const most = FACTORS.at(-1)!
  const lines = needed.map(({ path, pictures, evenPictures, fewerShare }) => {
    const even = evenPictures === null ? `more than ${Math.round(most * pictures)}` : String(evenPictures)
    return `${path}: ${pictures} pictures register what takes ${even} evenly spaced ones${fewerShare === null ? '' : ` (${(100 * fewerShare).toFixed(0)} % fewer)`}\n`
  })
  return lines.join('')
}
