import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  fitFundamental,
  fundamentalsOfSeven,
  sampsonErrors,
} from '../../../../../streams/analysis/two-view/fundamental.ts'
import { gric, modelShapes } from '../../../../../streams/analysis/two-view/gric.ts'
import {
  fitHomography,
  homographyErrors,
  homographyOfFour,
  symmetricTransferErrors,
} from '../../../../../streams/analysis/two-view/homography.ts'
import { relativePose } from '../../../../../streams/analysis/two-view/relative-pose.ts'
import { robustFundamental, robustHomography } from '../../../../../streams/analysis/two-view/robust-fit.ts'
import { fitTurn } from '../../../../../streams/analysis/two-view/turn.ts'
import { judgeViews } from '../../../../../streams/analysis/two-view/view-verdict.ts'
import { canonical, correspondences, depths, FOCAL_PX, matchesOf, SIZE, turn, wall } from './correspondences.ts'

interface Fixture {
  camera: { focalPx: number; centreX: number; centreY: number }
  homography: { matches: number[][]; model: number[] }
  fundamental: { matches: number[][]; model: number[]; sampson: number[] }
  sevenPoints: { matches: number[][]; models: number[][] }
  pose: { matches: number[][]; fundamental: number[]; rotation: number[]; translation: number[] }
}
const opencv = JSON.parse(
  readFileSync(new URL('../../../../fixtures/two-view/opencv.json', import.meta.url), 'utf8'),
) as Fixture

const far = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))
const all = Int32Array.of(0, 1, 2, 3, 4, 5, 6)
const options = { thresholdPx: 1.25, maxRounds: 200 }

describe('against OpenCV', () => {
  // OpenCV refines its homography by the transfer error (Levenberg-Marquardt); noise of 0.5 px leaves them 1 % apart at most.
  it('fits a homography to noisy matches of a plane', () => {
    const matches = matchesOf(opencv.homography.matches)
    const ours = fitHomography(matches)!
    const errors = (h: Float64Array) => {
      const out = new Float64Array(matches.count)
      symmetricTransferErrors(matches, h, out)
      return out.reduce((sum, error) => sum + error, 0)
    }
    expect(errors(ours)).toBeLessThan(1.02 * errors(Float64Array.from(opencv.homography.model)))
    expect(far(canonical(ours), opencv.homography.model)).toBeLessThan(0.01)
  })

  it('fits a fundamental matrix by eight points and more', () => {
    const ours = fitFundamental(matchesOf(opencv.fundamental.matches))!
    expect(far(canonical(ours), opencv.fundamental.model)).toBeLessThan(1e-3)
  })

  it("measures Sampson's distances", () => {
    const matches = matchesOf(opencv.fundamental.matches)
    const out = new Float64Array(matches.count)
    sampsonErrors(matches, Float64Array.from(opencv.fundamental.model), out)
    expect(far([...out], opencv.fundamental.sampson)).toBeLessThan(1e-9)
  })

  it('finds the solutions of seven points', () => {
    const ours = fundamentalsOfSeven(matchesOf(opencv.sevenPoints.matches), all).map(canonical)
    expect(ours.length).toBe(opencv.sevenPoints.models.length)
    for (const theirs of opencv.sevenPoints.models) {
      expect(Math.min(...ours.map((model) => far(model, theirs)))).toBeLessThan(1e-6)
    }
  })

  it('recovers the pose', () => {
    const matches = matchesOf(opencv.pose.matches)
    const inliers = new Uint8Array(matches.count).fill(1)
    const pose = relativePose(Float64Array.from(opencv.pose.fundamental), matches, inliers, opencv.camera)!
    expect(far([...pose.rotation], opencv.pose.rotation)).toBeLessThan(1e-4)
    expect(far(pose.translation, opencv.pose.translation)).toBeLessThan(1e-4)
    expect(pose.inFront).toBe(matches.count)
  })
})

describe('against a known world', () => {
  it('makes no errors where there are none', () => {
    const matches = correspondences(wall, 40, 0, 0, 1)
    const [h] = homographyOfFour(matches, Int32Array.of(3, 11, 24, 30))
    const errors = new Float64Array(40)
    homographyErrors(matches, h!, errors)
    expect(Math.max(...errors)).toBeLessThan(1e-6)
    symmetricTransferErrors(matches, h!, errors)
    expect(Math.max(...errors)).toBeLessThan(1e-6)
  })

  it("halves the transfer error of a pure shift: Sampson's is shared by both pictures", () => {
    const matches = matchesOf([[100, 100, 103, 104]])
    const [sampson, transfer] = [new Float64Array(1), new Float64Array(1)]
    homographyErrors(matches, Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), sampson)
    symmetricTransferErrors(matches, Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), transfer)
    expect([sampson[0], transfer[0]]).toEqual([12.5, 50])
  })

  it('finds a plane and a depth among three wrong matches in ten, the same each time', () => {
    for (const [world, robust] of [
      [wall, robustHomography],
      [depths, robustFundamental],
    ] as const) {
      const matches = correspondences(world, 200, 0.5, 0.3, 7)
      const fit = robust(matches, options)!
      const good = fit.inliers.subarray(60).reduce((sum, inlier) => sum + inlier, 0)
      expect(good).toBeGreaterThan(0.85 * 140)
      expect(fit.inliers.subarray(0, 60).reduce((sum, inlier) => sum + inlier, 0)).toBeLessThan(8)
      expect(robust(matches, options)).toEqual(fit)
    }
  })

  it('tells the angle and the focal length of a turn', () => {
    const { rotation, camera } = fitTurn(correspondences(turn, 200, 0.3, 0, 3), SIZE, 1)
    expect(Math.acos((rotation[0]! + rotation[4]! + rotation[8]! - 1) / 2)).toBeCloseTo(0.1, 1)
    expect(Math.abs(camera.focalPx / FOCAL_PX - 1)).toBeLessThan(0.15)
  })

  it('recovers the way and the angles of a camera whose focal length is guessed wrong by a fifth', () => {
    const matches = correspondences(depths, 200, 0.5, 0.3, 9)
    const { model, inliers } = robustFundamental(matches, options)!
    const pose = relativePose(model, matches, inliers, { focalPx: 1.2 * FOCAL_PX, centreX: 319.5, centreY: 179.5 })!
    const [x, y, z] = pose.translation
    const [tx, ty, tz] = [-0.4 * Math.cos(0.05) + 0.1 * Math.sin(0.05), -0.05, -0.1]
    expect((x * tx + y * ty + z * tz) / Math.hypot(tx, ty, tz)).toBeGreaterThan(0.97)
    const degrees = (pose.anglesRad.toSorted()[pose.inFront >> 1]! * 180) / Math.PI
    // 0.4 m at 6 m are 3.8°, seen through a focal length that is a fifth longer.
    expect(degrees).toBeGreaterThan(2.2)
    expect(degrees).toBeLessThan(5)
  })

  it('weighs models as in the paper', () => {
    // n = 4, r = 4: 4·ln 4·d + k·ln 16, and residuals up to 2·(4 − d).
    const errors = Float64Array.of(0, 1, 100, 0.25)
    expect(gric(errors, modelShapes.homography, 1)).toBeCloseTo(5.25 + 8 * Math.log(4) + 8 * Math.log(16))
    expect(gric(errors, modelShapes.fundamental, 1)).toBeCloseTo(3.25 + 12 * Math.log(4) + 7 * Math.log(16))
    expect(gric(errors, modelShapes.homography, 0.5)).toBeCloseTo(9 + 8 * Math.log(4) + 8 * Math.log(16))
  })

  it.each([0, 0.3])('tells a turn, a wall and a depth apart, %d of the matches wrong', (outliers) => {
    const count = { turn: 0, wall: 0, depths: 0 }
    for (let seed = 1; seed <= 10; seed++) {
      const judge = (world: typeof turn) => judgeViews(correspondences(world, 250, 0.5, outliers, seed), SIZE, 0.5)
      const [a, b, c] = [judge(turn), judge(wall), judge(depths)]
      if (a.model === 'H' && a.turned) count.turn++
      if (b.model === 'H' && !b.turned) count.wall++
      if (c.model === 'F' && !c.turned && c.parallaxPx > 4) count.depths++
    }
    expect(count.turn).toBeGreaterThanOrEqual(9)
    expect(count.wall).toBeGreaterThanOrEqual(8)
    expect(count.depths).toBe(10)
  })

  it('says nothing about few matches', () => {
    expect(judgeViews(correspondences(depths, 19, 0, 0, 1), SIZE, 0.5).model).toBe('none')
    expect(robustHomography(correspondences(depths, 3, 0, 0, 1), options)).toBeUndefined()
    expect(robustFundamental(correspondences(depths, 7, 0, 0, 1), options)).toBeUndefined()
    expect(fitFundamental(correspondences(depths, 7, 0, 0, 1))).toBeUndefined()
  })

  it('survives matches that fix nothing', () => {
    const same = matchesOf(Array.from({ length: 30 }, () => [5, 5, 6, 6]))
    const line = matchesOf(Array.from({ length: 30 }, (_, i) => [10 * i, 100, 10 * i + 3, 100]))
    for (const matches of [same, line]) expect(['none', 'H', 'F']).toContain(judgeViews(matches, SIZE, 0.5).model)
  })
})
