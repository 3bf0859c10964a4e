/**
 * `grabber clip`: highlight clips of a recording. Runs as a command, beside a daemon or alone. Chooses the moments, has them made
 * (src/clips), and publishes what is verified; a run that fails leaves nothing in the output folder.
 */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { probeRecording } from '../../actors/probe-job.ts'
import { Transcoder } from '../../actors/transcoder.ts'
import type { Config } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { Damage } from '../../core/wire/stream-info.ts'
import { type ClipTools, type MadeClip, makeClips } from '../clips/make-clips.ts'
import type { ClipChoice } from '../clips/moment.ts'
import { ClipFolder } from '../clips/publish-clips.ts'
import { sourceFacts } from '../clips/source-facts.ts'
import { hostSettings } from '../host-settings.ts'
import { JobLog } from '../jobs/job-log.ts'
import { OutputRoot, stemOf } from '../jobs/output-root.ts'
import { judgePreflight } from '../jobs/preflight.ts'
import { checkUnchanged, hashRecording } from '../jobs/steady-recording.ts'
import { checkRecording } from '../recordings.ts'
import { makeFolder } from '../store/data-dir.ts'
import { JobStore, jobsPath } from '../store/jobs.ts'
import { type ClipFlags, type ClipOrder, clipOrder, momentsText, whichClips } from './clip-order.ts'
import { type ClipReport, clipReport, clipTable } from './clip-report.ts'
import { type CliContext, openConfig } from './context.ts'
import { progressLine } from './progress-line.ts'

/** ffmpeg, or the process that runs it, was killed, by the system for its memory perhaps: once more, and no oftener. */
const ATTEMPTS = 2

export function registerClip(program: Command, context: CliContext): void {
  program
    .command('clip <video>')
    .description('highlight clips: at most 5 of 15 to 60 s, copied where the cut allows, else encoded anew')
    .requiredOption('--out <folder>', 'where the clips go')
    .option('--events <file>', 'moments from events: what `grabber replay --events` wrote')
    .option('--camera <id>', 'whose events (default: the name of the file, or the only camera there is)')
    .option('--scores <file>', 'moments from scores: metadata.json of `grabber extract`')
    .option('--at <times...>', 'moments at times: 00:01:20, or 00:01:20,25 for 25 s')
    .option('--count <n>', 'at most so many clips, 1 to 5', '5')
    .option('--min <seconds>', 'shortest clip, 15 to 60', '15')
    .option('--max <seconds>', 'longest clip, 15 to 60', '60')
    .option('--reencode', 'encode even what could be copied: loudness −16 LUFS, BT.709')
    .option('--concat', 'one film of all clips')
    .option('--transition <names>', 'between the clips of a film, one for all or a,b,… for each joint', 'crossfade')
    .option('--tonemap', 'map HDR to BT.709 instead of refusing it')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', '\nExample:\n  grabber clip lobby.mp4 --events events.jsonl --count 3 --out highlights')
    .action(async (video: string, flags: ClipFlags, command: Command) => {
      const order = clipOrder(flags)
      const { config } = openConfig(context, command)
      const report = await clip(context, config, resolve(context.cwd, video), order)
      context.stdout.write(order.json ? `${JSON.stringify(report)}\n` : clipTable(report))
    })
}

async function clip(context: CliContext, config: Config, path: string, order: ClipOrder): Promise<ClipReport> {
  const text = await momentsText(order, context)
  const { sizeBytes } = await checkedSize(path)
  makeFolder(config.data)
  using jobs = JobStore.open(jobsPath(config.data), systemClock)
  const progress = progressLine(context, basename(path))
  const log = new JobLog({
    jobs,
    identity: { kind: 'clip', input: path, output: resolve(context.cwd, order.out) },
    settings: fingerprintOf(order),
    sizeBytes,
    onProgress: (share) => progress.update(share, 1),
  })
  try {
    return await work({ context, config, path, order, text, log })
  } catch (error) {
    const coded = toGrabberError(error)
    if (context.signal.aborted) log.end('cancelled', 'interrupted')
    else log.end('failed', coded.message, coded)
    throw error
  } finally {
    progress.clear()
  }
}

interface Work {
  context: CliContext
  config: Config
  path: string
  order: ClipOrder
  /** Of `momentsText`. */
  text: string
  log: JobLog
}

async function work({ context, config, path, order, text, log }: Work): Promise<ClipReport> {
  const { signal, logger } = context
  log.move('preflight', 'is looked at')
  const steady = await hashRecording(path, signal)
  const host = hostSettings(config, logger)
  const report = await probeRecording({ path, host, signal, openTimeoutMs: config.timeouts.openMs })
  const refused = judgePreflight(report, config.jobs.limits, { tonemap: order.tonemap })
  if (refused) throw refused
  sayDamage(context, basename(path), report.damage)
  const seen = `${report.packets} packets, ${report.damage.count} places damaged`
  log.move('running', seen, { contentHash: steady.contentHash })
  using root = await OutputRoot.open(resolve(context.cwd, order.out))
  await using folder = await ClipFolder.open(root.path, stemOf(path))
  const clips = await attempts(log, () => make({ context, config, path, order, text, log }, folder)).catch(
    async (error: unknown) => {
      // What was cut off or written over while it was read is damaged as well, but that is not what happened.
      if (error instanceof GrabberError && /^(SRC|DEC)_/.test(error.code)) await checkUnchanged(steady)
      throw error
    },
  )
  log.move('exporting', `${clips.length} ${clips.length === 1 ? 'file' : 'files'} verified`)
  signal.throwIfAborted()
  await checkUnchanged(steady)
  const names = await folder.publish(clips, order.film !== null)
  log.move('done', names.join(', '), { result: root.path })
  return clipReport(basename(path), clips, names)
}

async function make({ context, config, path, order, text, log }: Work, folder: ClipFolder): Promise<MadeClip[]> {
  const { signal, logger } = context
  const host = hostSettings(config, logger)
  const entry = new URL('../media/reencode-host.ts', import.meta.url)
  await using transcoder = await Transcoder.start({ entry, workFolder: folder.path, host, signal })
  const recording = { path, facts: sourceFacts(await transcoder.probe(path)) }
  const choices = await whichClips(order, text, recording)
  for (const [i, choice] of choices.entries()) log.note(`clip ${i + 1}: ${sayChoice(choice)}`)
  const tools: ClipTools = {
    ...{ transcoder, host, signal, folder: folder.path },
    onStep: (words) => log.note(words),
    onProgress: (share) => log.progress(share),
  }
  const { reencode, film, limits } = order
  const { openMs: openTimeoutMs } = config.timeouts
  // Awaited here: the transcoder is gone when this function is left.
  return await makeClips(recording, choices, { reencode, film, ...limits, openTimeoutMs }, tools)
}

async function attempts<T>(log: JobLog, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof GrabberError) || error.code !== 'ACT_HOST_DIED') throw error
      log.note(`once more: ${error.message}`)
    }
  }
}

function sayChoice({ fromMs, toMs, reason }: ClipChoice): string {
  return `${(fromMs / 1000).toFixed(1)} to ${(toMs / 1000).toFixed(1)} s: ${reason}`
}

/** No reason to refuse it: clips may lie elsewhere, and each is decoded before it is published. */
function sayDamage({ stderr }: CliContext, name: string, { count, positions }: Damage): void {
  if (count === 0) return
  const where = positions.slice(0, 3).map(({ ptsMs, what }) => `${what} at ${(ptsMs / 1000).toFixed(2)} s`)
  const more = count > where.length ? ` and ${count - where.length} more` : ''
  stderr.write(`${new GrabberError('DEC_DAMAGED', `${name}: ${where.join('; ')}${more}`).line}\n`)
}

/** Of what the clips depend on, and not of how they are reported. */
function fingerprintOf({ moments, limits, reencode, film, tonemap }: ClipOrder): string {
  const text = JSON.stringify({ moments, limits, reencode, film, tonemap })
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

async function checkedSize(path: string): Promise<{ sizeBytes: number }> {
  await checkRecording(path)
  return { sizeBytes: (await stat(path)).size }
}
