/**
 * What ffmpeg's last words mean as a coded error. Pure.
 */
import { GrabberError } from '../../core/errors.ts'
import type { FfmpegTask } from '../../core/wire/transcode.ts'

const FULL = /No space left on device|Disk quota exceeded/
const OUTPUT = /Permission denied|Read-only file system/
const LACKS = /Unknown encoder|No such filter|Unrecognized option|Option not found/
/** The error of the library before ffmpeg was started at all. */
const MISSING = /Cannot find ffmpeg|ENOENT/
/** By the system for its memory, as a rule; a crash has another signal, and is the recording's doing. */
const KILLED = /was killed with signal (SIGKILL)/
/** The first of these is the cause; what follows are its consequences. */
const TROUBLE = /error|invalid|cannot|could not|unable|failed|not found|no such|unsupported/i
/** Reports, and what they repeat; not what went wrong. */
const CHATTER = /^(frame|size)=|^\s|^(Input|Output) #|^Press|^Conversion failed|^\[lib|^video:|^ffmpeg version/

export function ffmpegFailure(task: FfmpegTask, error: Error, log: readonly string[]): GrabberError {
  const cause = { cause: error, context: { log: log.slice(-20) } }
  if (MISSING.test(error.message)) return missingTool('ffmpeg', error)
  const signal = KILLED.exec(error.message)?.[1]
  if (signal !== undefined)
    return new GrabberError('ACT_HOST_DIED', `${task.purpose}: ffmpeg ended with ${signal}`, {
      ...cause,
      remedy: 'see whether the system ran out of memory, and run the same command again',
    })
  const find = (pattern: RegExp) => log.findLast((line) => pattern.test(line))
  const full = find(FULL)
  if (full !== undefined) return new GrabberError('STO_FULL', `ffmpeg: ${lastWords(full)}`, cause)
  const denied = find(OUTPUT)
  if (denied !== undefined) return new GrabberError('STO_OUTPUT', `ffmpeg: ${lastWords(denied)}`, cause)
  const lacking = find(LACKS)
  if (lacking !== undefined)
    return new GrabberError('ACT_TOOL', `the ffmpeg that is installed lacks something: ${lastWords(lacking)}`, {
      ...cause,
      remedy: 'install a complete ffmpeg of version 5 or newer, with libx264 and zscale, such as that of Debian',
    })
  const said = log.filter((line) => !CHATTER.test(line))
  const words = said.find((line) => TROUBLE.test(line)) ?? said.at(-1)
  return new GrabberError('DEC_ENCODE', `${task.purpose}: ${words ? lastWords(words) : error.message}`, cause)
}

export function missingTool(name: string, cause: unknown): GrabberError {
  return new GrabberError('ACT_TOOL', `${name} is not installed, or not in PATH`, { cause })
}

/** Without the address of the object that speaks, `[mp4 @ 0x55…]`. */
function lastWords(line: string): string {
  return line.replaceAll(/\[([\w:,]+) @ 0x[0-9a-f]+\]/g, '$1:').trim()
}
