/**
 * Four cameras on real RTSP servers, and one daemon that watches them, with short periods. Runs in tests.
 * A test strikes a camera through its server (`server`, `stream`) or the network before it (`proxy`).
 */
import { writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { type DaemonView, startDaemon } from '../../e2e/support/daemon.ts'
import { Grabber } from '../../e2e/support/grabber.ts'
import { processesOf } from '../../e2e/support/processes.ts'
import { cameraClip } from '../../integration/support/camera-clips.ts'
import { FaultProxy } from '../../integration/support/fault-proxy.ts'
import { until } from '../../integration/support/nats.ts'
import { type Camera, RtspServer } from '../../integration/support/rtsp-server.ts'
import { CameraWatch } from './camera-watch.ts'
import { expectNothingLeft } from './last-words.ts'

const FPS = 5
/** From one analysed frame to the next. */
export const SAMPLE_MS = 1000 / FPS
export const MAX_RETRY_MS = 1500
export const PASSWORD = 'orchid-7731'
const READY_MS = 40_000

/**
 * `alone`: has a server of its own. `porch`: asks for a password, and there is a proxy before it. `radio`: over UDP. `yard`: nothing
 * special. Somebody is in sight of each all the time.
 */
export const cameraIds = ['alone', 'porch', 'radio', 'yard'] as const
export type CameraId = (typeof cameraIds)[number]

export interface SiteCamera {
  id: CameraId
  server: RtspServer
  stream: Camera
}

export class CameraSite implements AsyncDisposable {
  readonly cameras: Record<CameraId, SiteCamera>
  /** Before `porch`. It is in the process of the test: while that blocks, nothing passes. */
  readonly proxy: FaultProxy
  readonly grabber: Grabber
  readonly #stack: AsyncDisposableStack
  #daemon: DaemonView | undefined
  #watch: CameraWatch | undefined

  private constructor(
    cameras: Record<CameraId, SiteCamera>,
    proxy: FaultProxy,
    grabber: Grabber,
    stack: AsyncDisposableStack,
  ) {
    this.cameras = cameras
    this.proxy = proxy
    this.grabber = grabber
    this.#stack = stack
  }

  /** Resolves when all four are live, analysed, and none drops a frame. */
  static async open(): Promise<CameraSite> {
    await using stack = new AsyncDisposableStack()
    const [lone, shared] = await Promise.all([RtspServer.start(), RtspServer.start()])
    stack.use(lone)
    stack.use(shared)
    const clip = cameraClip('person')
    const place = async (id: CameraId, server: RtspServer, options = {}): Promise<SiteCamera> => {
      return { id, server, stream: await server.camera(`/${id}`, { clip, ...options }) }
    }
    const cameras = {
      alone: await place('alone', lone),
      porch: await place('porch', shared, { auth: { kind: 'digest', user: 'viewer', password: PASSWORD } }),
      radio: await place('radio', shared),
      yard: await place('yard', shared),
    }
    const proxy = stack.use(await FaultProxy.before(cameras.porch.stream.port))
    const grabber = stack.use(new Grabber({ models: true, env: { PORCH_PASSWORD: PASSWORD } }))
    writeFileSync(grabber.path('grabber.yaml'), configuration(cameras, proxy.port))
    const site = new CameraSite(cameras, proxy, grabber, stack.move())
    try {
      await site.start()
    } catch (error) {
      await site[Symbol.asyncDispose]()
      throw error
    }
    return site
  }

  get daemon(): DaemonView {
    return this.#daemon!
  }

  get watch(): CameraWatch {
    return this.#watch!
  }

  /** Another daemon, after the former one has ended. */
  async start(): Promise<void> {
    const daemon = await startDaemon(this.grabber, this.grabber.path('grabber.yaml'))
    this.#daemon = daemon
    const watch = await CameraWatch.over(daemon)
    this.#watch = watch
    await watch.until('all four are analysed', () => cameraIds.every((id) => isWell(watch, id)), READY_MS)
    // While everything starts at once the engine is late.
    await until('nothing is dropped any more', () => this.#isCalm(), READY_MS)
  }

  async #isCalm(): Promise<boolean> {
    const { watch } = this
    const since = watch.mark()
    await Promise.all(cameraIds.map((id) => watch.moreFrames(id, 5)))
    return cameraIds.every((id) => Object.keys(watch.drops(id, since)).length === 0)
  }

  /** `grabber` with the same configuration; its exit status. */
  async command(...args: string[]): Promise<number | null> {
    return (await this.grabber.run('-c', this.grabber.path('grabber.yaml'), ...args)).status
  }

  /** As if the power of the program went. */
  async kill(): Promise<void> {
    await this.watch[Symbol.asyncDispose]()
    this.daemon.running.child.kill('SIGKILL')
    await this.daemon.running.ended
  }

  /** Stops the daemon in order, and looks at what it leaves: nothing in flight, no lease, no process. */
  async stop(): Promise<void> {
    const { watch, daemon } = this
    expect(watch.problems).toEqual([])
    await watch[Symbol.asyncDispose]()
    expect(await daemon.stop()).toBe(0)
    expectNothingLeft(daemon, cameraIds)
    await until('no process is left', () => processesOf(this.grabber.data).length === 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch?.[Symbol.asyncDispose]()
    this.#daemon?.running.child.kill('SIGKILL')
    await this.#daemon?.running.ended
    await this.#stack.disposeAsync()
  }
}

export function isWell(watch: CameraWatch, id: CameraId): boolean {
  const { state, ledger } = watch.camera(id)
  return state === 'live' && ledger.analysed > 0
}

function configuration(cameras: Record<CameraId, SiteCamera>, porchPort: number): string {
  const { alone, porch, radio, yard } = cameras
  const secret = porch.stream.urlAt(porchPort).replace(PASSWORD, '$' + '{PORCH_PASSWORD}')
  return `
http: { port: 0 }
reconnect: { minMs: 200, maxMs: ${MAX_RETRY_MS}, goodMs: 2000 }
timeouts: { stallMs: 1500, openMs: 2000 }
defaults:
  analysis: { fps: ${FPS}, width: 320 }
  motion: { quietSeconds: 1 }
  picture: { frozenSeconds: 2, blackSeconds: 2 }
cameras:
  alone: { source: "${alone.stream.url}" }
  porch: { source: "${secret}" }
  radio: { source: "${radio.stream.url}", transport: udp }
  yard: { source: "${yard.stream.url}" }
`
}
