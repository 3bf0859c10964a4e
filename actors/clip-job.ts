/**
 * Pieces of a recording cut by stream copy, in a session host of their own. Runs in the command that asks. A host that dies is
 * the recording's fault more often than not: the pieces without an answer are refused, and are encoded anew elsewhere.
 */
import type { CutAnswer, CutSpec } from '../core/wire/cut-spec.ts'
import { runErrand } from './errand.ts'
import type { HostSettings } from './host-settings.ts'

/** Reading a minute of packets says nothing meanwhile; a host that needs longer for a piece hangs on its file. */
const PIECE_MS = 120_000

export interface CutOptions {
  spec: CutSpec
  host: HostSettings
  signal: AbortSignal
}

/** An answer for each piece, in order. SRC_*, STO_*. */
export async function cutByCopy({ spec, host, signal }: CutOptions): Promise<CutAnswer[]> {
  const answers: CutAnswer[] = []
  await runErrand({
    name: 'cut',
    message: { type: 'cut', incarnation: 1, spec },
    silenceMs: PIECE_MS,
    onMessage: (message) => {
      if (message.type === 'cut.answer') answers.push(message)
    },
    ...{ host, signal },
  })
  const missing = spec.pieces.slice(answers.length)
  const rest = missing.map((_, i): CutAnswer => {
    return { index: answers.length + i, kind: 'refused', reason: 'the host that cuts died on it' }
  })
  return [...answers, ...rest]
}
