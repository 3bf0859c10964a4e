/**
 * An extraction's result that nobody extracted: records from a seed, the same ones each time, for tests of what is written from
 * them. They behave like a walk: motion comes and goes, sharpness falls while it is fast, a keyframe is due when the view has moved on.
 */
import {
  defaultQualityWeights,
  defaultSaliencyWeights,
  type FrameRecord,
  type KeyframeRecord,
  qualityParts,
  type SelectionReason,
} from '../../core/keyframe.ts'
import { type FrameMeasures, measureNames } from '../../core/measures.ts'
import type { FrameLook, ShotReport } from '../../core/shot.ts'
import type { StreamInfo } from '../../core/wire/stream-info.ts'
import type { ExtractionResult } from '../../src/results/extraction-result.ts'

export interface MadeOptions {
  seed?: number
  candidates?: number
  /** ms between candidates. */
  stepMs?: number
  /** Of these many shots. */
  shots?: number
  width?: number
  height?: number
  format?: 'jpg' | 'png'
  /** Of so many keyframes the rest is thinned. */
  maxFrames?: number
}

/** Park and Miller's generator: its numbers are the same everywhere. */
export function numbersFrom(seed: number): () => number {
  let state = seed % 2147483647 || 1
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

export function madeRecords(options: MadeOptions = {}): (FrameRecord | KeyframeRecord)[] {
  const { seed = 1, candidates = 600, stepMs = 100, shots = 3, width = 1920, height = 1080, format = 'jpg' } = options
  const random = numbersFrom(seed)
  const kept: number[] = []
  let travelled = 0
  const records = Array.from({ length: candidates }, (_, index): FrameRecord | KeyframeRecord => {
    const scene = Math.min(shots - 1, Math.floor((index * shots) / candidates))
    const first = index === 0 || scene !== Math.min(shots - 1, Math.floor(((index - 1) * shots) / candidates))
    const walk = Math.max(0, Math.sin(index / 17) + 0.35 * Math.sin(index / 5.3))
    const flow = 0.012 * walk * (0.8 + 0.4 * random())
    travelled = first ? 0 : travelled + flow
    const sharpness = clamp(0.92 - 22 * flow + 0.12 * (random() - 0.5))
    const dark = index % 191 > 180
    const score = clamp(0.25 + 0.7 * sharpness - (dark ? 0.4 : 0))
    const due = travelled > 0.08
    const good = score > 0.5
    const chosen = (first || due) && good
    const reason = reasonOf({ first, due, good, dark, flow, random: random() })
    const record: FrameRecord = {
      seq: index * 3,
      ptsMs: index * stepMs,
      scene,
      measures: Object.fromEntries(
        measureNames.map((name) => [name, 40 + 900 * sharpness * random()]),
      ) as FrameMeasures,
      score: {
        score,
        parts: Object.fromEntries(qualityParts.map((part) => [part, clamp(sharpness + 0.2 * random())])),
        faults: good ? [] : dark ? ['dark'] : ['blurred'],
      },
      saliency: { score: clamp(score + 0.1), parts: { spatial: 0.6, geometric: sharpness, texture: 0.4 } },
      view: first
        ? null
        : {
            ...{ flowRatio: travelled, parallaxRatio: travelled / 6, overlapRatio: clamp(1 - 4 * travelled) },
            model: travelled > 0.03 ? 'F' : 'H',
            tracks: 300 - Math.round(900 * travelled),
          },
      chosen,
      reason,
      evidence: `moved ${(100 * travelled).toFixed(1)} % of the diagonal`,
      look: madeLook(first, stepMs, flow),
    }
    if (!chosen) return record
    travelled = 0
    const links = kept.slice(-6).map((seq, place) => [seq, 240 - 30 * place] as const)
    kept.push(record.seq)
    return {
      ...{ ...record, chosen: true, reason: reason as SelectionReason, width, height },
      file: `${String(record.seq).padStart(8, '0')}.${format}`,
      pixelHash: record.seq.toString(16).padStart(64, '0'),
      links: links.toReversed(),
    }
  })
  return thinned(records, options.maxFrames)
}

interface Moment {
  first: boolean
  due: boolean
  good: boolean
  dark: boolean
  flow: number
  random: number
}

function reasonOf({ first, due, good, dark, flow, random }: Moment): SelectionReason {
  if (!good) return dark ? 'dark' : 'blurred'
  if (first) return 'first'
  if (due) return random < 0.12 ? 'rotation' : random < 0.3 ? 'overlap' : 'parallax'
  return flow < 0.0005 ? 'still' : random < 0.3 ? 'weaker' : 'near'
}

function madeLook(first: boolean, stepMs: number, flow: number): FrameLook {
  return {
    ...{ shot: 0, begins: first ? 'cut' : null, stepMs: first ? 0 : stepMs, dx: flow, dy: 0, flow },
    ...{ directions: [flow, 0, 0, 0, 0, 0, 0, flow / 3], unexplained: 0.1, shake: flow / 10, brightness: 0 },
  }
}

function thinned(records: (FrameRecord | KeyframeRecord)[], maxFrames: number | undefined) {
  const chosen = records.filter(({ chosen }) => chosen)
  if (maxFrames === undefined || chosen.length <= maxFrames) return records
  const stay = new Set(
    Array.from({ length: maxFrames }, (_, index) => chosen[Math.floor((index * chosen.length) / maxFrames)]),
  )
  return records.map((record) =>
    record.chosen && !stay.has(record) ? ({ ...record, chosen: false, reason: 'thinned' } as FrameRecord) : record,
  )
}

export function madeResult(options: MadeOptions = {}): ExtractionResult {
  const { stepMs = 100, shots = 3, width = 1920, height = 1080, format = 'jpg' } = options
  const records = madeRecords(options)
  const durationMs = records.length * stepMs
  const stream: StreamInfo = {
    ...{ codec: 'h264', decoder: 'software', refused: [], transport: null, container: 'mov,mp4', width, height },
    ...{ fps: 30, durationMs, rotation: 0, recordedAtMs: Date.UTC(2024, 4, 11, 9, 30) },
  }
  const damage = {
    count: 2,
    positions: [
      { ptsMs: 1200, what: 'concealed' },
      { ptsMs: 5400, what: 'concealed' },
    ],
  }
  return {
    source: {
      ...{ file: 'walk round the church.mp4', sizeBytes: 48_211_904, contentHash: 'c0ffee'.padEnd(64, '0') },
      ...{ recordedAtMs: stream.recordedAtMs, stream },
      preflight: {
        ...{ stream, sizeBytes: 48_211_904, audio: { codec: 'aac', channels: 2, sampleRate: 48000 } },
        colour: {
          ...{ primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', range: 'tv', bitDepth: 8, hdr: null },
        },
        ...{ packets: 1800, iframes: 12, variableFrameRate: false, damage: { ...damage, at: [] } },
      },
    },
    settings: {
      ...{
        mode: 'balanced',
        maxFrames: options.maxFrames ?? null,
        tonemap: false,
        fingerprint: 'f1a9'.padEnd(64, '0'),
      },
      candidates: { fps: 10, widthPx: 640 },
      figures: {
        ...{ qualityWeights: defaultQualityWeights, saliencyWeights: defaultSaliencyWeights },
        ...{ minScore: 0.35, targetFlowRatio: 0.08, minOverlapRatio: 0.5, windowMs: 500, tracks: 300 },
        ...{ features: null, format, jpegQuality: 2 },
      },
    },
    version: '0.1.0',
    records,
    keyframes: records.filter((record): record is KeyframeRecord => record.chosen),
    shots: Array.from({ length: shots }, (_, index) => madeShot(records, index)),
    summary: {
      frames: {
        ...{ captured: 3 * records.length, analysed: records.length, inFlight: 0, dropped: {} },
        skipped: { rate: 2 * records.length },
      },
      ...{ durationMs, damage },
    },
    run: {
      ...{ startedAtMs: Date.UTC(2024, 4, 12, 8), wallSeconds: durationMs / 3200, realtimeFactor: 3.2, restarts: 0 },
      stages: {
        decode: { p50Ms: 4.1, p95Ms: 7.9, count: 3 * records.length },
        measure: { p50Ms: 5.2, p95Ms: 6.8, count: records.length },
      },
      peakRssBytes: 212_000_000,
    },
  }
}

function madeShot(records: readonly FrameRecord[], index: number): ShotReport {
  const own = records.filter(({ scene }) => scene === index)
  const [first, last] = [own[0]!, own.at(-1)!]
  return {
    ...{ index, begins: index === 0 ? 'start' : 'cut', candidates: own.length },
    ...{ fromMs: first.ptsMs, toMs: last.ptsMs, fromSeq: first.seq, toSeq: last.seq },
    keyframes: own.filter(({ chosen }) => chosen).length,
    metrics: {
      ...{ motion: 0.08 + index / 50, motionVariety: 0.4, shake: 0.021, blur: 0.32, texture: 41.5, edges: 0.11 },
      ...{ colourVariety: 33.1, brightnessChange: 4.2, crowding: 0.07 },
    },
    forecast: index === 2 ? null : { complexity: 1.1 + index / 4, low: 0.8, high: 1.6, confidence: 0.72 },
  }
}

const clamp = (value: number) => Math.min(1, Math.max(0, value))
