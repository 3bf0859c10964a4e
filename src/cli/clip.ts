/**
 * `grabber clip`: highlight clips of a recording. Runs as a command, beside a daemon or alone. Chooses the moments, has them made
 * (src/clips), and publishes what is verified; a run that fails leaves nothing in the output folder.
 */
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { probeRecording } from '../../actors/probe-job.ts'
import { Transcoder } from '../../actors/transcoder.ts'
import type { Config } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import { type ClipTools, type MadeClip, makeClips } from '../clips/make-clips.ts'
import type { ClipChoice } from '../clips/moment.ts'
import { ClipFolder } from '../clips/publish-clips.ts'
import { sourceFacts } from '../clips/source-facts.ts'
import { hostSettings } from '../host-settings.ts'
import { OutputRoot, stemOf } from '../jobs/output-root.ts'
import { judgePreflight } from '../jobs/preflight.ts'
import { type JobPen, recordedJob } from '../jobs/recorded-job.ts'
import { checkUnchanged, hashRecording } from '../jobs/steady-recording.ts'
import { type ClipFlags, type ClipOrder, clipOrder, whichClips } from './clip-order.ts'
import { type ClipReport, clipReport, clipTable } from './clip-report.ts'
import { type CliContext, openConfig } from './context.ts'
import { progressLine } from './progress-line.ts'

/** A process that runs ffmpeg and was killed, by the system for its memory perhaps: once more, and no oftener. */
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
  const { signal, logger } = context
  const out = resolve(context.cwd, order.out)
  const settings = JSON.stringify({ ...order, out: undefined, json: undefined })
  const identity = { kind: 'clip' as const, input: path, output: out }
  return recordedJob({ dataFolder: config.data, identity, settings, logger, signal }, async (pen) => {
    pen.move('preflight', 'is looked at')
    const steady = await hashRecording(path, signal)
    const host = hostSettings(config, logger)
    const report = await probeRecording({ path, host, signal, openTimeoutMs: config.timeouts.openMs })
    const refused = judgePreflight(report, config.jobs.limits, { tonemap: order.tonemap })
    if (refused) throw refused
    pen.move('running', `${report.packets} packets, ${report.damage.count} places damaged`, steady.contentHash)
    using root = await OutputRoot.open(out)
    const stem = stemOf(path)
    await using folder = await ClipFolder.open(root.path, stem)
    const { clips } = await attempts(pen, () => make({ context, config, path, order, folder, pen }))
    pen.move('exporting', `${clips.length} ${clips.length === 1 ? 'file' : 'files'} verified`)
    signal.throwIfAborted()
    await checkUnchanged(steady)
    const names = await folder.publish(clips, order.film !== null)
    pen.move('done', names.join(', '))
    return clipReport(basename(path), clips, names)
  })
}

interface Making {
  context: CliContext
  config: Config
  path: string
  order: ClipOrder
  folder: ClipFolder
  pen: JobPen
}

async function make({ context, config, path, order, folder, pen }: Making): Promise<{ clips: MadeClip[] }> {
  const { signal, logger } = context
  const host = hostSettings(config, logger)
  const entry = new URL('../media/reencode-host.ts', import.meta.url)
  const progress = progressLine(context, basename(path))
  await using transcoder = await Transcoder.start({ entry, workFolder: folder.path, host, signal })
  try {
    const recording = { path, facts: sourceFacts(await transcoder.probe(path)) }
    const choices = await whichClips(order, context, recording)
    for (const [i, choice] of choices.entries()) pen.note(`clip ${i + 1}: ${sayChoice(choice)}`)
    const tools: ClipTools = {
      ...{ transcoder, host, signal, folder: folder.path },
      onStep: (words) => {
        logger.info({ clip: basename(path) }, words)
        pen.note(words)
      },
      onProgress: (share) => {
        progress.update(share, 1)
        pen.progress(share)
      },
    }
    const { reencode, film, limits } = order
    const { openMs: openTimeoutMs } = config.timeouts
    return { clips: await makeClips(recording, choices, { reencode, film, ...limits, openTimeoutMs }, tools) }
  } finally {
    progress.clear()
  }
}

async function attempts<T>(pen: JobPen, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof GrabberError) || error.code !== 'ACT_HOST_DIED') throw error
      pen.note(`once more: ${error.message}`)
    }
  }
}

function sayChoice({ fromMs, toMs, reason }: ClipChoice): string {
  return `${(fromMs / 1000).toFixed(1)} to ${(toMs / 1000).toFixed(1)} s: ${reason}`
}
