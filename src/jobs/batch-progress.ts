/**
 * How far a command has come with all its recordings, and how long it will take: by bytes, since that is what is known of a recording
 * before it is opened. Pure, apart from the clock that it is given.
 */

interface Part {
  bytes: number
  share: number
  ended: boolean
}

export interface ProgressReport {
  /** Of all bytes, 0–1. */
  share: number
  /** `null` while there is too little to tell by. */
  secondsLeft: number | null
  ended: number
  files: number
}

/** Less than this tells nothing of the speed. */
const TELLING_SECONDS = 2
const TELLING_SHARE = 0.005

export class BatchProgress {
  readonly #parts = new Map<string, Part>()
  readonly #monotonicMs: () => number
  #startedMs: number | undefined
  /** Bytes that took no time: finished before. */
  #freeBytes = 0

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs
  }

  add(file: string, bytes: number): void {
    this.#startedMs ??= this.#monotonicMs()
    this.#parts.set(file, { bytes: Math.max(1, bytes), share: 0, ended: false })
  }

  update(file: string, share: number): void {
    const part = this.#parts.get(file)
    if (part && !part.ended) part.share = Math.max(part.share, Math.min(1, share))
  }

  /** `free`: it was not worked on. */
  end(file: string, free: boolean): void {
    const part = this.#parts.get(file)
    if (!part || part.ended) return
    part.share = 1
    part.ended = true
    if (free) this.#freeBytes += part.bytes
  }

  report(): ProgressReport {
    let all = 0
    let done = 0
    let ended = 0
    for (const part of this.#parts.values()) {
      all += part.bytes
      done += part.bytes * part.share
      if (part.ended) ended++
    }
    return {
      share: all === 0 ? 0 : done / all,
      secondsLeft: this.#secondsLeft(all, done),
      ended,
      files: this.#parts.size,
    }
  }

  #secondsLeft(all: number, done: number): number | null {
    if (this.#startedMs === undefined) return null
    const seconds = (this.#monotonicMs() - this.#startedMs) / 1000
    const worked = done - this.#freeBytes
    if (seconds < TELLING_SECONDS || worked < TELLING_SHARE * all) return null
    return (seconds * (all - done)) / worked
  }
}

/** `3:07`, `1:02:07`. */
export function clockText(seconds: number): string {
  const whole = Math.ceil(seconds)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}
