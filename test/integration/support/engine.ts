/** A tiny daemon for the engine host: forks the real one, talks its control channel, cuts pictures with ffmpeg. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { RgbPicture } from '../../../core/frame.ts'
import type { EngineEndpoint } from '../../../core/wire/control.ts'
import type { EngineStart, FromEngine, ToEngine } from '../../../core/wire/engine-control.ts'
import { findModel } from '../../../models/manifest.ts'

const root = resolve(import.meta.dirname, '../../..')
export const assets = process.env.GRABBER_ASSETS ?? resolve(root, '../shared/assets')

type Message<T extends FromEngine['type']> = Extract<FromEngine, { type: T }>

export class EngineProcess {
  readonly child: ChildProcess
  readonly endpoint: EngineEndpoint
  readonly messages: FromEngine[] = []
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  stderr = ''
  /** Whether the socket's file was there when the process had ended. */
  socketLeft: boolean | undefined
  readonly #folder = mkdtempSync(join(tmpdir(), 'engine-'))
  readonly #watchers = new Set<() => void>()

  constructor(incarnation: number) {
    this.endpoint = { socketPath: join(this.#folder, `engine-${incarnation}.sock`), incarnation }
    this.child = fork(join(root, 'models/engine-host.ts'), {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    this.child.stderr?.on('data', (chunk) => {
      this.stderr += chunk
    })
    this.child.on('message', (message) => {
      this.messages.push(message as FromEngine)
      for (const watcher of this.#watchers) watcher()
    })
    this.exited = new Promise((done) => {
      this.child.on('exit', (code, signal) => {
        this.socketLeft = existsSync(this.endpoint.socketPath)
        rmSync(this.#folder, { recursive: true, force: true })
        done({ code, signal })
        for (const watcher of this.#watchers) watcher()
      })
    })
  }

  send(message: ToEngine): void {
    this.child.send(message)
  }

  start(options: Partial<EngineStart> = {}): void {
    const models = ['yunet', 'face-reid-0095', 'minifasnet-v2', 'minifasnet-v1se'].map((id) => ({
      id,
      path: modelPath(id),
    }))
    const start: EngineStart = {
      device: 'cpu',
      socketPath: this.endpoint.socketPath,
      models,
      batch: { max: 8, maxWaitMs: 100, queueLimit: 1000 },
      credits: 8,
      threads: 1,
      ...options,
    }
    this.send({ type: 'start', incarnation: this.endpoint.incarnation, start })
  }

  /** The next (or an earlier) message that fits; fails when the process ends or 30 s pass first. */
  async message<T extends FromEngine['type']>(
    type: T,
    fits: (message: Message<T>) => boolean = () => true,
  ): Promise<Message<T>> {
    const find = () =>
      this.messages.find((message): message is Message<T> => message.type === type && fits(message as Message<T>))
    return await new Promise((done, fail) => {
      const finish = () => {
        clearTimeout(limit)
        this.#watchers.delete(look)
      }
      const look = () => {
        const found = find()
        const over = this.child.exitCode !== null || this.child.signalCode !== null
        if (found === undefined && !over) return
        finish()
        if (found === undefined) fail(new Error(`the engine ended without ${type}: ${JSON.stringify(this.messages)}`))
        else done(found)
      }
      const limit = setTimeout(() => {
        finish()
        fail(new Error(`no ${type} within 30 s: ${JSON.stringify(this.messages)}`))
      }, 30_000)
      this.#watchers.add(look)
      look()
    })
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.child.kill(signal)
    await this.exited
  }
}

let incarnations = 0

/** An engine that is ready. */
export async function startEngine(options: Partial<EngineStart> = {}): Promise<EngineProcess> {
  const engine = new EngineProcess(++incarnations)
  engine.start(options)
  await engine.message('ready')
  return engine
}

/** An engine process that was not told to start yet. */
export function forkEngine(): EngineProcess {
  return new EngineProcess(++incarnations)
}

export function modelPath(id: string): string {
  return join(assets, 'models', findModel(id).file)
}

/** Decodes one picture to planar RGB; scaled down so that its longer side is at most `maxSidePx`. */
export function decodePicture(file: string, maxSidePx = 4096): RgbPicture {
  const path = join(assets, file)
  const probe = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'stream=width,height',
    '-of',
    'csv=p=0',
    path,
  ]
  const [width, height] = execFileSync('ffprobe', probe, { encoding: 'utf8' }).trim().split(',').map(Number)
  if (!width || !height) throw new Error(`${file} has no size`)
  const scale = Math.min(1, maxSidePx / Math.max(width, height))
  const size = { width: Math.round(width * scale), height: Math.round(height * scale) }
  const filter = `scale=${size.width}:${size.height}:flags=area,format=gbrp`
  const args = ['-v', 'error', '-noautorotate', '-i', path, '-vf', filter, '-frames:v', '1', '-f', 'rawvideo', '-']
  const gbr = new Uint8Array(execFileSync('ffmpeg', args, { maxBuffer: 1 << 28 }))
  const plane = size.width * size.height
  const data = new Uint8Array(3 * plane)
  data.set(gbr.subarray(2 * plane), 0)
  data.set(gbr.subarray(0, plane), plane)
  data.set(gbr.subarray(plane, 2 * plane), 2 * plane)
  return { ...size, data }
}

/** The picture's part of `width` × `height` at (x, y). */
export function cut(picture: RgbPicture, x: number, y: number, width: number, height: number): RgbPicture {
  const data = new Uint8Array(3 * width * height)
  for (let channel = 0; channel < 3; channel++) {
    for (let row = 0; row < height; row++) {
      const from = channel * picture.width * picture.height + (y + row) * picture.width + x
      data.set(picture.data.subarray(from, from + width), (channel * height + row) * width)
    }
  }
  return { width, height, data }
}

/** Waits for a condition with a deadline of 20 s. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const startedMs = performance.now()
  while (!condition()) {
    if (performance.now() - startedMs > 20_000) throw new Error(`waited 20 s for ${what}`)
    await new Promise((done) => setTimeout(done, 5))
  }
}
