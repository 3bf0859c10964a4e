/**
 * What a session host does besides cameras, recordings and stills: one errand, without engine or gallery, and then its end.
 * Session host only.
 */
import { systemClock } from '../core/clock.ts'
import type { FromSession, ToSession } from '../core/wire/control.ts'
import { cutPieces } from './media/clip-cutter.ts'
import { copyPictures } from './picture-copies.ts'
import { preflight } from './preflight.ts'
import { secondPass } from './second-pass.ts'

type Post = (message: FromSession) => void
type ErrandMessage = Extract<ToSession, { type: keyof typeof errands }>

const errands = {
  /** Answers `probed`. */
  async probe({ incarnation, path, openTimeoutMs }: Extract<ToSession, { type: 'probe' }>, post: Post) {
    const onSign = (ptsMs: number, byte: number | null) => post({ type: 'probing', incarnation, ptsMs, byte })
    post({ type: 'probed', incarnation, report: await preflight({ path, openTimeoutMs, clock: systemClock, onSign }) })
  },
  /** Answers `cut.answer` for each piece, then `cut.ended`. */
  async cut({ incarnation, spec }: Extract<ToSession, { type: 'cut' }>, post: Post) {
    await cutPieces(spec, systemClock, (answer) => post({ type: 'cut.answer', incarnation, ...answer }))
    post({ type: 'cut.ended', incarnation })
  },
  /** Answers `copied` for each picture, then `copies.ended`. */
  async copy({ incarnation, spec }: Extract<ToSession, { type: 'copy' }>, post: Post) {
    await copyPictures(spec, systemClock, (index) => post({ type: 'copied', incarnation, index }))
    post({ type: 'copies.ended', incarnation })
  },
  /** Answers `second-pass.done`. */
  async 'second-pass'({ incarnation, spec }: Extract<ToSession, { type: 'second-pass' }>, post: Post) {
    const onSign = (ratio: number) => post({ type: 'second-pass.sign', incarnation, ratio })
    post({ type: 'second-pass.done', incarnation, outcome: await secondPass(spec, systemClock, onSign) })
  },
}

export function isErrand(message: ToSession): message is ErrandMessage {
  return Object.hasOwn(errands, message.type)
}

/** Resolves when the last answer is posted. Rejects with the errand's coded error. */
export function runErrand(message: ErrandMessage, post: Post): Promise<void> {
  const run = errands[message.type] as (message: ErrandMessage, post: Post) => Promise<void>
  return run(message, post)
}
