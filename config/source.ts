/**
 * The forms in which a camera's source is written, and what they mean. Pure text; nothing is opened here.
 */
import { isAbsolute, resolve } from 'node:path'

/** Where a camera's pictures come from. `url` may hold credentials: never log it as it is (config/redact). */
export type CameraSource =
  | { kind: 'file'; path: string }
  | { kind: 'rtsp' | 'http' | 'onvif'; url: string }
  | { kind: 'v4l2'; device: string }

export const sourceForms =
  'file:PATH, rtsp://HOST/PATH, http://HOST/PATH (or https), v4l2:/dev/videoN or onvif://HOST' as const

const networkKinds: Record<string, 'rtsp' | 'http' | 'onvif'> = {
  rtsp: 'rtsp',
  rtsps: 'rtsp',
  http: 'http',
  https: 'http',
  onvif: 'onvif',
}

/**
 * The source that `text` describes, or `undefined` when it is none of the known forms.
 * The path of `file:` is taken as it stands (no percent-decoding); `file:///a` and `file:/a` are the same.
 */
export function parseSource(text: string): CameraSource | undefined {
  const match = /^([a-z][a-z0-9]*):(.*)$/s.exec(text)
  if (!match) return undefined
  const [, scheme, rest] = match as unknown as [string, string, string]
  if (scheme === 'file') {
    const path = rest.startsWith('///') ? rest.slice(2) : rest
    return path === '' || path.startsWith('//') ? undefined : { kind: 'file', path }
  }
  if (scheme === 'v4l2') return rest.startsWith('/dev/') ? { kind: 'v4l2', device: rest } : undefined
  const kind = networkKinds[scheme]
  if (!kind || !rest.startsWith('//')) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url && url.hostname !== '' ? { kind, url: text } : undefined
}

/** A `file:` source with its path made absolute against `folder`; any other text unchanged. */
export function resolveSource(text: string, folder: string): string {
  const source = parseSource(text)
  if (source?.kind !== 'file' || isAbsolute(source.path)) return text
  return `file:${resolve(folder, source.path)}`
}
