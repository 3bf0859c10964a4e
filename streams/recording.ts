/**
 * A session's recording: its passes one after the other, from where it was left off, with a checkpoint after each and, of an
 * extraction, inside its one pass. Session host only. Must never retry what failed: its job does.
 */
import { availableParallelism } from 'node:os'
import type { Clock } from '../core/clock.ts'
import type { SessionProgress } from '../core/wire/control.ts'
import type { Checkpoint, FileSource, SelectionCheckpoint, SessionSpec } from '../core/wire/session-spec.ts'
import type { Damage } from '../core/wire/stream-info.ts'
import { isExtraction } from './camera-graph.ts'
import { sampleSlot } from './operators/sample-fps.ts'
import type { SelectionPass } from './selection-pass.ts'
import type { SessionLink } from './session-link.ts'
import type { SessionServices } from './session-services.ts'
import type { DamageReport } from './sources/damage-report.ts'
import { FilePass, type PassOptions } from './sources/file-pass.ts'
import { RejoinMissed } from './sources/rejoin.ts'

/**
 * A recording may use every core (0: FFmpeg chooses); of cameras there are many. Where there are only two cores the engine
 * and this process fill them: more decoder threads get in their way, 9 % fewer frames a second (docs/performance.md).
 */
const LOSSLESS_DECODER_THREADS = availableParallelism() > 2 ? 0 : 1
const PLAYED_DECODER_THREADS = 1
/**
 * A decoder of n threads decodes n pictures ahead while a candidate keeps the event loop busy; with one they would take turns. On two cores
 * that are shared with others, four take a third less time than two in the mode `fast`, and 30 MB more (docs/performance.md).
 */
const EXTRACTION_DECODER_THREADS = Math.max(4, availableParallelism())

export interface RecordingOptions {
  spec: SessionSpec
  source: FileSource
  services: SessionServices
  link: SessionLink
  clock: Clock
  damage: DamageReport
  /** The session is to stop. */
  signal: AbortSignal
  /** Resolves when all of the pass has its verdict. Closes it. */
  analyse(pass: FilePass, from: SelectionCheckpoint | null): Promise<unknown>
  /** Of the pass that is analysed. */
  selection(): SelectionPass | null
  progress(): SessionProgress
}

export class Recording {
  readonly #options: RecordingOptions
  readonly #extracts: boolean

  constructor(options: RecordingOptions) {
    this.#options = options
    this.#extracts = isExtraction(options.spec)
  }

  /** Resolves at the end of the last pass, or when it was stopped. Rejects with SRC_*, DEC_* and what `analyse` rejects with. */
  async play(): Promise<void> {
    const { source, signal } = this.#options
    let from: Checkpoint = source.from ?? { loop: 0, seqBase: 0, ptsBaseMs: 0 }
    while (from.loop < source.passes && !signal.aborted) from = await this.#playPass(from)
  }

  async #playPass(from: Checkpoint): Promise<Checkpoint> {
    const { selection: point } = from
    if (!point) return this.#playFrom(from)
    this.#options.damage.resume(point.damage)
    try {
      return await this.#playFrom(from, { point, fromStart: false })
    } catch (error) {
      if (!(error instanceof RejoinMissed)) throw error
      return this.#playFrom(from, { point, fromStart: true })
    }
  }

  async #playFrom(from: Checkpoint, rejoin?: PassOptions['rejoin']): Promise<Checkpoint> {
    const { analyse, link, signal, progress } = this.#options
    const pass = await this.#open(from, rejoin)
    await analyse(pass, from.selection ?? null)
    const next: Checkpoint = { loop: from.loop + 1, ...pass.next }
    // Nothing of the pass is said again behind its checkpoint.
    await link.flushRecords()
    if (!signal.aborted) link.send({ type: 'checkpoint', checkpoint: next, progress: progress() })
    return next
  }

  async #open({ selection: _, ...from }: Checkpoint, rejoin: PassOptions['rejoin']): Promise<FilePass> {
    const { spec, source, services, clock, damage, signal } = this.#options
    const { fps } = spec.analysis
    const threads = services.lossless ? LOSSLESS_DECODER_THREADS : PLAYED_DECODER_THREADS
    const pass: FilePass = await FilePass.open({
      ...from,
      ...(rejoin ? { rejoin } : {}),
      constant: this.#extracts,
      path: source.path,
      tonemap: spec.decode.tonemap,
      speed: source.speed,
      openTimeoutMs: spec.openTimeoutMs,
      originMs: spec.originMs,
      threads: this.#extracts ? EXTRACTION_DECODER_THREADS : threads,
      room: async (signal) => {
        if (this.#extracts) await this.#checkpointInside(pass, from, signal)
        await services.room(signal)
      },
      signal,
      clock,
      onDamage: (ptsMs, what) => damage.add(ptsMs, what),
      onUndecoded: (pictures, why) => services.passOver(pictures, why),
      ...(this.#extracts && fps !== null ? { slotOf: sampleSlot(fps) } : {}),
    })
    return pass
  }

  /** The frame before the next one may be a point to go on from. SRC_CHANGED when the recording is another one by now. */
  async #checkpointInside(pass: FilePass, from: Checkpoint, signal: AbortSignal): Promise<void> {
    const { selection, damage, link, progress } = this.#options
    const point = await selection()?.point(signal)
    if (!point || !pass.identity) return
    await pass.expectUnchanged()
    const checkpoint = { ...from, selection: { ...point, file: pass.identity, damage: copyOf(damage.damage) } }
    link.send({ type: 'checkpoint', checkpoint, progress: progress() })
  }
}

function copyOf({ count, positions }: Damage): Damage {
  return { count, positions: [...positions] }
}
