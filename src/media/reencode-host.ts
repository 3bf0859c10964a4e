/**
 * Entry of the process that runs ffmpeg for one job. Owns its ffmpeg child and the job's folder of unfinished files: when the
 * job dies (its IPC channel closes, also by `kill -9`), it kills the child, removes the folder and ends itself.
 * Must never write anything but what a task names; knows nothing of what the tasks are for.
 */
import { rmSync } from 'node:fs'
import { toGrabberError } from '../../core/errors.ts'
import type { FromTranscoder, ToTranscoder } from '../../core/wire/transcode.ts'
import { killFfmpeg, runFfmpeg } from './ffmpeg.ts'
import { probeFile } from './ffprobe.ts'

/** What the job has not finished; removed when the job is killed. */
const workFolder = process.argv[2]

function post(message: FromTranscoder): void {
  if (process.connected) process.send?.(message)
}

async function answer(message: Exclude<ToTranscoder, { type: 'stop' }>): Promise<FromTranscoder> {
  const { id } = message
  try {
    if (message.type === 'probe') return { type: 'probed', id, answer: await probeFile(message.path) }
    const log = await runFfmpeg(message.task, {
      onChild: (pid) => post({ type: 'child', pid }),
      onProgress: (doneMs) => post({ type: 'progress', id, doneMs }),
    })
    return { type: 'ran', id, log }
  } catch (error) {
    return { type: 'failed', id, error: toGrabberError(error).toJSON() }
  } finally {
    post({ type: 'child', pid: null })
  }
}

/** One after the other: an encoder uses all cores by itself. */
let before: Promise<void> = Promise.resolve()

process.on('message', (message: ToTranscoder) => {
  if (message.type === 'stop') {
    killFfmpeg()
    process.exit()
  }
  before = before.then(async () => post(await answer(message)))
})
process.once('disconnect', () => {
  killFfmpeg()
  if (workFolder !== undefined) rmSync(workFolder, { recursive: true, force: true })
  process.kill(process.pid, 'SIGKILL')
})
// Ctrl-C reaches the whole process group; the job decides when this ends.
process.on('SIGINT', () => undefined)
post({ type: 'hello', pid: process.pid })
