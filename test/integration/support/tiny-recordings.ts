/**
 * Many small recordings for tests of jobs: one is encoded, the others are copies of it that differ in a box that no reader looks at, so
 * that each has a content of its own.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kept } from './clip-cache.ts'

const ENCODER = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p']

function encoded(name: string, extension: string, input: readonly string[], output: readonly string[]): Buffer {
  const path = kept(name, extension, [...input, ...output], (target) => {
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, ...output, '-f', 'mp4', target], { timeout: 60_000 })
  })
  return readFileSync(path)
}

/** A second of 160×90 at 10 frames a second. */
export function tinyRecording(): Buffer {
  return encoded('tiny', 'mp4', ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=10:d=1'], ENCODER)
}

/** A textured picture that slides by: keyframes all along. */
export function slidingRecording(seconds: number): Buffer {
  const source = `mandelbrot=s=1280x720:r=1:maxiter=300,trim=end_frame=1,loop=-1:1,setpts=N/25/TB,crop=320:180:x='mod(3*n\\,960)':y=200`
  return encoded('sliding', 'mp4', ['-f', 'lavfi', '-i', source, '-t', String(seconds), '-r', '25'], ENCODER)
}

/** Sound alone. */
export function audioRecording(): Buffer {
  return encoded('audio', 'mp4', ['-f', 'lavfi', '-i', 'sine=d=1'], [])
}

/** The same recording with another content: a `free` box at its end (ISO/IEC 14496-12, 8.1.2). */
export function marked(recording: Buffer, number: number): Buffer {
  const box = Buffer.alloc(12)
  box.writeUInt32BE(12, 0)
  box.write('free', 4, 'latin1')
  box.writeUInt32BE(number, 8)
  return Buffer.concat([recording, box])
}

/** Writes so many of them, `clip-000.mp4` and on. */
export function writeRecordings(folder: string, count: number): void {
  const recording = tinyRecording()
  for (let number = 0; number < count; number++) {
    writeFileSync(join(folder, `clip-${String(number).padStart(3, '0')}.mp4`), marked(recording, number))
  }
}

/** Five that no job can work on, and the code of each. */
export function writeBadRecordings(folder: string): Record<string, string> {
  const recording = tinyRecording()
  const write = (name: string, bytes: Buffer) => writeFileSync(join(folder, name), bytes)
  write('bad-empty.mp4', Buffer.alloc(0))
  write('bad-text.mp4', Buffer.from('this is no video\n'.repeat(100)))
  // Where its index stands, at the end, it is cut off.
  write('bad-cut.mp4', recording.subarray(0, recording.length / 2))
  write('bad-audio.mp4', audioRecording())
  write(
    'bad-noise.mkv',
    Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * 7919 + (index >> 3)) & 0xff)),
  )
  return {
    'bad-audio.mp4': 'SRC_NO_VIDEO',
    'bad-cut.mp4': 'SRC_UNREADABLE',
    'bad-empty.mp4': 'SRC_EMPTY',
    'bad-noise.mkv': 'SRC_UNREADABLE',
    'bad-text.mp4': 'SRC_UNREADABLE',
  }
}
