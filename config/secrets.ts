/**
 * Secrets in the configuration file: `${VAR}` and `${file:/path}` are substituted, literal passwords are refused.
 * Runs wherever the configuration is loaded. Must never put a secret into a message.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

// In YAML's flow style a plain scalar cannot hold braces, and `{ source: rtsp://u:${P}@host }` should just work. The
// three characters of a reference are therefore replaced, one for one, before the parser sees the text; columns stay.
const OPEN = '\uE000\uE001'
const CLOSE = '\uE002'
const reference = /\uE000\uE001([^\uE002]*)\uE002/g

/** The file's text with each `${…}` made opaque to YAML. */
export function maskReferences(text: string): string {
  return text.replaceAll(/\$\{([^{}\n]*)\}/g, (_, name: string) => `${OPEN}${name}${CLOSE}`)
}

/** A copy of `value` in which masked references read as they were written. */
export function unmaskReferences<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll(reference, (_, name: string) => `\${${name}}`) as T
  if (Array.isArray(value)) return value.map((item) => unmaskReferences(item)) as T
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unmaskReferences(item)])) as T
}

export interface SecretSources {
  env: Record<string, string | undefined>
  /** Folder that relative `${file:…}` paths start from. */
  folder: string
}

/**
 * `text` with its references replaced, and what could not be. A value inside a URL's `user:password@` is
 * percent-encoded, so that a secret is stored as it is, whatever characters it holds.
 */
export function substitute(text: string, sources: SecretSources): { text: string; problems: string[] } {
  const problems: string[] = []
  const authority = userinfoRange(text)
  const replaced = text.replaceAll(reference, (_, name: string, offset: number) => {
    const value = lookUp(name, sources)
    if ('problem' in value) {
      problems.push(value.problem)
      return ''
    }
    return offset >= authority.start && offset < authority.end ? encodeURIComponent(value.secret) : value.secret
  })
  return { text: replaced, problems }
}

const REMEDY = `put it into an environment variable and write \${NAME}, or \${file:/path}, in its place`

/** What is wrong when masked `text` is a URL with a password or a token written into it; `undefined` when it is not. */
export function literalSecret(text: string): string | undefined {
  const { start, end } = userinfoRange(text)
  const userinfo = text.slice(start, Math.max(start, end))
  const colon = userinfo.indexOf(':')
  if (colon >= 0 && userinfo.slice(colon + 1).replaceAll(reference, '') !== '') {
    return `a password is written into the URL: ${REMEDY}`
  }
  if (colon < 0 && /^(?:nats|tls):/i.test(text) && userinfo.replaceAll(reference, '') !== '') {
    return `a token is written into the URL: ${REMEDY}`
  }
  const query = /[?&;/_]((?:login)?pas{1,2}(?:word|wd)?|pwd|token|secret|api[-_]?key|auth)=([^&#\s]*)/i.exec(
    text.replaceAll(reference, ''),
  )
  if (query?.[2]) {
    return `a secret is written into the URL's ${query[1]} parameter: ${REMEDY}`
  }
  return undefined
}

function lookUp(name: string, { env, folder }: SecretSources): { secret: string } | { problem: string } {
  if (name.startsWith('file:')) {
    const path = resolve(folder, name.slice('file:'.length))
    try {
      return { secret: readFileSync(path, 'utf8').replace(/\r?\n$/, '') }
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable'
      return { problem: `the secret file ${path} cannot be read (${reason})` }
    }
  }
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return { problem: `\${${name}} is not the name of a variable` }
  const value = env[name]
  if (value === undefined || value === '') return { problem: `the environment variable ${name} is not set` }
  return { secret: value }
}

/** Where `user:password` stands in masked `text`; an empty range when there is none. */
function userinfoRange(text: string): { start: number; end: number } {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)
  if (!scheme) return { start: 0, end: 0 }
  const start = scheme[0].length
  // Slashes inside a reference (`${file:/path}`) do not end the authority.
  const opaque = text.replaceAll(reference, (match) => 'x'.repeat(match.length))
  const rest = opaque.slice(start)
  // The last @ before the path; when there is none, the last @ at all: a literal password may hold a '/'.
  const authority = /^[^/?#]*/.exec(rest)![0]
  const at = authority.lastIndexOf('@')
  const end = at >= 0 ? at : /^[^\s?#]*:[^\s?#]*@/.exec(rest) ? rest.lastIndexOf('@') : -1
  return end < 0 ? { start, end: start } : { start, end: start + end }
}
