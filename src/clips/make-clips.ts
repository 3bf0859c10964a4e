/**
 * Makes the clips that were chosen: by stream copy where all of them can be cut so, else encoded anew, each verified as it lies on
 * the disk. Runs in the command. Owns nothing but the files it writes in the job's folder; publishing them is the caller's.
 *
 * All clips of a run are made the same way: next to clips of one loudness and one colour, a copy would stand out.
 */
import { join } from 'node:path'
import { cutByCopy } from '../../actors/clip-job.ts'
import type { HostSettings } from '../../actors/host-settings.ts'
import type { Transcoder } from '../../actors/transcoder.ts'
import { GrabberError } from '../../core/errors.ts'
import { encodeTask, filmTask, meterTask, type Recording, type SoundFilters, type Span } from './clip-tasks.ts'
import { type Loudness, MAX_SPREAD, readMeter, spreadOf } from './loudness.ts'
import type { ClipChoice } from './moment.ts'
import { isFastStart } from './mp4-boxes.ts'
import { settleSound } from './settle-sound.ts'
import { sourceFacts } from './source-facts.ts'
import type { Transition } from './transitions.ts'
import { clipFaults, type ExpectedClip, type WrittenClip } from './verify-clip.ts'

/** A clip by stream copy may begin so much earlier than chosen: two seconds, as long as what is shown before a moment anyway. */
const COPY_TOLERANCE_MS = 2000

export interface ClipOptions {
  /** Encode even what could be copied. */
  reencode: boolean
  /** One film of all clips instead of a file for each. */
  film: readonly Transition[] | null
  minMs: number
  maxMs: number
  openTimeoutMs: number
}

export interface ClipTools {
  transcoder: Transcoder
  host: HostSettings
  /** Where files are made. */
  folder: string
  signal: AbortSignal
  /** A few words on what is done now, or was found. */
  onStep(words: string): void
  /** 0–1. */
  onProgress(share: number): void
}

export interface MadeClip extends Span {
  /** Path in the job's folder. */
  made: string
  method: 'copy' | 'reencode'
  lengthMs: number
  reason: string
  /** As measured on the file; `null` without sound. */
  loudness: Loudness | null
  notes: readonly string[]
}

/** In order of time; with `film` one. DEC_VERIFY, DEC_ENCODE, STO_*, ACT_HOST_DIED. */
export async function makeClips(
  recording: Recording,
  choices: readonly ClipChoice[],
  options: ClipOptions,
  tools: ClipTools,
): Promise<MadeClip[]> {
  const why = whyEncode(recording, options) ?? (await tryCopies(recording, choices, options, tools))
  if (typeof why !== 'string') return why
  tools.onStep(`encoded anew: ${why}`)
  return options.film ? [await makeFilm(recording, choices, options.film, tools)] : encodeAll(recording, choices, tools)
}

function whyEncode({ facts }: Recording, { reencode, film }: ClipOptions): string | undefined {
  if (film) return 'one film is made of the clips'
  if (reencode) return 'as asked for'
  return facts.video.hdr === null ? undefined : 'HDR becomes BT.709'
}

/** The clips, or why they cannot be copied. */
async function tryCopies(
  recording: Recording,
  choices: readonly ClipChoice[],
  { minMs, maxMs, openTimeoutMs }: ClipOptions,
  tools: ClipTools,
): Promise<MadeClip[] | string> {
  const { folder, host, signal } = tools
  const targets = choices.map((_, i) => join(folder, `copy-${i}.mp4`))
  const pieces = choices.map(({ fromMs, toMs }, i) => ({ fromMs, toMs, target: targets[i]! }))
  const spec = { path: recording.path, pieces, toleranceMs: COPY_TOLERANCE_MS, maxMs, openTimeoutMs }
  const answers = await cutByCopy({ spec, host, signal })
  const made: MadeClip[] = []
  for (const [i, answer] of answers.entries()) {
    const { reason } = choices[i]!
    const name = `clip ${i + 1}`
    if (answer.kind === 'refused') return `${name}: ${answer.reason}`
    const { fromMs, toMs } = answer
    const lengthMs = toMs - fromMs
    if (lengthMs < minMs) return `${name} would last ${Math.round(lengthMs)} ms`
    const previous = made.at(-1)
    if (previous && previous.toMs > fromMs) return `${name} would overlap the one before`
    const written = await inspect(targets[i]!, tools)
    const faults =
      typeof written === 'string'
        ? [written]
        : clipFaults({ method: 'copy', lengthMs, source: recording.facts }, written)
    if (typeof written === 'string' || faults.length > 0) return `${name} as a copy: ${faults.join(', ')}`
    const loudness = written.loudness
    made.push({ made: targets[i]!, method: 'copy', fromMs, toMs, lengthMs, reason, loudness, notes: [] })
    tools.onProgress((i + 1) / choices.length)
  }
  return made
}

async function encodeAll(recording: Recording, choices: readonly ClipChoice[], tools: ClipTools): Promise<MadeClip[]> {
  const clips: MadeClip[] = []
  for (const [i, choice] of choices.entries()) {
    const made = join(tools.folder, `clip-${i}.mp4`)
    const { filters, note } = await settleSound(tools.transcoder, recording, choice, tools.folder)
    const { fromMs, toMs, reason } = choice
    const lengthMs = toMs - fromMs
    const share = (doneMs: number) => tools.onProgress((i + Math.min(1, doneMs / lengthMs)) / choices.length)
    await tools.transcoder.run(encodeTask(recording, choice, filters, made), share)
    const loudness = await verified(made, { method: 'reencode', lengthMs, source: recording.facts }, tools)
    clips.push({
      made,
      method: 'reencode',
      fromMs,
      toMs,
      lengthMs,
      reason,
      loudness,
      notes: note === null ? [] : [note],
    })
    tools.onStep(`clip ${i + 1} is encoded and verified`)
  }
  const spread = spreadOf(clips.flatMap(({ loudness }) => (loudness ? [loudness] : [])))
  if (spread > MAX_SPREAD)
    throw new GrabberError('DEC_VERIFY', `the clips are ${spread.toFixed(1)} LU apart, more than ${MAX_SPREAD}`)
  return clips
}

async function makeFilm(
  recording: Recording,
  choices: readonly ClipChoice[],
  transitions: readonly Transition[],
  tools: ClipTools,
): Promise<MadeClip> {
  const made = join(tools.folder, 'film.mp4')
  const sounds: SoundFilters[] = []
  const notes: string[] = []
  for (const [i, choice] of choices.entries()) {
    const { filters, note } = await settleSound(tools.transcoder, recording, choice, tools.folder)
    sounds.push(filters)
    if (note !== null) notes.push(`clip ${i + 1}: ${note}`)
  }
  const { task, lengthMs } = filmTask(recording, choices, sounds, transitions, made)
  await tools.transcoder.run(task, (doneMs) => tools.onProgress(Math.min(1, doneMs / lengthMs)))
  const loudness = await verified(made, { method: 'reencode', lengthMs, source: recording.facts }, tools)
  const reason = choices.map(({ reason }) => reason).join('; ')
  const [fromMs, toMs] = [choices[0]!.fromMs, choices.at(-1)!.toMs]
  return { made, method: 'reencode', fromMs, toMs, lengthMs, reason, loudness, notes }
}

/** The loudness that was measured. DEC_VERIFY. */
async function verified(path: string, expected: ExpectedClip, tools: ClipTools): Promise<Loudness | null> {
  const written = await inspect(path, tools)
  const faults = typeof written === 'string' ? [written] : clipFaults(expected, written)
  if (typeof written === 'string' || faults.length > 0)
    throw new GrabberError('DEC_VERIFY', `a clip was made and is not right: ${faults.join(', ')}`)
  return written.loudness
}

/** What a file is, decoded to its end; in words what is wrong when it cannot be. */
async function inspect(path: string, { transcoder }: ClipTools): Promise<WrittenClip | string> {
  const facts = sourceFacts(await transcoder.probe(path))
  const hasSound = facts.audio !== null
  try {
    const loudness = readMeter(await transcoder.run(meterTask(path, hasSound)))
    return { facts, loudness: (hasSound && loudness) || null, isFastStart: await isFastStart(path) }
  } catch (error) {
    if (error instanceof GrabberError && error.code === 'DEC_ENCODE') return error.message
    throw error
  }
}
