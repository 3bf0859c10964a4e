/**
 * Asks nvidia-smi for the GPUs' figures, at a low rate, in a child process with a time limit. Runs in the daemon and in commands.
 * Must never hold up the event loop, nor try again where there is no nvidia-smi.
 */
import { execFile } from 'node:child_process'
import type { Clock, Timer } from '../../core/clock.ts'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { GPU_QUERY, type GpuFigures, parseGpuFigures } from '../../models/gpu-figures.ts'

/** It takes 20–50 ms with a driver that is loaded, and hangs with a GPU that fell off the bus. */
const LIMIT_MS = 5000
const POLL_MS = 10_000

/** The GPUs now; `undefined` where there is no nvidia-smi. ENG_PROVIDER with its words when it failed or was too slow. */
export function readGpus(command = 'nvidia-smi', limitMs = LIMIT_MS): Promise<GpuFigures[] | undefined> {
  return new Promise((resolve, reject) => {
    const options = { timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: 256 * 1024 } as const
    execFile(command, GPU_QUERY, options, (error, stdout) => {
      if (error?.code === 'ENOENT' || error?.code === 'EACCES') return resolve(undefined)
      try {
        if (error?.killed) throw new GrabberError('ENG_PROVIDER', `nvidia-smi did not answer in ${limitMs} ms`)
        // A driver's complaint stands on stdout, with status 9: the parser refuses it with those words.
        const gpus = parseGpuFigures(stdout)
        if (error && gpus.length === 0) throw new GrabberError('ENG_PROVIDER', `nvidia-smi ended with ${error.code}`)
        resolve(gpus)
      } catch (failure) {
        reject(toGrabberError(failure))
      }
    })
  })
}

export interface GpuWatchOptions {
  clock: Clock
  logger: Logger
  onFigures(gpus: GpuFigures[]): void
  read?: typeof readGpus
}

/** Reads every 10 s from now on. A failure is logged once, until it works again. */
export class GpuWatch {
  readonly #options: GpuWatchOptions
  #timer: Timer
  #closed = false
  #failing = false

  constructor(options: GpuWatchOptions) {
    this.#options = options
    this.#timer = options.clock.after(POLL_MS, () => void this.#look())
  }

  close(): void {
    this.#closed = true
    this.#timer.cancel()
  }

  async #look(): Promise<void> {
    const { clock, logger, onFigures, read = readGpus } = this.#options
    try {
      const gpus = await read()
      if (this.#closed || gpus === undefined) return
      this.#failing = false
      onFigures(gpus)
    } catch (error) {
      if (!this.#failing) logger.warn({ error: toGrabberError(error).line }, 'no figures of the GPUs')
      this.#failing = true
    }
    if (!this.#closed) this.#timer = clock.after(POLL_MS, () => void this.#look())
  }
}
