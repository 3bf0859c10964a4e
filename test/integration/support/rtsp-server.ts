/**
 * Cameras on loopback: GStreamer's RTSP server in a process of its own (test/fixtures/servers/rtsp_server.py), one for as many
 * streams as a test wants. Clips are sent as they are, for ever, with presentation times that only grow; what goes wrong with them
 * is said while they run. The server ends with the test process, however that ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { accessUnits } from './access-units.ts'

const SCRIPT = fileURLToPath(new URL('../../fixtures/servers/rtsp_server.py', import.meta.url))
const ANSWER_LIMIT_MS = 20_000

export interface CameraOptions {
  /** A clip with H.264, H.265, MPEG-4 or MJPEG video, in any container that ffmpeg reads; see camera-clips.ts. */
  clip: string
  /** Who may watch; anybody, when there is no kind. A kind has a port of its own. */
  auth?: { kind: 'basic' | 'digest'; user: string; password: string }
  /** What a client may ask for; both unless told otherwise. */
  transports?: ('tcp' | 'udp')[]
  /** RTCP sender reports, at most one in so many ms; every 500 ms unless told otherwise, `null` for none at all. */
  rtcpIntervalMs?: number | null
  /**
   * Where a client comes in. `false`: the first client sees the clip from its start. `true`: the clip has been running since the
   * server started, whoever watched, so that the main and the sub-stream of one camera show the same moment; the picture then
   * begins with the next key frame.
   */
  live?: boolean
  /** Keep when each picture left, for `sentAtMs`. */
  log?: boolean
  /** Of what `spoil` does at random. */
  seed?: number
}

/** What is wrong with a camera's RTP packets; what is not named stays as it is. */
export interface Spoilt {
  /** Share of packets that never leave, 0–1. Over TCP too: then the camera's own network loses them. */
  loss?: number
  /** Share of packets that the next three overtake, 0–1. */
  reorder?: number
  /** Share of packets whose payload is replaced by random bytes, 0–1. */
  garbage?: number
  /** The RTP clock runs too fast by so many millionths, from now on. */
  driftPpm?: number
  /** All pictures carry one RTP timestamp. */
  clockStill?: boolean
}

type Kind = 'none' | 'basic' | 'digest'
type Ports = Record<Kind, number>
type Said =
  | { ready: Ports }
  | { sent: [string, number, number] }
  | { id: number; ok: unknown }
  | { id: number; error: string }
type Request = { op: string } & Record<string, unknown>

export class RtspServer implements AsyncDisposable {
  readonly #cameras = new Map<string, Camera>()
  readonly #asked = new Map<number, { resolve: (ok: unknown) => void; reject: (error: Error) => void }>()
  #child: ChildProcess | undefined
  #ports: Ports | undefined
  #stderr = ''
  #lastId = 0

  /** Resolves when the server listens. */
  static async start(): Promise<RtspServer> {
    const server = new RtspServer()
    await server.#spawn()
    return server
  }

  get pid(): number {
    return this.#child!.pid!
  }

  /** A stream at `path`, which begins with a slash; a sub-stream is one more, with a smaller clip. */
  async camera(path: string, options: CameraOptions): Promise<Camera> {
    const camera = new Camera(
      path,
      options,
      (request) => this.#ask(request),
      () => this.#ports!,
    )
    await this.#mount(camera)
    this.#cameras.set(path, camera)
    return camera
  }

  /** SIGSTOP and SIGCONT: all cameras stand still, their connections open, until they go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    process.kill(this.pid, signal)
  }

  /** As if the power went: SIGKILL. Resolves when nobody listens any more. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    const ended = child.exitCode !== null || child.signalCode !== null ? undefined : once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** After `kill`: the same cameras at the same addresses, with nothing wrong with them. */
  async restart(): Promise<void> {
    await this.kill()
    await this.#spawn()
    for (const camera of this.#cameras.values()) await this.#mount(camera)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  async #mount({ path, options }: Camera): Promise<void> {
    const { auth, transports = ['tcp', 'udp'], rtcpIntervalMs = 500, live = false, log = false, seed = 1 } = options
    const rtcp = rtcpIntervalMs === null ? null : { intervalMs: rtcpIntervalMs }
    const who = auth === undefined ? { auth: 'none' } : { auth: auth.kind, user: auth.user, password: auth.password }
    await this.#ask({ op: 'mount', path, clip: accessUnits(options.clip), transports, rtcp, live, log, seed, ...who })
  }

  async #spawn(): Promise<void> {
    // Debian's Python: its modules are not seen by another one that may be first on PATH.
    const child = spawn('/usr/bin/python3', [SCRIPT, JSON.stringify(this.#ports ?? {})], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    })
    this.#child = child
    this.#stderr = ''
    child.stdin.on('error', () => undefined)
    child.stderr.on('data', (chunk) => {
      this.#stderr += chunk
    })
    const ready = new Promise<Ports>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => this.#hear(JSON.parse(line) as Said, resolve))
      child.on('error', reject)
      child.on('exit', (code, signal) => {
        const error = new Error(`the RTSP server ended (${signal ?? code}): ${this.#stderr.trim()}`)
        reject(error)
        for (const { reject } of this.#asked.values()) reject(error)
        this.#asked.clear()
      })
    })
    this.#ports = await ready
  }

  #hear(said: Said, ready: (ports: Ports) => void): void {
    if ('ready' in said) ready(said.ready)
    else if ('sent' in said) this.#cameras.get(said.sent[0])?.noteSent(said.sent[1], said.sent[2])
    else {
      const asked = this.#asked.get(said.id)
      this.#asked.delete(said.id)
      if ('error' in said) asked?.reject(new Error(said.error))
      else asked?.resolve(said.ok)
    }
  }

  #ask({ op, ...rest }: Request): Promise<unknown> {
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const late = setTimeout(() => reject(new Error(`the RTSP server does not answer: ${op}`)), ANSWER_LIMIT_MS)
    this.#asked.set(id, { resolve, reject })
    this.#child?.stdin?.write(`${JSON.stringify({ id, op, ...rest })}\n`)
    return promise.finally(() => {
      clearTimeout(late)
      this.#asked.delete(id)
    })
  }
}

/** One stream of the server. Everything here takes effect with the next picture and lasts until it is changed. */
export class Camera {
  readonly path: string
  readonly options: CameraOptions
  readonly #ask: (request: Request) => Promise<unknown>
  readonly #ports: () => Ports
  /** By picture number, in order of time: once a pass of the clip. */
  readonly #sent = new Map<number, number[]>()

  constructor(path: string, options: CameraOptions, ask: (request: Request) => Promise<unknown>, ports: () => Ports) {
    this.path = path
    this.options = options
    this.#ask = ask
    this.#ports = ports
  }

  /** TCP port of 127.0.0.1, to put a FaultProxy in front of. */
  get port(): number {
    return this.#ports()[this.options.auth?.kind ?? 'none']
  }

  /** With user and password where the camera wants them. */
  get url(): string {
    return this.urlAt(this.port)
  }

  /** The same through another port of 127.0.0.1 (a FaultProxy), or with another password (`null`: none given). */
  urlAt(port: number, password = this.options.auth?.password ?? null): string {
    const user = this.options.auth === undefined || password === null ? '' : `${this.options.auth.user}:${password}@`
    return `rtsp://${user}127.0.0.1:${port}${this.path}`
  }

  /**
   * Another clip from its start: black, a still picture, another resolution (in the middle of the stream). `once`: then the former
   * clip again. A clip in another codec ends all connections; who comes back finds the new one.
   */
  async show(clip: string, { once = false } = {}): Promise<void> {
    await this.#ask({ op: 'show', path: this.path, clip: accessUnits(clip), once })
  }

  /** The last key frame again and again, at the clip's rate, PTS running. */
  async freeze(): Promise<void> {
    await this.#ask({ op: 'mode', path: this.path, mode: 'freeze' })
  }

  /** No pictures; the connection stays, and is answered. */
  async stall(): Promise<void> {
    await this.#ask({ op: 'mode', path: this.path, mode: 'stall' })
  }

  /** Ends `freeze` and `stall`; the clip has gone on meanwhile, as the world does. */
  async resume(): Promise<void> {
    await this.#ask({ op: 'mode', path: this.path, mode: 'play' })
  }

  async spoil(changes: Spoilt): Promise<void> {
    await this.#ask({ op: 'faults', path: this.path, ...changes })
  }

  /** RTP timestamps are ahead by so many more ms (behind, when negative) from now on. */
  async jump(ms: number): Promise<void> {
    await this.#ask({ op: 'faults', path: this.path, jumpMs: ms })
  }

  /** Closes the connections of everybody who watches; they may come back at once. */
  async kick(): Promise<void> {
    await this.#ask({ op: 'kick', path: this.path })
  }

  /** The stream ends as a recording does: RTCP BYE, no more pictures, the connection open. Who comes back finds it running. */
  async end(): Promise<void> {
    await this.#ask({ op: 'end', path: this.path })
  }

  /** Only this password is right from now on, until the server starts anew; who watches is sent away. `url` keeps the first one. */
  async changePassword(password: string): Promise<void> {
    await this.#ask({ op: 'password', path: this.path, password })
  }

  /** 404 from now on; who watches is sent away. */
  async withdraw(): Promise<void> {
    await this.#ask({ op: 'withdraw', path: this.path })
  }

  /** Ends `withdraw`. */
  async restore(): Promise<void> {
    await this.#ask({ op: 'restore', path: this.path })
  }

  /** Connections that have asked for this stream and are open. */
  async clients(): Promise<number> {
    return (await this.#ask({ op: 'clients', path: this.path })) as number
  }

  /**
   * When picture `number` of the clip (counted from 0 in the order of display) last left before `beforeMs`, in ms of the wall
   * clock; undefined when it did not. Needs `log`.
   */
  sentAtMs(number: number, beforeMs = Number.POSITIVE_INFINITY): number | undefined {
    return this.#sent.get(number)?.findLast((at) => at <= beforeMs)
  }

  /** How many pictures have left. Needs `log`. */
  get sentCount(): number {
    return this.#sent.values().reduce((sum, times) => sum + times.length, 0)
  }

  noteSent(number: number, atMs: number): void {
    const times = this.#sent.get(number)
    if (times === undefined) this.#sent.set(number, [atMs])
    else times.push(atMs)
  }
}
