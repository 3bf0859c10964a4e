/**
 * What a stream holds at its end, by message id. Runs in the daemon.
 * Asked once after each connection: events whose acknowledgement was lost are at the end of the stream, and are then known
 * without the server's own window, which is 120 s long and, seen under load after a kill -9 of the server, not without gaps.
 */

/** Twice the outbox's window: another node may write to the same stream. */
const LOOK_BACK = 64

export interface StreamReader {
  /** First and last sequence number; `undefined` when there is no such stream. */
  range(): Promise<{ first: number; last: number } | undefined>
  /** Message id at `seq`; `undefined` when that message is gone. */
  idAt(seq: number): Promise<string | undefined>
}

export async function recentIds(stream: StreamReader): Promise<Set<string>> {
  const range = await stream.range()
  if (!range) return new Set()
  const from = Math.max(range.first, range.last - LOOK_BACK + 1, 1)
  const seqs = Array.from({ length: Math.max(0, range.last - from + 1) }, (_, index) => from + index)
  const ids = await Promise.all(seqs.map((seq) => stream.idAt(seq)))
  return new Set(ids.filter((id) => id !== undefined))
}
