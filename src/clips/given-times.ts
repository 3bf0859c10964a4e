/**
 * Clips at times that a person gives: `00:01:20` or `00:01:20,25`. Pure. What is asked for is made or refused (CFG_USAGE), never
 * something else in its place; only times that overlap become one clip.
 */
import { GrabberError } from '../../core/errors.ts'
import { type ClipChoice, type ClipLimits, MAX_CLIPS } from './moment.ts'

interface Given {
  fromMs: number
  toMs: number
  words: string[]
}

/** In order of time. */
export function clipsAt(words: readonly string[], { count, minMs, maxMs, durationMs }: ClipLimits): ClipChoice[] {
  if (durationMs < minMs) throw refusal(`the recording lasts ${seconds(durationMs)}, a clip at least ${seconds(minMs)}`)
  const given = words.map((word) => parse(word, minMs)).sort((a, b) => a.fromMs - b.fromMs)
  const clips: Given[] = []
  for (const clip of given) {
    if (clip.fromMs >= durationMs) throw refusal(`${clip.words[0]} is after the end, ${seconds(durationMs)}`)
    // At the very end the clip begins earlier, so that it still has its length.
    const beyondMs = Math.max(0, clip.toMs - durationMs)
    clip.toMs -= beyondMs
    clip.fromMs = Math.max(0, clip.fromMs - beyondMs)
    const last = clips.at(-1)
    if (last && clip.fromMs < last.toMs) {
      last.toMs = Math.max(last.toMs, clip.toMs)
      last.words.push(...clip.words)
    } else clips.push(clip)
  }
  for (const { fromMs, toMs, words } of clips) {
    const lengthMs = toMs - fromMs
    if (lengthMs < minMs || lengthMs > maxMs)
      throw refusal(`${words.join(' with ')} lasts ${seconds(lengthMs)}, not ${seconds(minMs)} to ${seconds(maxMs)}`)
  }
  const most = Math.min(count, MAX_CLIPS)
  if (clips.length > most) throw refusal(`${clips.length} times are given; at most ${most} clips are made`)
  return clips.map(({ fromMs, toMs, words }) => ({
    fromMs,
    toMs,
    weight: 1,
    reason: `asked for at ${words.join(', ')}`,
  }))
}

/** That all are times, before anything is read of a recording. */
export function checkTimes(words: readonly string[]): void {
  for (const word of words) parse(word, 1)
}

function parse(word: string, usualMs: number): Given {
  const [time = '', length] = word.split(',')
  const fromMs = millisecondsOf(time)
  const lengthMs = length === undefined ? usualMs : Number(length) * 1000
  if (fromMs === undefined || !(lengthMs > 0)) {
    throw refusal(`--at takes a time as 00:01:20, with ,seconds after it for the length, not ${word}`)
  }
  return { fromMs, toMs: fromMs + lengthMs, words: [word] }
}

/** `90`, `1:30`, `00:01:30.5`. */
function millisecondsOf(text: string): number | undefined {
  const match = /^(?:(?:(\d+):)?([0-5]?\d):)?(\d+(?:\.\d+)?)$/.exec(text)
  if (!match) return undefined
  const [, hours = '0', minutes = '0', rest = '0'] = match
  if (match[2] !== undefined && Number(rest) >= 60) return undefined
  return Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(rest)) * 1000)
}

const seconds = (ms: number) => `${+(ms / 1000).toFixed(1)} s`

function refusal(message: string): GrabberError {
  return new GrabberError('CFG_USAGE', message)
}
