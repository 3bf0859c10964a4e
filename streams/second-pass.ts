/**
 * The second pass: the keyframes that selection kept are compared with each other, and those that add nothing are named. Session
 * host only, as an errand. Reads pictures, writes nothing.
 * Decode, find points (ORB), match neighbours and likely returns, verify by two-view geometry, join tracks, forecast, choose.
 */
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import { GrabberError } from '../core/errors.ts'
import type { SecondPassOutcome, SecondPassSpec } from '../core/wire/second-pass.ts'
import { bestSubset } from './analysis/second-pass/best-subset.ts'
import type { BinaryFeatures } from './analysis/second-pass/binary-features.ts'
import { candidatePairs } from './analysis/second-pass/candidate-pairs.ts'
import { joinTracks, type PointTrack, type VerifiedPair } from './analysis/second-pass/point-tracks.ts'
import { forecastRegistration } from './analysis/second-pass/registration-forecast.ts'
import { verifyPair } from './analysis/second-pass/verify-pair.ts'
import { Decoder } from './media/decoder.ts'
import { Demuxer } from './media/demuxer.ts'
import { analysisSize, PictureScaler } from './media/picture-scaler.ts'
import { OrbDetector } from './opencv/orb.ts'

/** Points need more detail than selection's picture has. */
const WIDTH_PX = 960
/** Of a picture; with fewer, tracks of weak texture break. */
const POINTS = 2000

/** `onSign`: it is at work, and has come so far, 0–1. Errors: SRC_UNREADABLE, DEC_FAILED for a picture that cannot be read. */
export async function secondPass(
  spec: SecondPassSpec,
  clock: Clock,
  onSign: (ratio: number) => void,
): Promise<SecondPassOutcome> {
  const { pictures, max } = spec
  const seen: Seen[] = []
  using detector = await OrbDetector.open(POINTS)
  for (const [index, { file }] of pictures.entries()) {
    seen.push(await look(join(spec.imagesDir, file), detector, spec.openTimeoutMs, clock))
    onSign((0.3 * (index + 1)) / pictures.length)
  }
  const candidates = candidatePairs(seen.map(({ features }) => features))
  const pairs: VerifiedPair[] = []
  for (const [index, [a, b]] of candidates.entries()) {
    const pair = verifyPair(a, b, seen[a]!, seen[b]!)
    if (pair) pairs.push(pair)
    onSign(0.3 + (0.6 * (index + 1)) / candidates.length)
  }
  const tracks = joinTracks(
    seen.map(({ features }) => features.points.length / 2),
    pairs,
  )
  const kept = bestSubset(pictures.length, tracks, { max, scores: pictures.map(({ score }) => score) })
  return describe(spec, candidates.length, pairs, tracks, kept)
}

interface Seen {
  features: BinaryFeatures
  width: number
  height: number
}

async function look(path: string, detector: OrbDetector, openTimeoutMs: number, clock: Clock): Promise<Seen> {
  await using demuxer = await Demuxer.open(path, { openTimeoutMs, clock })
  using decoder = await Decoder.open(demuxer.stream, { threads: 1, callTimeoutMs: openTimeoutMs, clock })
  for (let more = true; more; ) {
    const { packet } = await demuxer.read()
    more = packet !== null
    for await (const decoded of decoder.decode(packet)) {
      if ('damage' in decoded) continue
      using full = decoded.frame
      using scaler = new PictureScaler(analysisSize(full, WIDTH_PX))
      using small = scaler.small(full)
      return { features: detector.detect(small.yuv.luma), ...scaler.size }
    }
  }
  throw new GrabberError('DEC_FAILED', 'a keyframe cannot be read again', { remedy: 'run it with --no-resume' })
}

function describe(
  { pictures }: SecondPassSpec,
  compared: number,
  pairs: readonly VerifiedPair[],
  tracks: readonly PointTrack[],
  kept: readonly number[],
): SecondPassOutcome {
  const seqOf = (index: number) => pictures[index]!.seq
  const stays = new Set(kept)
  const registered = (taken?: (index: number) => boolean) =>
    forecastRegistration(pictures.length, tracks, taken).registered.map(seqOf)
  const angles = tracks.map(({ angleDeg }) => angleDeg).sort((one, other) => one - other)
  const length = tracks.reduce((sum, track) => sum + track.pictures.length, 0) / Math.max(1, tracks.length)
  return {
    kept: kept.map(seqOf),
    registered: { before: registered(), after: registered((index) => stays.has(index)) },
    pairs: {
      compared,
      verified: pairs.length,
      withParallax: pairs.filter(({ anglesDeg }) => anglesDeg.some((angle) => angle > 0)).length,
    },
    tracks: { count: tracks.length, meanLength: length, medianAngleDeg: angles[angles.length >> 1] ?? 0 },
  }
}
