/**
 * Takes secrets out of text and data before a person or a log sees them. Pure; runs in the daemon and in commands.
 */

const HIDDEN = '***'

// `scheme://user:password@`: the user stays readable, the password goes. Greedy up to the last @ before a blank or a
// quote, since a password may hold '/' and '@' when it was not encoded.
const urlPassword = /([a-z][a-z0-9+.-]*:\/\/)([^\s:@/"'<>]*):([^\s"'<>]*)@/gi
// NATS takes a user without a password for a token (src/bus/nats-url).
const natsToken = /((?:nats|tls):\/\/)[^\s:@/"'<>]+@/gi
// Cameras write it into paths as well: `/user=admin_password=…_channel=1.sdp`.
const queryValue = /([?&;/_](?:login)?(?:pas{1,2}(?:word|wd)?|pwd|token|secret|api[-_]?key|auth|key)=)[^\s&;#"'<>]+/gi

/** `text` with the credentials of every URL in it hidden. */
export function redactText(text: string): string {
  if (!text.includes('://') && !text.includes('=')) return text
  return text
    .replace(urlPassword, `$1$2:${HIDDEN}@`)
    .replace(natsToken, `$1${HIDDEN}@`)
    .replace(queryValue, `$1${HIDDEN}`)
}

/** The same for text as it is written in a configuration: references such as `${NAME}` are no secrets, and stay. */
export function redactWritten(text: string): string {
  const hidden = text.replaceAll(/\$\{[^{}\n]*\}/g, HIDDEN)
  return redactText(hidden) === hidden ? text : redactText(text)
}

/** A deep copy in which every string went through `redactString`. */
export function redact<T>(value: T, redactString = redactText): T {
  if (typeof value === 'string') return redactString(value) as T
  if (Array.isArray(value)) return value.map((item) => redact(item, redactString)) as T
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redact(item, redactString)])) as T
  }
  return value
}
