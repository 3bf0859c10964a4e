/**
 * The process of plain-decode.ts as the benchmark holds it. Runs in the benchmark's process.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { GrabberError } from '../../core/errors.ts'

export interface PlainDecodeCost {
  frames: number
  cpuSeconds: number
}

export type PlainDecodeSaid = { ready: true } | PlainDecodeCost

export class DecodeProcess implements Disposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Resolves when the stream is open. */
  static async start(url: string): Promise<DecodeProcess> {
    const decode = new DecodeProcess(fork(new URL('./plain-decode.ts', import.meta.url), [url]))
    await decode.#next()
    return decode
  }

  get pid(): number {
    return this.#child.pid!
  }

  begin(): void {
    this.#child.send('begin')
  }

  /** What it cost since `begin`. */
  async end(): Promise<PlainDecodeCost> {
    this.#child.send('end')
    return (await this.#next()) as PlainDecodeCost
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }

  #next(): Promise<PlainDecodeSaid> {
    return new Promise((done, fail) => {
      const ended = () => fail(new GrabberError('SRC_LOST', 'the process that only decodes has ended'))
      this.#child.once('exit', ended)
      this.#child.once('message', (said) => {
        this.#child.off('exit', ended)
        done(said as PlainDecodeSaid)
      })
    })
  }
}
