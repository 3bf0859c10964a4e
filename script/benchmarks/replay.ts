/**
 * `script/bench replay`: how near a replay at top speed comes to what this machine could do at best. Runs in a process of
 * its own; the replay is the real command. Every frame is analysed: rate limit and motion gate are off.
 */
import { availableParallelism } from 'node:os'
import type { RgbPicture } from '../../core/frame.ts'
import { table } from '../../src/cli/table.ts'
import { facesSpec, installedModels } from '../../src/face-models.ts'
import { benchClip, CLIP_SECONDS } from './clip.ts'
import { decodeAlone } from './decode.ts'
import { inferAlone } from './inference.ts'
import { type BenchContext, type BenchResult, type Cost, figure } from './kit.ts'
import { replayCommand } from './replay-command.ts'

/** Enough for a steady mean, and about 2 s on one core. */
const DETECT_RUNS = 300
const EMBED_RUNS = 60

export async function benchReplay(context: BenchContext): Promise<BenchResult> {
  const { config, assets, seconds = CLIP_SECONDS } = context
  const { analysis } = config.defaults
  const { detector, embedder, cropPx, liveness } = facesSpec(config)
  const looks = liveness?.models ?? []
  const ids = [detector, embedder, ...looks.map(({ id }) => id)]
  const [detectorFile, embedderFile, ...lookFiles] = await installedModels(config, ids)
  const clip = await benchClip(assets, seconds)

  // First the whole, then its parts: each alone on the machine.
  const replay = await replayCommand(clip, everyFrame(config.data, analysis.width))
  const oneThread = await decodeAlone(clip, analysis.width, 1)
  const { pictures, frames } = oneThread
  const manyThreads = await decodeAlone(clip, analysis.width, 0)
  const runs = Math.min(DETECT_RUNS, frames)
  const detect = await inferAlone(detector, detectorFile!.path, pictures, runs)
  const crops = pictures.map((picture) => middle(picture, cropPx))
  const embed = await inferAlone(embedder, embedderFile!.path, crops, Math.min(EMBED_RUNS, frames))
  let lookCpuMs = 0
  for (const [index, model] of looks.entries()) {
    const faces = pictures.map((picture) => middle(picture, model.cropPx))
    const one = await inferAlone(model.id, lookFiles[index]!.path, faces, Math.min(EMBED_RUNS, frames))
    lookCpuMs += cpuMs(one, one.runs)
  }

  const { summary } = replay
  const cores = availableParallelism()
  const decodeCpuMs = cpuMs(oneThread, frames)
  const inferCpuMs = cpuMs(detect, runs)
  const embedCpuMs = cpuMs(embed, embed.runs)
  const embeddingsPerFrame = (summary.stages.embed?.count ?? 0) / frames
  const limitFps = limit(cores, decodeCpuMs + inferCpuMs)
  const looksPerFrame = (summary.stages.liveness?.count ?? 0) / frames
  const facesCpuMs = embeddingsPerFrame * embedCpuMs + looksPerFrame * lookCpuMs
  const limitAllModelsFps = limit(cores, decodeCpuMs + inferCpuMs + facesCpuMs)
  const replayFps = summary.frames.analysed / summary.analysisSeconds
  const commandFps = summary.frames.analysed / replay.wallSeconds
  const report = {
    bench: 'replay',
    cores,
    clip: { seconds, frames, width: 1920, height: 1080, analysisWidth: analysis.width },
    decodeOnlyFps: figure(frames / manyThreads.wallSeconds),
    decodeOnlyOneThreadFps: figure(frames / oneThread.wallSeconds),
    inferOnlyFps: figure(runs / detect.wallSeconds),
    decodeCpuMsPerFrame: figure(decodeCpuMs),
    inferCpuMsPerFrame: figure(inferCpuMs),
    embedCpuMs: figure(embedCpuMs),
    livenessCpuMs: figure(lookCpuMs),
    facesPerFrame: figure(summary.faces / frames),
    embeddingsPerFrame: figure(embeddingsPerFrame),
    livenessLooksPerFrame: figure(looksPerFrame),
    limitFps: figure(limitFps),
    limitAllModelsFps: figure(limitAllModelsFps),
    replayFps: figure(replayFps),
    replayCommandFps: figure(commandFps),
    ratio: figure(replayFps / limitFps),
    ratioAllModels: figure(replayFps / limitAllModelsFps),
    ratioCommand: figure(commandFps / limitFps),
    replayCpuMsPerFrame: figure((1000 * replay.cpuSeconds) / frames),
    replayCpuShare: figure(replay.cpuSeconds / (cores * replay.wallSeconds)),
    othersCpuShare: figure(replay.othersCpuSeconds / (cores * replay.wallSeconds)),
    device: summary.device,
    frames: summary.frames,
    stages: summary.stages,
  }
  return { report, text: asTable(report) }
}

const cpuMs = ({ cpuSeconds }: Cost, n: number) => (1000 * cpuSeconds) / n
const limit = (cores: number, msPerFrame: number) => (1000 * cores) / msPerFrame

/** The middle of the left half, where the clip has a face: the embedder takes 40 % longer for one than for plain grey. */
function middle({ width, height, data }: RgbPicture, sidePx: number): RgbPicture {
  const crop = new Uint8Array(3 * sidePx * sidePx)
  const left = Math.floor(width / 4 - sidePx / 2)
  const top = Math.floor(height / 2 - sidePx / 2)
  for (let row = 0; row < 3 * sidePx; row++) {
    const [channel, y] = [Math.floor(row / sidePx), row % sidePx]
    const from = (channel * height + top + y) * width + left
    crop.set(data.subarray(from, from + sidePx), row * sidePx)
  }
  return { width: sidePx, height: sidePx, data: crop }
}

/** A configuration under which every frame is detected. */
function everyFrame(data: string, width: number): object {
  const defaults = { analysis: { fps: 'all', width }, motion: { enabled: false } }
  return { data, nats: { url: 'none' }, defaults }
}

function asTable(report: Record<string, unknown> & { stages: Record<string, { p50Ms: number; p95Ms: number }> }) {
  const { stages, ...figures } = report
  const rows = Object.entries(figures).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ])
  const times = Object.entries(stages).map(([stage, { p50Ms, p95Ms }]) => [stage, String(p50Ms), String(p95Ms)])
  return `${table([['FIGURE', 'VALUE'], ...rows])}\n${table([['STAGE', 'P50 MS', 'P95 MS'], ...times])}`
}
