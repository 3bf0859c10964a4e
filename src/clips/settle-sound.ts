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
import { type Loudness, type LoudnessScan, loudnessFaults, readMeter, readScan, TARGET } from './loudness.ts'
import { type Aim, firstAim, nextAim } from './loudness-aim.ts'

/** One meets the target as a rule, two where peaks are in the way, three where the range is; more would go round in circles. */
const MAX_TRIES = 5

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
  const plain: Aim = { integrated: TARGET.integrated, truePeak: TARGET.truePeak, compressor: null }
  const scan = await scanned(transcoder, recording, span, plain)
  if (scan.integrated === null) return { filters: null, note: 'its sound is silence, and stays so' }
  let aim = firstAim(scan)
  let got: Loudness | undefined
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const filters = soundFilters(aim, aim.compressor ? await scanned(transcoder, recording, span, aim) : scan)
    const trial = join(folder, 'sound.mp4')
    await transcoder.run(soundTask(recording, span, filters, trial))
    got = readMeter(await transcoder.run(soundMeterTask(trial)))
    if (!got) throw unread()
    const next = nextAim(aim, got, scan)
    if (!next) return { filters, note: aim.compressor ? 'its loudness range was reduced' : null }
    if (tries === MAX_TRIES - 1 && loudnessFaults(got).length === 0) return { filters, note: null }
    aim = next
  }
  throw new GrabberError('DEC_VERIFY', `the sound does not come to its target: ${loudnessFaults(got!).join(', ')}`)
}

async function scanned(transcoder: Transcoder, recording: Recording, span: Span, aim: Aim): Promise<LoudnessScan> {
  const scan = readScan(await transcoder.run(scanTask(recording, span, aim)))
  if (!scan) throw unread()
  return scan
}

const unread = () => new GrabberError('DEC_TOOL', 'ffmpeg did not report the loudness')
