/**
 * Pictures of a clip as several methods choose them, each written as a JPEG that is named by its frame: 00000042.jpg is frame 42,
 * counted from 0. Starts ffmpeg and `bin/grabber extract`; runs in the benchmark's process.
 */
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, extname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { GrabberError } from '../../core/errors.ts'

const execute = promisify(execFile)
const LIMIT_MS = 600_000
/** FFmpeg's best; none of the methods is to lose by it. */
const JPEG = ['-q:v', '2']

/** Frames of `count` pictures, each in the middle of its part of the clip. */
export function evenFrames(count: number, frames: number): number[] {
  const n = Math.min(count, frames)
  return Array.from({ length: n }, (_, i) => Math.floor(((i + 0.5) * frames) / n))
}

/** Length of the groups of which ffmpeg's thumbnail filter takes one each, so that `count` is met as nearly as it can be. */
export function groupLength(count: number, frames: number): number {
  const made = (length: number) => Math.ceil(frames / length)
  const exact = frames / count
  const [shorter, longer] = [Math.max(1, Math.floor(exact)), Math.max(1, Math.ceil(exact))]
  return Math.abs(made(longer) - count) < Math.abs(made(shorter) - count) ? longer : shorter
}

export async function writeEven(clip: string, folder: string, count: number, frames: number): Promise<void> {
  await write(clip, folder, `select='${isOneOf(evenFrames(count, frames))}'`)
}

/** FFmpeg refuses an expression that is nested a hundred deep, and a sum nests once for each term. */
const TERMS = 50

function isOneOf(frames: readonly number[]): string {
  const terms = frames.map((frame) => `eq(n,${frame})`)
  const sums = Array.from({ length: Math.ceil(terms.length / TERMS) }, (_, i) =>
    terms.slice(TERMS * i, TERMS * (i + 1)),
  )
  return sums.map((sum) => `(${sum.join('+')})`).join('+')
}

/** Its most representative one of each group: the nearest to the group's mean histogram. */
export async function writeThumbnails(clip: string, folder: string, count: number, frames: number): Promise<void> {
  await write(clip, folder, `thumbnail=${groupLength(count, frames)}`)
}

async function write(clip: string, folder: string, filter: string): Promise<void> {
  mkdirSync(folder)
  const names = ['-fps_mode', 'passthrough', '-frame_pts', '1', join(folder, '%08d.jpg')]
  const args = ['-v', 'error', '-nostdin', '-i', clip, '-vf', filter, ...JPEG, ...names]
  await tool('ffmpeg', args)
}

/** What `bin/grabber extract` makes of the clip in a mode; everything else as it comes. */
export async function writeKeyframes(clip: string, folder: string, mode: string): Promise<void> {
  mkdirSync(folder)
  const work = mkdtempSync(join(tmpdir(), 'grabber-keyframes-'))
  try {
    const command = resolve(import.meta.dirname, '../../bin/grabber')
    const env = { ...process.env, GRABBER_DATA: join(work, 'data') }
    const out = join(work, 'out')
    const args = ['extract', clip, '--out', out, '--mode', mode]
    await tool(command, args, env)
    const images = join(out, basename(clip, extname(clip)), 'images')
    for (const name of readdirSync(images)) copyFileSync(join(images, name), join(folder, name))
  } finally {
    rmSync(work, { recursive: true })
  }
}

/** SRC_UNREADABLE with its last words when it fails. */
async function tool(command: string, args: string[], env = process.env): Promise<void> {
  try {
    await execute(command, args, { env, timeout: LIMIT_MS, maxBuffer: 1 << 28 })
  } catch (cause) {
    const { stderr = '' } = cause as { stderr?: string }
    throw new GrabberError('SRC_UNREADABLE', `${basename(command)} failed: ${stderr.slice(-300)}`, { cause })
  }
}
