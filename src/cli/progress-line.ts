/**
 * A progress bar on one line of a terminal; silent elsewhere. Runs in commands.
 */
import type { CliContext } from './context.ts'

const WIDTH = 24
const REDRAW_MS = 100

export interface ProgressLine {
  /** `text` stands behind the percentage. */
  update(done: number, total: number, text?: string): void
  /** Takes the line away. */
  clear(): void
}

export function progressLine({ stderr, isTty }: Pick<CliContext, 'stderr' | 'isTty'>, label: string): ProgressLine {
  let drawnAtMs = Number.NEGATIVE_INFINITY
  return {
    update(done, total, text = '') {
      if (!isTty || performance.now() - drawnAtMs < REDRAW_MS) return
      drawnAtMs = performance.now()
      const share = total > 0 ? Math.min(1, done / total) : 0
      const filled = Math.round(share * WIDTH)
      const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled)
      stderr.write(`\r\x1b[K${label} ${bar} ${Math.round(share * 100)} %${text && `  ${text}`}`)
    },
    clear() {
      if (drawnAtMs > Number.NEGATIVE_INFINITY) stderr.write('\r\x1b[K')
    },
  }
}
