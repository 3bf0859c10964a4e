/** Somebody who watches a stream: ffmpeg, which decodes it and hands over small grey pictures. Not the product's code on purpose. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { numberIn } from './numbered-clip.ts'

const WIDTH = 160
const HEIGHT = 90
const SIZE = WIDTH * HEIGHT

export interface Seen {
  /** When it was decoded, ms of the wall clock. */
  atMs: number
  /** What the picture says that it is, see numbered-clip.ts. */
  number: number | null
  /** Mean luma, 0–255. */
  light: number
  /** Byte for byte the picture before. */
  same: boolean
}

export class Viewer implements AsyncDisposable {
  readonly seen: Seen[] = []
  /** Presentation times, s, as the client understood them. */
  readonly times: number[] = []
  /** Width and height of the pictures as they came, each time they changed. */
  readonly sizes: string[] = []
  /** ffmpeg is gone, and all that it showed is in `seen`. */
  ended = false
  /** What ffmpeg complained about. */
  complaints = ''
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #pending = Buffer.alloc(0)
  #last: Buffer | undefined

  constructor(url: string, { transport = 'tcp' as 'tcp' | 'udp' } = {}) {
    const rtsp = url.startsWith('rtsp:') ? ['-rtsp_transport', transport] : []
    const tls = url.startsWith('https:') ? ['-tls_verify', '0'] : []
    const soon = ['-threads', '1', '-analyzeduration', '100000', '-fpsprobesize', '0']
    const picture = [
      '-vf',
      `showinfo=checksum=0,scale=${WIDTH}:${HEIGHT},format=gray`,
      '-fps_mode',
      'passthrough',
      '-copyts',
    ]
    const args = ['-hide_banner', '-nostats', '-nostdin', ...rtsp, ...tls, ...soon, '-i', url, ...picture]
    this.#child = spawn('ffmpeg', [...args, '-f', 'rawvideo', '-'], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#ended = once(this.#child, 'close').then(() => {
      this.ended = true
    })
    this.#child.stdout?.on('data', (chunk) => this.#see(chunk))
    createInterface({ input: this.#child.stderr! }).on('line', (line) => this.#read(line))
  }

  /** SIGSTOP: a client that does not read any more. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #see(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
    while (this.#pending.length >= SIZE) {
      const luma = this.#pending.subarray(0, SIZE)
      this.#pending = this.#pending.subarray(SIZE)
      const light = luma.reduce((sum, value) => sum + value, 0) / SIZE
      const same = this.#last?.equals(luma) ?? false
      this.#last = luma
      this.seen.push({
        atMs: performance.timeOrigin + performance.now(),
        number: numberIn(luma, WIDTH, HEIGHT),
        light,
        same,
      })
    }
  }

  #read(line: string): void {
    const info = /showinfo.* pts_time:\s*([-\d.]+).* s:(\d+x\d+) /.exec(line)
    if (info !== null) {
      this.times.push(Number(info[1]))
      if (this.sizes.at(-1) !== info[2]) this.sizes.push(info[2]!)
    } else if (!line.includes('showinfo')) this.complaints += `${line}\n`
  }
}

/** What ffprobe says of the first video stream, `{ error }` with its complaint when it cannot be opened. */
export async function probe(
  url: string,
  ...options: string[]
): Promise<{ codec?: string; size?: string; error?: string }> {
  const rtsp = url.startsWith('rtsp:') ? ['-rtsp_transport', 'tcp'] : []
  const asked = ['-select_streams', 'v:0', '-show_entries', 'stream=codec_name,width,height', '-of', 'csv=p=0']
  const args = ['-v', 'error', ...rtsp, ...options, '-analyzeduration', '100000', '-fpsprobesize', '0', ...asked, url]
  try {
    const { stdout } = await promisify(execFile)('ffprobe', args, { timeout: 20_000 })
    const [codec = '', width, height] = stdout.trim().split(',')
    return { codec, size: `${width}x${height}` }
  } catch (error) {
    return { error: (error as { stderr: string }).stderr.trim() }
  }
}
