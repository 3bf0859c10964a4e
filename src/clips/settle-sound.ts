/**
 * Brings the sound of a stretch to its loudness: measures, applies, measures what came of it as it is encoded, and corrects the
 * aim. Runs in the command. Writes trial files in the job's folder, without pictures.
 */
import { join } from 'node:path'
import type { Transcoder } from '../../actors/transcoder.ts'
import { GrabberError } from '../../core/errors.ts'
import {
  type Recording,
  type SoundFilters,
  type Span,
  scanTask,
  soundFilters,
  soundMeterTask,
  soundTask,
} from './clip-tasks.ts'
import { type Loudness, type LoudnessScan, loudnessFaults, readMeter, readScan } from './loudness.ts'
import { type Aim, firstAim, limited, nextAim, plainAim } from './loudness-aim.ts'

/** One meets the target as a rule; the codec's peaks and a stubborn range each need one more. */
const MAX_TRIES = 6
/** Gains until the limiter takes away what it lets through: what is left halves with each, or better. */
const MAX_STEPS = 6

export interface SettledSound {
  filters: SoundFilters
  /** What is to be said of it, for a person; `null`: it was brought to the target. */
  note: string | null
}

/** DEC_VERIFY where the target cannot be met, and what the transcoder says. */
export async function settleSound(
  transcoder: Transcoder,
  recording: Recording,
  span: Span,
  folder: string,
): Promise<SettledSound> {
  if (!recording.facts.audio) return { filters: null, note: 'it has no sound' }
  const scan = await scanned(transcoder, recording, span, plainAim)
  if (scan.integrated === null) return { filters: null, note: 'its sound is silence, and stays so' }
  let aim = firstAim(scan)
  let got: Loudness | undefined
  for (let tries = 1; ; tries++) {
    const prepared = await prepare(transcoder, recording, span, { aim, scan })
    const filters = soundFilters(prepared.aim, prepared.scan)
    const trial = join(folder, 'sound.mp4')
    await transcoder.run(soundTask(recording, span, filters, trial))
    got = readMeter(await transcoder.run(soundMeterTask(trial)))
    if (!got) throw unread()
    const next = nextAim(prepared.aim, got, scan)
    if (!next || (tries === MAX_TRIES && loudnessFaults(got).length === 0))
      return { filters, note: noteOf(prepared.aim) }
    if (tries === MAX_TRIES) break
    aim = next
  }
  throw new GrabberError('DEC_VERIFY', `the sound does not come to its target: ${loudnessFaults(got).join(', ')}`)
}

interface Prepared {
  aim: Aim
  /** Of the sound behind the filters of `aim`. */
  scan: LoudnessScan
}

/** Gain and limiter until `loudnorm` has hardly anything left to do; `scan` is that of the sound as it was. */
async function prepare(
  transcoder: Transcoder,
  recording: Recording,
  span: Span,
  { aim, scan }: Prepared,
): Promise<Prepared> {
  const hasFilters = aim.compressor !== null || aim.limiter !== null
  let prepared = { aim, scan: hasFilters ? await scanned(transcoder, recording, span, aim) : scan }
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const next = limited(prepared.aim, prepared.scan)
    if (!next) break
    prepared = { aim: next, scan: await scanned(transcoder, recording, span, next) }
  }
  return prepared
}

function noteOf({ compressor, limiter }: Aim): string | null {
  if (compressor) return 'its loudness range was reduced'
  return limiter ? 'its peaks were limited' : null
}

async function scanned(transcoder: Transcoder, recording: Recording, span: Span, aim: Aim): Promise<LoudnessScan> {
  const scan = readScan(await transcoder.run(scanTask(recording, span, aim)))
  if (!scan) throw unread()
  return scan
}

const unread = () => new GrabberError('ACT_TOOL', 'ffmpeg did not report the loudness')
