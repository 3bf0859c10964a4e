/**
 * What a person sees while a model comes: a bar with the speed on a terminal, else a line now and then. Runs in commands.
 */
import { megabytes } from '../../models/model-download.ts'
import type { CliContext } from './context.ts'
import { progressLine } from './progress-line.ts'

/** Between two lines where there is no terminal; a quick download says nothing. */
const LINE_MS = 10_000

export interface PullProgress {
  update(received: number, total: number): void
  notice(text: string): void
  clear(): void
}

export function pullProgress(context: Pick<CliContext, 'stderr' | 'isTty'>, model: string): PullProgress {
  const bar = progressLine(context, model)
  const startedMs = performance.now()
  let startBytes: number | undefined
  let saidAtMs = startedMs
  return {
    update(received, total) {
      startBytes ??= received
      const now = performance.now()
      const perSecond = ((received - startBytes) * 1000) / Math.max(1, now - startedMs)
      const text = `${megabytes(received)} of ${megabytes(total)}, ${megabytes(perSecond)}/s`
      bar.update(received, total, text)
      if (context.isTty || now - saidAtMs < LINE_MS) return
      saidAtMs = now
      context.stderr.write(`${model}: ${text}\n`)
    },
    notice(text) {
      bar.clear()
      context.stderr.write(`${model}: ${text}\n`)
    },
    clear: () => bar.clear(),
  }
}
