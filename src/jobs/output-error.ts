/**
 * What the file system says when a result cannot be written, as coded errors. Runs where jobs run. Pure.
 */
import { GrabberError } from '../../core/errors.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT'])
const REFUSED = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EEXIST', 'ENAMETOOLONG', 'EIO', 'ELOOP'])

/** STO_FULL or STO_OUTPUT; what is neither, and what is coded already, as it came. */
export function outputError(error: unknown, path: string): unknown {
  const code = errnoOf(error)
  if (code === undefined) return error
  if (FULL.has(code)) return new GrabberError('STO_FULL', `there is no room for ${path}`, { cause: error })
  if (REFUSED.has(code)) return new GrabberError('STO_OUTPUT', `${path} cannot be written (${code})`, { cause: error })
  return error
}

/** What `write` answers; its failures as `outputError` has them. */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write()
  } catch (error) {
    throw outputError(error, path)
  }
}

export function errnoOf(error: unknown): string | undefined {
  if (error instanceof GrabberError || !(error instanceof Error)) return undefined
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
