/**
 * What the flags of `grabber clip` ask for, checked, and which clips that means for a recording. Runs in the command.
 */
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { GrabberError } from '../../core/errors.ts'
import { chooseClips } from '../clips/choose-clips.ts'
import type { Recording } from '../clips/clip-tasks.ts'
import { eventMoments } from '../clips/event-moments.ts'
import { checkTimes, clipsAt } from '../clips/given-times.ts'
import { type ClipChoice, type ClipLimits, LONGEST_MS, MAX_CLIPS, SHORTEST_MS } from '../clips/moment.ts'
import { scoreMoments } from '../clips/score-moments.ts'
import { parseTransitions, type Transition } from '../clips/transitions.ts'
import { cameraIdOf } from '../recordings.ts'
import { type CliContext, usage } from './context.ts'

/** Shown before and after what an event tells of: what led to it, and that it is over. ms */
const EVENT_PAD_MS = 2000

export interface ClipFlags {
  out: string
  events?: string
  camera?: string
  scores?: string
  at?: string[]
  count: string
  min: string
  max: string
  reencode?: true
  concat?: true
  transition: string
  tonemap?: true
  json?: true
}

type Moments =
  | { from: 'events'; file: string; camera: string | null }
  | { from: 'scores'; file: string }
  | { from: 'times'; times: string[] }

export interface ClipOrder {
  out: string
  moments: Moments
  limits: Pick<ClipLimits, 'count' | 'minMs' | 'maxMs'>
  reencode: boolean
  film: Transition[] | null
  tonemap: boolean
  json: boolean
}

/** CFG_USAGE. */
export function clipOrder(flags: ClipFlags): ClipOrder {
  const transitions = parseTransitions(flags.transition)
  const limits = {
    count: within('--count', flags.count, 1, MAX_CLIPS),
    minMs: within('--min', flags.min, SHORTEST_MS / 1000, LONGEST_MS / 1000) * 1000,
    maxMs: within('--max', flags.max, SHORTEST_MS / 1000, LONGEST_MS / 1000) * 1000,
  }
  if (!Number.isInteger(limits.count)) throw usage('--count takes a whole number')
  if (limits.minMs > limits.maxMs) throw usage('--min is above --max')
  return {
    out: flags.out,
    moments: momentsOf(flags),
    limits,
    reencode: flags.reencode === true,
    film: flags.concat ? transitions : null,
    tonemap: flags.tonemap === true,
    json: flags.json === true,
  }
}

/** What the moments are told by: asked before the recording is read, which may take long. Empty for times. CFG_USAGE. */
export async function momentsText({ moments }: ClipOrder, { cwd }: Pick<CliContext, 'cwd'>): Promise<string> {
  return moments.from === 'times' ? '' : await readText(resolve(cwd, moments.file), moments.file)
}

/** `text`: of `momentsText`. At least one. CFG_USAGE, SRC_LIMIT for a recording shorter than a clip, SRC_EMPTY where nothing is worth one. */
export async function whichClips(
  { moments, limits: asked }: ClipOrder,
  text: string,
  { path, facts }: Recording,
): Promise<ClipChoice[]> {
  const { durationMs } = facts
  const limits: ClipLimits = { ...asked, durationMs, padMs: moments.from === 'events' ? EVENT_PAD_MS : 0 }
  if (durationMs < limits.minMs)
    throw new GrabberError(
      'SRC_LIMIT',
      `the recording lasts ${(durationMs / 1000).toFixed(1)} s, a clip at least ${limits.minMs / 1000} s`,
      {
        remedy: 'give a longer recording',
      },
    )
  if (moments.from === 'times') return clipsAt(moments.times, limits)
  const found =
    moments.from === 'events'
      ? eventMoments(text, moments.camera ?? cameraIdOf(path))
      : scoreMoments(text, (await stat(path)).size, limits.minMs, limits.count)
  const choices = chooseClips(found, limits)
  if (choices.length === 0)
    throw new GrabberError('SRC_EMPTY', `${moments.file} tells of nothing in this recording`, {
      remedy: 'give times with --at, or check that it belongs to this video',
    })
  return choices
}

function momentsOf({ events, camera, scores, at }: ClipFlags): Moments {
  const given: Moments[] = []
  if (events !== undefined) given.push({ from: 'events', file: events, camera: camera ?? null })
  if (scores !== undefined) given.push({ from: 'scores', file: scores })
  if (at !== undefined) given.push({ from: 'times', times: at })
  checkTimes(at ?? [])
  const [only] = given
  if (!only || given.length > 1) throw usage('give one of --events, --scores and --at')
  if (camera !== undefined && events === undefined) throw usage('--camera belongs to --events')
  return only
}

async function readText(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new GrabberError('CFG_USAGE', `${name} cannot be read`, {
      cause,
      remedy: 'check the path and its permissions',
    })
  }
}

function within(flag: string, text: string, low: number, high: number): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= low && value <= high) return value
  throw usage(`${flag} takes a number from ${low} to ${high}, not ${text}`)
}
