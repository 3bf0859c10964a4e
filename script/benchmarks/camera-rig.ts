/**
 * A box with cameras: GStreamer's RTSP server with so many mounts, the real daemon that watches them, a subscriber, and what each
 * of their processes spends. Runs in the benchmark's process; data folder and ports are its own.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { CameraReport } from '../../actors/camera-report.ts'
import type { Config } from '../../config/schema.ts'
import { GrabberError } from '../../core/errors.ts'
import { modelsDir } from '../../src/face-models.ts'
import { readRunFile } from '../../src/store/run-file.ts'
import { type Camera, RtspServer } from '../../test/integration/support/rtsp-server.ts'
import { CameraArrivals } from './camera-arrivals.ts'
import { cpuMs } from './processes.ts'

export const NODE = 'bench'
const POLL_MS = 500
const KEPT_LINES = 20

export type ProcessKind = 'daemon' | 'engine' | 'nats' | 'hosts'

export interface RigOptions {
  config: Config
  /** What every camera shows at first. */
  clip: string
  count: number
  /** So many of them, from the first on, keep when each picture left. */
  logged: number
}

export interface Watched {
  id: string
  camera: Camera
}

/** CPU time so far, s. */
export interface Spent {
  atMs: number
  byPid: Map<number, number>
}

export class CameraRig implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'grabber-bench-'))
  readonly cameras: Watched[] = []
  readonly lines: string[] = []
  #server!: RtspServer
  #daemon!: ChildProcess
  #arrivals!: CameraArrivals

  /** Resolves when the daemon is ready; its cameras are not. */
  static async start(options: RigOptions): Promise<CameraRig> {
    const rig = new CameraRig()
    try {
      await rig.#start(options)
      return rig
    } catch (error) {
      await rig[Symbol.asyncDispose]()
      throw error
    }
  }

  get arrivals(): CameraArrivals {
    return this.#arrivals
  }

  get serverPid(): number {
    return this.#server.pid
  }

  get picturesDir(): string {
    return join(this.folder, 'data', 'pictures')
  }

  /** By kind; the hosts in no order. */
  get processes(): Record<ProcessKind, number[]> {
    const found: Record<ProcessKind, number[]> = { daemon: [this.#daemon.pid!], engine: [], nats: [], hosts: [] }
    for (const { name, pid } of this.#run.children) {
      if (name.startsWith('camera:')) found.hosts.push(pid)
      else if (name.startsWith('engine:')) found.engine.push(pid)
      else found.nats.push(pid)
    }
    return found
  }

  hostOf(id: string): number | undefined {
    return this.#run.children.find(({ name }) => name === `camera:${id}`)?.pid
  }

  spent(): Spent {
    const pids = [...Object.values(this.processes).flat(), this.serverPid]
    return { atMs: performance.now(), byPid: new Map(pids.map((pid) => [pid, (cpuMs(pid) ?? 0) / 1000])) }
  }

  async reports(): Promise<CameraReport[]> {
    const response = await fetch(`${this.#run.httpUrl}/api/v1/cameras`)
    return ((await response.json()) as { data: CameraReport[] }).data
  }

  /** Values of all series of these metrics, by their line up to the value. */
  async metrics(...names: string[]): Promise<Map<string, number>> {
    const text = await (await fetch(`${this.#run.httpUrl}/metrics`)).text()
    const lines = text.split('\n').filter((line) => names.some((name) => line.startsWith(name)))
    return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
  }

  /** Resolves to false when it is not so in time. */
  async until(condition: (reports: CameraReport[]) => boolean, limitMs: number): Promise<boolean> {
    const deadline = performance.now() + limitMs
    while (!condition(await this.reports())) {
      if (performance.now() > deadline) return false
      await pause(POLL_MS)
    }
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#arrivals?.[Symbol.asyncDispose]()
    if (this.#daemon?.exitCode === null) {
      const ended = new Promise((done) => this.#daemon.once('exit', done))
      this.#daemon.kill('SIGTERM')
      await ended
    }
    await this.#server?.[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }

  get #run() {
    const run = readRunFile(join(this.folder, 'data'))
    if (run === undefined) throw new GrabberError('ACT_HOST_DIED', `the daemon has ended: ${this.lines.at(-1)}`)
    return run
  }

  async #start({ config, clip, count, logged }: RigOptions): Promise<void> {
    this.#server = await RtspServer.start()
    for (let n = 0; n < count; n++) {
      const id = `cam-${String(n + 1).padStart(3, '0')}`
      this.cameras.push({ id, camera: await this.#server.camera(`/${id}`, { clip, log: n < logged }) })
    }
    const data = join(this.folder, 'data')
    mkdirSync(data, { mode: 0o700 })
    symlinkSync(modelsDir(config), join(data, 'models'))
    const path = join(this.folder, 'grabber.yaml')
    const cameras = Object.fromEntries(this.cameras.map(({ id, camera }) => [id, { source: camera.url }]))
    // JSON is YAML.
    writeFileSync(path, JSON.stringify({ node: NODE, data, http: { port: 0 }, cameras }))
    const program = fileURLToPath(new URL('../../bin/grabber', import.meta.url))
    const env = { ...process.env, GRABBER_DATA: data, GRABBER_HTTP_PORT: '0' }
    this.#daemon = spawn(program, ['-c', path, 'run'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    await this.#ready()
    const { natsUrl } = this.#run
    if (natsUrl === null) {
      const remedy = 'install nats-server: script/setup --test'
      throw new GrabberError('BUS_UNAVAILABLE', 'events are measured on NATS, and there is none', { remedy })
    }
    this.#arrivals = await CameraArrivals.subscribe(natsUrl, NODE)
  }

  #ready(): Promise<void> {
    return new Promise((done, fail) => {
      createInterface({ input: this.#daemon.stderr! }).on('line', (line) => {
        this.lines.push(line)
        if (this.lines.length > KEPT_LINES) this.lines.shift()
        if (line.includes('"msg":"ready"')) done()
      })
      this.#daemon.once('exit', () => {
        fail(new GrabberError('ACT_HOST_DIED', `the daemon ended before it was ready: ${this.lines.at(-1)}`))
      })
    })
  }
}

export const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))
