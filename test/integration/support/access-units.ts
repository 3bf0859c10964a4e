/**
 * Takes a clip apart into the coded pictures that a camera's encoder would hand over, once, so that a server can send them for ever
 * without a demuxer or a parser. Parameter sets stand before every key frame: a client may join anywhere.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { kept, stamped } from './clip-cache.ts'

/** By codec: how ffmpeg writes bare pictures, and what is done to them before. */
const BARE = {
  h264: { format: 'h264', filters: 'h264_mp4toannexb,dump_extra=freq=keyframe' },
  hevc: { format: 'hevc', filters: 'hevc_mp4toannexb,dump_extra=freq=keyframe' },
  mpeg4: { format: 'm4v', filters: 'dump_extra=freq=keyframe' },
  mjpeg: { format: 'mjpeg', filters: 'null' },
} as const

export type UnitCodec = keyof typeof BARE

/** Times in ns, the first picture decoded at 0. */
export interface AccessUnits {
  codec: UnitCodec
  width: number
  height: number
  /** After which the clip begins again. */
  lengthNs: number
  /** In decoding order: size in bytes, presentation time, decoding time, 1 for a key frame. */
  units: [size: number, ptsNs: number, dtsNs: number, key: 0 | 1][]
}

const folders = new Map<string, string>()

/** A folder with `index.json` (`AccessUnits`) and `pictures`, all of them end to end. Made at the first call, kept for later ones. */
export function accessUnits(clip: string): string {
  const folder = folders.get(clip) ?? takenApart(clip)
  folders.set(clip, folder)
  return folder
}

function takenApart(clip: string): string {
  const codec = codecOf(clip)
  const { format, filters } = BARE[codec]
  const name = basename(clip).replace(/\.[^.]*$/, '')
  return kept(name, 'units', ['with sizes', stamped(clip), format, filters], (folder) => {
    mkdirSync(folder, { recursive: true })
    const table = join(folder, 'table')
    const bare = ['-map', '0:v:0', '-c', 'copy', '-bsf:v', filters, '-f']
    const outputs = [...bare, format, join(folder, 'pictures'), ...bare, 'framecrc', table]
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', clip, ...outputs], { timeout: 60_000 })
    const index: AccessUnits = { codec, ...timesOf(readFileSync(table, 'utf8')) }
    writeFileSync(join(folder, 'index.json'), JSON.stringify(index))
    rmSync(table)
  })
}

function codecOf(clip: string): UnitCodec {
  const asked = ['-select_streams', 'v:0', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', clip]
  const codec = execFileSync('ffprobe', ['-v', 'error', ...asked], { encoding: 'utf8' }).trim()
  if (!Object.hasOwn(BARE, codec)) throw new Error(`${clip} is ${codec}, which no server of the tests sends`)
  return codec as UnitCodec
}

/** ffmpeg's framecrc: `stream, dts, pts, duration, size, checksum`, and flags where a packet is not a key frame and nothing else. */
function timesOf(table: string): Omit<AccessUnits, 'codec'> {
  const size = /^#dimensions 0: (\d+)x(\d+)$/m.exec(table)
  const tick = /^#tb 0: (\d+)\/(\d+)$/m.exec(table)
  if (tick === null || size === null) throw new Error('ffmpeg wrote neither time base nor size')
  const toNs = (ticks: number) => Math.round((ticks * Number(tick[1]) * 1e9) / Number(tick[2]))
  const rows = table
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => ({ numbers: line.split(',').map(Number), key: !line.includes('F=0x0') }))
  const start = rows[0]!.numbers[1]!
  const units = rows.map(({ numbers: [, dts, pts, , size], key }): AccessUnits['units'][number] => {
    return [size!, toNs(pts! - start), toNs(dts! - start), key ? 1 : 0]
  })
  const [, lastDts, , lastDuration] = rows.at(-1)!.numbers
  const [width, height] = [Number(size[1]), Number(size[2])]
  return { width, height, units, lengthNs: toNs(lastDts! + lastDuration! - start) }
}
