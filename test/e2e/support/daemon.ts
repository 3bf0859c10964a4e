/**
 * A running daemon as a test sees it: through run.json, its HTTP API and the process table. Nothing from inside.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CloudEvent } from '../../../core/event.ts'
import type { RunInfo } from '../../../src/store/run-file.ts'
import { until } from '../../integration/support/nats.ts'
import type { Grabber, Running } from './grabber.ts'

const START_LIMIT_MS = 30_000

export interface CameraView {
  id: string
  state: string
  ledger: { captured: number; analysed: number; skipped: object; dropped: Record<string, number>; inFlight: number }
}

/** Ports are picked by the system, so that daemons run beside each other and beside the developer's own. */
export function startDaemon(grabber: Grabber, config: string): Promise<DaemonView> {
  const running = grabber.start('-c', config, 'run')
  return DaemonView.of(grabber, running)
}

export class DaemonView {
  readonly running: Running
  readonly #data: string
  #over = false

  private constructor(data: string, running: Running) {
    this.#data = data
    this.running = running
    void running.ended.then(() => {
      this.#over = true
    })
  }

  static async of({ data }: Grabber, running: Running): Promise<DaemonView> {
    const daemon = new DaemonView(data, running)
    await until('the daemon is ready', () => daemon.#over || running.err().includes('"msg":"ready"'), START_LIMIT_MS)
    if (daemon.#over) throw new Error(`the daemon ended at start: ${running.err()}`)
    return daemon
  }

  get info(): RunInfo {
    return JSON.parse(readFileSync(join(this.#data, 'run.json'), 'utf8')) as RunInfo
  }

  /** Pid of a child by its name in run.json; `undefined` while there is none. */
  pid(name: string): number | undefined {
    return this.info.children.find((child) => child.name === name)?.pid
  }

  async get<T>(path: string): Promise<T> {
    const { httpUrl } = this.info
    const answer = (await (await fetch(`${httpUrl}${path}`)).json()) as { ok: boolean; data: T }
    return answer.data
  }

  async health(): Promise<{ status: string; reasons: string[] }> {
    return JSON.parse(await this.text('/health/ready')) as { status: string; reasons: string[] }
  }

  text(path: string): Promise<string> {
    return fetch(`${this.info.httpUrl}${path}`).then((answer) => answer.text())
  }

  camera(id: string): Promise<CameraView | undefined> {
    return this.get<CameraView[]>('/api/v1/cameras').then((all) => all.find((camera) => camera.id === id))
  }

  /** Events about what was seen, oldest first. */
  async mediaEvents(): Promise<CloudEvent[]> {
    const events = await this.get<CloudEvent[]>('/api/v1/events?limit=1000')
    return events.filter(({ type }) => type === 'motion' || type === 'face.track').reverse()
  }

  async stop(): Promise<number | null> {
    this.running.child.kill('SIGTERM')
    return (await this.running.ended).status
  }
}
