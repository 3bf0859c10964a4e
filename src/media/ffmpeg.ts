/**
 * The one importer of `fluent-ffmpeg`: a task of core/wire/transcode becomes a run of the ffmpeg that is installed. Runs in the
 * re-encode host only. The package is archived upstream: all it is used for is to find the program, to build the command
 * line and to hold the process, and this file alone would be written anew to replace it.
 */
import fluent, { type FfmpegCommand } from 'fluent-ffmpeg'
import { GrabberError } from '../../core/errors.ts'
import type { FfmpegTask } from '../../core/wire/transcode.ts'
import { ffmpegFailure } from './ffmpeg-failure.ts'

/** Lines of stderr that are kept: the reports of loudnorm and ebur128 come last and are shorter. */
const LOG_LINES = 100
/** No sign of life for this long (ffmpeg reports twice a second): it hangs, and is killed. A seek in a large file without an index is slow. */
const HANG_MS = 120_000

export interface FfmpegListener {
  onChild(pid: number): void
  /** Media time that is done, ms. */
  onProgress(doneMs: number): void
}

let running: FfmpegCommand | undefined

/** SIGKILL to what runs. */
export function killFfmpeg(): void {
  running?.kill('SIGKILL')
}

/** The last lines of ffmpeg's stderr. ACT_TOOL, ACT_HOST_DIED where it was killed, DEC_ENCODE, DEC_HUNG, STO_FULL, STO_OUTPUT. */
export async function runFfmpeg(task: FfmpegTask, listener: FfmpegListener): Promise<string[]> {
  const command = commandFor(task)
  running = command
  let hung = false
  const hang = () => {
    hung = true
    command.kill('SIGKILL')
  }
  let watchdog = setTimeout(hang, HANG_MS)
  try {
    return await new Promise<string[]>((resolve, reject) => {
      command
        .on('start', () => listener.onChild(childPid(command)))
        .on('stderr', (line: string) => {
          clearTimeout(watchdog)
          watchdog = setTimeout(hang, HANG_MS)
          const doneMs = timeInLine(line)
          if (doneMs !== undefined) listener.onProgress(doneMs)
        })
        .on('end', (_out: string | null, log: string | null) => resolve(lines(log)))
        .on('error', (error: Error, _out: string | null, log: string | null) => {
          if (hung) reject(new GrabberError('DEC_HUNG', `ffmpeg did nothing for ${HANG_MS / 1000} s: ${task.purpose}`))
          else reject(ffmpegFailure(task, error, lines(log)))
        })
        .run()
    })
  } finally {
    clearTimeout(watchdog)
    running = undefined
  }
}

function commandFor({ inputs, graph, options, target }: FfmpegTask): FfmpegCommand {
  const command = fluent({ stdoutLines: LOG_LINES })
  for (const { path, options } of inputs) command.input(`file:${path}`).inputOptions([...options])
  if (graph !== null) command.complexFilter(graph)
  return command.outputOptions(['-y', '-nostdin', ...options]).output(target === '-' ? target : `file:${target}`)
}

/** fluent-ffmpeg keeps the process in a property that its types do not have. */
function childPid(command: FfmpegCommand): number {
  const { ffmpegProc } = command as FfmpegCommand & { ffmpegProc?: { pid?: number } }
  return ffmpegProc?.pid ?? 0
}

function lines(log: string | null | undefined): string[] {
  return (log ?? '').split('\n').filter((line) => line.trim() !== '')
}

/** `time=00:00:12.34` of ffmpeg's report, ms. */
function timeInLine(line: string): number | undefined {
  const [, hours, minutes, seconds] = /\btime=(\d+):(\d+):(\d+(?:\.\d+)?)/.exec(line) ?? []
  if (hours === undefined) return undefined
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
}
