/**
 * What the soak of cameras runs on: a daemon, its cameras on a real RTSP server, a bad network before each, and somebody who
 * looks at it all the time. Runs in the soak's process.
 */
import { writeFileSync } from 'node:fs'
import { type DaemonView, startDaemon } from '../../test/e2e/support/daemon.ts'
import { Grabber } from '../../test/e2e/support/grabber.ts'
import { CameraWatch } from '../../test/fault/support/camera-watch.ts'
import { cameraClip } from '../../test/integration/support/camera-clips.ts'
import { FaultProxy } from '../../test/integration/support/fault-proxy.ts'
import { RtspServer } from '../../test/integration/support/rtsp-server.ts'

export interface SoakCamera {
  id: string
  proxy: FaultProxy
  source: string
}

export class SoakSite implements AsyncDisposable {
  readonly cameras: readonly SoakCamera[]
  readonly daemon: DaemonView
  readonly watch: CameraWatch
  readonly grabber: Grabber
  readonly #stack: AsyncDisposableStack

  private constructor(
    cameras: readonly SoakCamera[],
    daemon: DaemonView,
    watch: CameraWatch,
    grabber: Grabber,
    stack: AsyncDisposableStack,
  ) {
    this.cameras = cameras
    this.daemon = daemon
    this.watch = watch
    this.grabber = grabber
    this.#stack = stack
  }

  static async open(count: number): Promise<SoakSite> {
    await using stack = new AsyncDisposableStack()
    const server = stack.use(await RtspServer.start())
    const clip = cameraClip('visit', { gop: 15 })
    const cameras: SoakCamera[] = []
    for (let n = 0; n < count; n++) {
      const camera = await server.camera(`/${n}`, { clip })
      const proxy = stack.use(await FaultProxy.before(camera.port))
      cameras.push({ id: `cam-${n}`, proxy, source: camera.urlAt(proxy.port) })
    }
    const grabber = stack.use(new Grabber({ models: true, limitMs: null }))
    writeConfig(grabber, cameras, 0)
    const daemon = await startDaemon(grabber, grabber.path('grabber.yaml'))
    stack.defer(async () => {
      daemon.running.child.kill('SIGKILL')
      await daemon.running.ended
    })
    const watch = stack.use(await CameraWatch.over(daemon))
    return new SoakSite(cameras, daemon, watch, grabber, stack.move())
  }

  /** Changes one camera in the file; the next `revision` changes it again. */
  rewrite(revision: number): void {
    writeConfig(this.grabber, this.cameras, revision)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

/** Periods are short; the last camera's rate is what a revision changes. */
function writeConfig(grabber: Grabber, cameras: readonly SoakCamera[], revision: number): void {
  const entries = cameras.map(({ id, source }, index) => {
    const changed = index === cameras.length - 1 ? `, analysis: { fps: ${5 + (revision % 2)} }` : ''
    return `  ${id}: { source: "${source}"${changed} }`
  })
  writeFileSync(
    grabber.path('grabber.yaml'),
    `http: { port: 0 }
reconnect: { minMs: 100, maxMs: 1000, goodMs: 5000, crashes: 1000 }
timeouts: { stallMs: 1500, openMs: 2000 }
load: { shed: false }
defaults: { analysis: { width: 320 }, motion: { quietSeconds: 1 } }
cameras:
${entries.join('\n')}
`,
  )
}
