/**
 * The process that runs ffmpeg, as a job holds it: questions with their answers, and its end. Runs in the command or the daemon.
 * One process serves one job and is not restarted: when it dies, what is open is rejected, and the ffmpeg that it had running
 * is killed.
 */
import { fromCoded, GrabberError } from '../core/errors.ts'
import type { FfmpegTask, FromTranscoder, ToTranscoder } from '../core/wire/transcode.ts'
import type { HostSettings } from './host-settings.ts'
import { type HostProcess, hostDied, spawnHost } from './kernel/child-process.ts'

export interface TranscoderOptions {
  entry: URL
  /** Unfinished files of the job; its process removes the folder when the job is killed. */
  workFolder: string
  host: Pick<HostSettings, 'helloMs' | 'stopMs' | 'killMs' | 'clock' | 'logger'>
  /** Aborted: what runs is killed, and what is open is rejected. */
  signal: AbortSignal
}

interface Question {
  resolve(answer: FromTranscoder): void
  reject(error: unknown): void
  onProgress(doneMs: number): void
}

const noProgress = () => undefined

export class Transcoder implements AsyncDisposable {
  readonly #host: HostProcess<ToTranscoder, FromTranscoder>
  readonly #questions = new Map<number, Question>()
  readonly #signal: AbortSignal
  #asked = 0
  #child: number | null = null

  private constructor(host: HostProcess<ToTranscoder, FromTranscoder>, signal: AbortSignal) {
    this.#host = host
    this.#signal = signal
    host.onMessage((message) => this.#take(message))
    // Told and not killed at once: it knows best which ffmpeg it has just started.
    const stop = () => void host.stop({ type: 'stop' })
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    void host.exited.then((exit) => {
      signal.removeEventListener('abort', stop)
      this.#endChild()
      const error = signal.aborted ? signal.reason : hostDied('the process that runs ffmpeg', exit)
      for (const { reject } of this.#questions.values()) reject(error)
      this.#questions.clear()
    })
  }

  /** ACT_HOST_DIED. */
  static async start({ entry, workFolder, host, signal }: TranscoderOptions): Promise<Transcoder> {
    const child = await spawnHost<ToTranscoder, FromTranscoder>({
      ...host,
      entry,
      name: 'reencode',
      args: [workFolder],
      // It watches its ffmpeg itself.
      silenceMs: Number.POSITIVE_INFINITY,
    })
    return new Transcoder(child, signal)
  }

  /** ffmpeg's last lines. ACT_TOOL, DEC_ENCODE, DEC_HUNG, STO_FULL, STO_OUTPUT, ACT_HOST_DIED. */
  async run(task: FfmpegTask, onProgress: (doneMs: number) => void = noProgress): Promise<string[]> {
    const answer = await this.#ask((id) => ({ type: 'run', id, task }), onProgress)
    return answer.type === 'ran' ? answer.log : []
  }

  /** ffprobe's JSON, not checked. ACT_TOOL, SRC_UNREADABLE, ACT_HOST_DIED. */
  async probe(path: string): Promise<unknown> {
    const answer = await this.#ask((id) => ({ type: 'probe', id, path }), noProgress)
    return answer.type === 'probed' ? answer.answer : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host.stop({ type: 'stop' })
  }

  #ask(question: (id: number) => ToTranscoder, onProgress: (doneMs: number) => void): Promise<FromTranscoder> {
    const id = ++this.#asked
    return new Promise((resolve, reject) => {
      this.#questions.set(id, { resolve, reject, onProgress })
      if (this.#host.send(question(id))) return
      this.#questions.delete(id)
      const gone = new GrabberError('ACT_HOST_DIED', 'the process that runs ffmpeg has ended')
      reject(this.#signal.aborted ? this.#signal.reason : gone)
    })
  }

  #take(message: FromTranscoder): void {
    if (message.type === 'child') this.#child = message.pid
    if (!('id' in message)) return
    const question = this.#questions.get(message.id)
    if (message.type === 'progress') {
      question?.onProgress(message.doneMs)
      return
    }
    this.#questions.delete(message.id)
    if (message.type === 'failed') question?.reject(fromCoded(message.error))
    else question?.resolve(message)
  }

  /** Its host was killed before it could do it. */
  #endChild(): void {
    if (this.#child === null || this.#child === 0) return
    try {
      process.kill(this.#child, 'SIGKILL')
    } catch (error) {
      // ESRCH: it has ended by itself.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
    this.#child = null
  }
}
