/**
 * `script/bench extract`: how much faster than it plays a 1080p recording is gone through for keyframes, by mode, and what the time
 * goes into; whether memory grows with the length. Runs in a process of its own; the session hosts are the real ones.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { EngineDirectory } from '../../actors/engine-directory.ts'
import { ExtractJob, type ExtractOutcome } from '../../actors/extract-job.ts'
import type { HostSettings } from '../../actors/host-settings.ts'
import { systemClock } from '../../core/clock.ts'
import type { KeyframeMode } from '../../core/keyframe.ts'
import { table } from '../../src/cli/table.ts'
import { hostSettings } from '../../src/host-settings.ts'
import { extractionSpec } from '../../src/keyframe-spec.ts'
import { decodeAlone } from './decode.ts'
import { type BenchContext, type BenchResult, figure, machineCpuSeconds } from './kit.ts'
import { PANORAMA_SECONDS, panoramaClip } from './panorama-clip.ts'
import { childrenOf, cpuMs } from './processes.ts'

/** `high_quality` without a model of dense features, so that it needs no engine. */
const MODES: readonly KeyframeMode[] = ['fast', 'balanced', 'high_quality']
const SHORT_SECONDS = 10
const LONG_SECONDS = 600
/** How often the session host's CPU time is looked at; what it spends after the last look is not in the figure. */
const LOOK_MS = 50

interface Measured {
  outcome: ExtractOutcome
  wallSeconds: number
  /** Of the session host. */
  cpuSeconds: number
  /** What other programs took meanwhile. */
  othersCpuSeconds: number
}

export async function benchExtract(context: BenchContext): Promise<BenchResult> {
  const { assets, seconds: longSeconds = LONG_SECONDS } = context
  const clip = await panoramaClip(assets, PANORAMA_SECONDS)
  const cores = availableParallelism()
  const modes: Record<string, object> = {}
  for (const mode of MODES) modes[mode] = modeFigures(await extract(context, clip, mode))
  const decode = await decodeAlone(clip, 640, 1)
  const short = await extract(context, await panoramaClip(assets, SHORT_SECONDS), 'fast')
  const long = await extract(context, await panoramaClip(assets, longSeconds), 'fast')
  const rssBytes = { [SHORT_SECONDS]: short.outcome.peakRssBytes, [longSeconds]: long.outcome.peakRssBytes }
  const report = {
    bench: 'extract',
    cores,
    clip: { seconds: PANORAMA_SECONDS, fps: 30, width: 1920, height: 1080 },
    decodeAndScaleCpuMsPerFrame: figure((1000 * decode.cpuSeconds) / decode.frames),
    modes,
    peakRssBytesBySeconds: rssBytes,
    rssGrowth: figure(long.outcome.peakRssBytes / short.outcome.peakRssBytes),
    longRealtimeFactor: figure(longSeconds / (long.outcome.analysisMs / 1000)),
  }
  return { report, text: asText(report) }
}

async function extract({ config, logger }: BenchContext, clip: string, mode: KeyframeMode): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'grabber-bench-'))
  const host: HostSettings = { ...hostSettings(config, logger), clock: systemClock }
  const keyframes = { ...config.defaults.keyframes, mode }
  const parts = {
    name: 'bench',
    epoch: 'bench',
    featuresModel: null,
    tonemap: false,
    imagesDir: join(folder, 'images'),
  }
  const spec = extractionSpec(config, { ...parts, path: clip, keyframes })
  const directory = new EngineDirectory()
  let spentMs = 0
  const looks = setInterval(() => {
    const [session] = childrenOf(process.pid)
    if (session !== undefined) spentMs = cpuMs(session) ?? spentMs
  }, LOOK_MS)
  const busy = machineCpuSeconds()
  const startMs = performance.now()
  try {
    const outcome = await new ExtractJob({
      name: 'bench',
      spec,
      directory,
      host,
      from: null,
      onRecords: () => undefined,
    }).run()
    const wallSeconds = (performance.now() - startMs) / 1000
    const cpuSeconds = spentMs / 1000
    return { outcome, wallSeconds, cpuSeconds, othersCpuSeconds: Math.max(0, machineCpuSeconds() - busy - cpuSeconds) }
  } finally {
    clearInterval(looks)
    await rm(folder, { recursive: true })
  }
}

function modeFigures({ outcome, wallSeconds, cpuSeconds, othersCpuSeconds }: Measured) {
  const { analysisMs, stages, candidates, keyframes, peakRssBytes } = outcome
  const shares = Object.entries(stages).map(([name, { totalMs }]) => [name, figure(totalMs / analysisMs)])
  return {
    realtimeFactor: figure(PANORAMA_SECONDS / (analysisMs / 1000)),
    /** With the start and the end of the session host. */
    realtimeFactorWhole: figure(PANORAMA_SECONDS / wallSeconds),
    cpuSecondsPerSecond: figure(cpuSeconds / PANORAMA_SECONDS),
    othersCpuShare: figure(othersCpuSeconds / (availableParallelism() * wallSeconds)),
    candidates,
    keyframes,
    stageShares: Object.fromEntries(shares),
    stages,
    peakRssBytes,
  }
}

function asText({ modes, ...figures }: Record<string, unknown> & { modes: Record<string, object> }): string {
  const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))
  const rows = Object.entries(figures).map(([name, value]) => [name, text(value)])
  const ofModes = Object.entries(modes).flatMap(([mode, values]) =>
    Object.entries(values).flatMap(([name, value]) => (name === 'stages' ? [] : [[mode, name, text(value)]])),
  )
  return `${table([['FIGURE', 'VALUE'], ...rows])}\n${table([['MODE', 'FIGURE', 'VALUE'], ...ofModes])}`
}
