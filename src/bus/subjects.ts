/**
 * NATS subjects: matching. Pure; no I/O.
 * https://docs.nats.io/nats-concepts/subjects
 */

/** Whether `subject` is covered by `pattern`: `*` is one token, a last `>` is one or more. */
export function subjectMatches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.')
  const tokens = subject.split('.')
  for (const [index, want] of wanted.entries()) {
    if (want === '>' && index === wanted.length - 1) return tokens.length > index
    const token = tokens[index]
    if (token === undefined || (want !== '*' && want !== token)) return false
  }
  return tokens.length === wanted.length
}
