/**
 * What ffprobe says of a file, as its JSON. Runs in the re-encode host only.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { GrabberError } from '../../core/errors.ts'
import { missingTool } from './ffmpeg-failure.ts'

const run = promisify(execFile)
/** Reading the headers of a recording; a file on a dead mount must not hold the job. */
const LIMIT_MS = 60_000
const MAX_BYTES = 4 * 1024 * 1024

/** Parsed and not checked. ACT_TOOL, SRC_UNREADABLE. */
export async function probeFile(path: string): Promise<unknown> {
  const args = ['-v', 'error', '-of', 'json', '-show_format', '-show_streams', `file:${path}`]
  try {
    const { stdout } = await run('ffprobe', args, { timeout: LIMIT_MS, maxBuffer: MAX_BYTES, killSignal: 'SIGKILL' })
    return JSON.parse(stdout)
  } catch (error) {
    if (isMissing(error)) throw missingTool('ffprobe', error)
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) : ''
    throw new GrabberError('SRC_UNREADABLE', `ffprobe cannot read it: ${words || 'no answer'}`, { cause: error })
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
