/** What `grabber faces` writes, the pictures that tests give it, and the boxes that people drew. Test support. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Box } from '../../../core/geometry.ts'
import { assets } from './grabber.ts'

export interface FaceLine {
  box: [number, number, number, number]
  score: number
  landmarks: [number, number][]
  quality: number
  liveness?: { verdict: 'unchecked' | 'live' | 'spoof'; score?: number }
  embedding?: number[]
  match?: { subject: string; similarity: number; margin: number } | null
}

export interface PictureLine {
  file: string
  width: number
  height: number
  faces: FaceLine[]
}

export const asset = (path: string) => join(assets, path)

export interface LabelledBox {
  box: Box
  /** Whether finding it is neither right nor wrong. */
  ignored: boolean
}

/** Boxes by file name, of one of dlib's label files. */
export function readTruth(xml: string): Map<string, LabelledBox[]> {
  const text = readFileSync(xml, 'utf8')
  return new Map(
    [...text.matchAll(/<image file='([^']+)'[^>]*>([\s\S]*?)<\/image>/g)].map(([, file, body]) => [
      file!,
      [...body!.matchAll(/<box ([^>]*)>/g)].map(([, attributes]) => {
        const value = (name: string) => Number(new RegExp(`${name}='(-?\\d+)'`).exec(attributes!)?.[1])
        const box = { x: value('left'), y: value('top'), width: value('width'), height: value('height') }
        return { box, ignored: /ignore='1'/.test(attributes!) }
      }),
    ]),
  )
}

/** `-i` and what follows it are the caller's. */
export function ffmpeg(...args: string[]): void {
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** A JPEG with EXIF's orientation tag (0x0112, big endian) put in front of its other segments. */
export function withOrientation(jpeg: Buffer, orientation: number): Buffer {
  const entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]
  const tiff = Buffer.from([0x4d, 0x4d, 0, 0x2a, 0, 0, 0, 8, 0, 1, ...entry, 0, 0, 0, 0])
  const body = Buffer.concat([Buffer.from('Exif\0\0'), tiff])
  const length = body.length + 2
  return Buffer.concat([
    jpeg.subarray(0, 2),
    Buffer.from([0xff, 0xe1, length >> 8, length & 255]),
    body,
    jpeg.subarray(2),
  ])
}
