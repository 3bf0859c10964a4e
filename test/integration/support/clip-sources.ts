/** Small recordings with known pictures and sound, made by ffmpeg once and kept. 320×180 px at 10 pictures a second, an I-frame every 2 s. */
import { execFileSync } from 'node:child_process'
import { kept } from './clip-cache.ts'

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20', '-pix_fmt', 'yuv420p']

/** Sounds by name: a lavfi source and how it is coded. */
export const sounds = {
  /** Barely to be heard. */
  quiet: ['anoisesrc=c=pink:a=0.02:r=44100:s=1', '-c:a', 'aac', '-ac', '1'],
  /** Short peaks far above the rest: what forbids to raise it plainly. */
  peaks: ["aevalsrc='0.02*sin(2*PI*300*t)+0.9*lt(mod(t,1),0.003)*sin(9000*t)':s=48000", '-c:a', 'aac', '-ac', '2'],
  /** 20 LU between its loud and its soft halves. */
  wide: ["anoisesrc=c=pink:a=0.9:r=48000:s=1,volume='if(lt(mod(t,8),4),1,0.1)':eval=frame", '-c:a', 'pcm_s16le'],
  /** A square wave at full scale, louder than 0 LUFS. */
  hot: ["aevalsrc='sgn(sin(2*PI*200*t))|sgn(sin(2*PI*200*t))':s=48000", '-c:a', 'pcm_s16le'],
  /** Six channels, each its own tone. */
  surround: [
    "aevalsrc='0.9*sin(2*PI*300*t)|0.1*sin(700*t)|0.5*sin(500*t)|0.9*sin(100*t)|0.2*sin(900*t)|0.1*sin(3000*t)':c=5.1:s=48000",
    ...['-c:a', 'ac3'],
  ],
  silence: ['anullsrc=r=44100:cl=stereo', '-c:a', 'aac'],
} as const satisfies Record<string, readonly string[]>

function made(name: string, extension: string, args: readonly string[]): string {
  return kept(name, extension, args, (path) => {
    const format = { mkv: 'matroska', ts: 'mpegts' }[extension] ?? extension
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...args, '-f', format, path], { timeout: 60_000 })
  })
}

const picture = (seconds: number) => ['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=10:d=${seconds}`]

export function withSound(name: keyof typeof sounds, seconds = 20): string {
  const [source, ...codec] = sounds[name]
  const input = ['-f', 'lavfi', '-i', source]
  return made(`sound-${name}`, 'mkv', [...picture(seconds), ...input, '-t', String(seconds), ...H264, ...codec])
}

export function withoutSound(): string {
  return made('no-sound', 'mp4', [...picture(20), ...H264])
}

/** B-frames, and a click in each second of its sound. */
export function withBFrames(extension: 'mp4' | 'ts'): string {
  const clicks = ['-f', 'lavfi', '-i', "aevalsrc='sin(2*PI*440*t)*lt(mod(t,1),0.1)':s=48000"]
  const video = [
    '-c:v',
    'libx264',
    '-preset',
    'medium',
    '-bf',
    '3',
    '-g',
    '20',
    '-sc_threshold',
    '0',
    '-pix_fmt',
    'yuv420p',
  ]
  return made('b-frames', extension, [...picture(30), ...clicks, '-t', '30', ...video, '-c:a', 'aac'])
}

/** Loud for 25 s, then 20 dB softer for 25; its pictures come at changing distances. */
export function uneven(): string {
  const noise = "anoisesrc=c=pink:a=0.3:r=48000:s=1,volume='if(lt(t,25),1,0.1)':eval=frame"
  const thinned = ['-vf', "select='not(mod(n,3))+lt(mod(t,4),2)'", '-vsync', 'vfr']
  return made('uneven', 'mp4', [
    ...picture(50),
    '-f',
    'lavfi',
    '-i',
    noise,
    '-t',
    '50',
    ...thinned,
    ...H264,
    '-c:a',
    'aac',
    '-ac',
    '2',
  ])
}

/** PQ in BT.2020: grey of `code` in ten bits, narrow range. */
export function pqGrey(code: number): string {
  const grey = `format=yuv420p10le,geq=lum=${code}:cb=512:cr=512`
  const tags = 'log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=limited'
  const source = ['-f', 'lavfi', '-i', 'color=s=320x180:r=5:d=15.2']
  return made('pq-grey', 'mp4', [
    ...source,
    '-vf',
    grey,
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    tags,
  ])
}
