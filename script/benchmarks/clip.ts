/**
 * The recording that is replayed: real faces, scaled and tiled to 1920×1080 by the ffmpeg command, H.264 at 30 fps and
 * about 4 Mbit/s. Runs in the benchmark's process. Owns out/bench: a clip is made once for each length.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { GrabberError } from '../../core/errors.ts'

/** 20.1 s together, one face each. */
const PARTS = ['again', 'book', 'eat', 'help', 'night', 'sister', 'walk', 'yes']
/** The right half plays the parts from here on, so that the two faces differ. */
const RIGHT_STARTS_AT = 4
const FPS = 30
/** A longer clip is played round. */
export const CLIP_SECONDS = 20

/** Path of the clip. SRC_NOT_FOUND without its parts or without ffmpeg, SRC_UNREADABLE when ffmpeg fails. */
export async function benchClip(assets: string, seconds: number): Promise<string> {
  const folder = resolve('out/bench')
  const path = join(folder, `faces-1080p-${seconds}s.mp4`)
  if (existsSync(path)) return path
  const parts = PARTS.map((name) => join(assets, 'videos/asl', `${name}.mkv`))
  const missing = parts.find((part) => !existsSync(part))
  if (missing !== undefined) {
    const remedy = 'set GRABBER_ASSETS to the folder of the test assets'
    throw new GrabberError('SRC_NOT_FOUND', `${missing} is not there`, { remedy })
  }
  await mkdir(folder, { recursive: true })
  const unfinished = `${path}.${process.pid}.part`
  await ffmpeg([...inputs(parts, seconds), ...encoding(seconds), unfinished])
  await rename(unfinished, path)
  return path
}

function inputs(parts: string[], seconds: number): string[] {
  const rounds = Math.ceil(seconds / CLIP_SECONDS)
  const files = Array.from({ length: rounds }, () => parts).flat()
  // Each part becomes both halves: 1440×1080, cut to 960×1080 around the middle.
  const halves = files.map((_, i) => `[${i}:v]fps=${FPS},scale=1440:1080,crop=960:1080,setsar=1,split[l${i}][r${i}]`)
  const order = files.map((_, i) => i)
  const turned = [...order.slice(RIGHT_STARTS_AT), ...order.slice(0, RIGHT_STARTS_AT)]
  const row = (side: string, indices: number[]) =>
    `${indices.map((i) => `[${side}${i}]`).join('')}concat=n=${indices.length}[${side}]`
  const graph = [...halves, row('l', order), row('r', turned), '[l][r]hstack,format=yuv420p[v]'].join(';')
  return [...files.flatMap((file) => ['-i', file]), '-filter_complex', graph, '-map', '[v]']
}

function encoding(seconds: number): string[] {
  const rate = ['-b:v', '4M', '-maxrate', '4M', '-bufsize', '8M', '-g', '60']
  return ['-t', String(seconds), '-c:v', 'libx264', '-preset', 'veryfast', ...rate, '-f', 'mp4']
}

/** Runs the ffmpeg command. SRC_NOT_FOUND where there is none, SRC_UNREADABLE when it fails. */
export function ffmpeg(args: string[]): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.once('error', (cause) => {
      const remedy = 'install it: script/setup --test'
      fail(
        new GrabberError('SRC_NOT_FOUND', 'the ffmpeg command, which makes the clip, was not found', { cause, remedy }),
      )
    })
    child.once('close', (status) => {
      if (status === 0) done()
      else fail(new GrabberError('SRC_UNREADABLE', `ffmpeg could not make the clip: ${stderr.slice(-300)}`))
    })
  })
}
