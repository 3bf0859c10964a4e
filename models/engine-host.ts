/**
 * The engine host: the process that owns one inference device. Entry file, forked by the daemon with an IPC channel.
 * Owns the tensor socket, the batcher and the heartbeat on this thread, and the inference thread beside it.
 * Must never block this thread, nor end the inference thread or the process while a batch runs: both abort the process
 * (docs/decisions.md). It outlives Ctrl-C, which a terminal sends to the whole process group: the daemon ends it.
 */
import { systemClock, within } from '../core/clock.ts'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import type { EngineFigures, EngineStart, FromEngine, ToEngine } from '../core/wire/engine-control.ts'
import { adapterFor } from './adapters.ts'
import { Dispatcher, type ServedModel } from './dispatcher.ts'
import { InferenceThread } from './inference-thread.ts'
import { findModel, readVerified } from './manifest.ts'
import { listenTensors, type TensorServer } from './tensor-server.ts'

const HEARTBEAT_MS = 500
/** How long a running batch may take to end before the process kills itself. The daemon's own limit is 5 s. */
const DRAIN_MS = 2000

let incarnation = 0
let server: TensorServer | undefined
let dispatcher: Dispatcher | undefined
let thread: InferenceThread | undefined
let ending = false

process.on('message', (message: ToEngine) => {
  if (message.type === 'start' && incarnation === 0) {
    incarnation = message.incarnation
    beat()
    start(message.start).catch(fail)
  } else if (message.type === 'stop' && message.incarnation === incarnation) {
    void end(0)
  }
})
process.on('disconnect', () => void end(0))
process.on('SIGTERM', () => void end(0))
process.on('SIGINT', () => {
  // See above: the daemon decides.
})
send({ type: 'hello', incarnation: 0, pid: process.pid })

async function start({ device, index = 0, socketPath, models, batch, credits, threads }: EngineStart): Promise<void> {
  // CUDA counts by speed unless it is told to count as nvidia-smi does.
  process.env.CUDA_DEVICE_ORDER = 'PCI_BUS_ID'
  const served = new Map<string, ServedModel>()
  const files = []
  for (const { id, path } of models) {
    const entry = findModel(id)
    served.set(id, { entry, adapter: adapterFor(entry) })
    files.push({ entry, bytes: await readVerified(path, entry) })
  }
  thread = new InferenceThread()
  const report = await thread.load({ device, index, threads, models: files })
  if (ending) return
  const dispatch = new Dispatcher({ clock: systemClock, batch, models: served, thread, onBroken: fail })
  dispatcher = dispatch
  const ids = [...served.keys()]
  server = await listenTensors(socketPath, {
    welcome: { type: 'welcome', incarnation, credits, models: ids },
    onRequest: (session, request) => dispatch.submit(session, request),
    onClosed: (session) => dispatch.leave(session),
  })
  send({ type: 'ready', incarnation, device: report, models: ids })
}

/** Also while the models load: a slow driver is not a dead process. */
function beat(): void {
  if (ending) return
  send({ type: 'heartbeat', incarnation, figures: dispatcher?.figures() ?? idleFigures() })
  systemClock.after(HEARTBEAT_MS, beat)
}

function idleFigures(): EngineFigures {
  const rssBytes = process.memoryUsage.rss()
  return { queueDepth: 0, runningForMs: null, completed: 0, failed: 0, expired: 0, samples: {}, rssBytes }
}

function fail(error: unknown): void {
  const coded = error instanceof GrabberError ? error : toGrabberError(error)
  send({ type: 'failed', incarnation, error: coded.toJSON() }, () => void end(1))
}

/** Exits once no batch is running. `process.exit()` during a run aborts (8 of 8 trials), so a run that stays is killed. */
async function end(status: number): Promise<void> {
  if (ending) return
  ending = true
  // The sessions leave with it, so that nothing is queued behind the batch that runs.
  server?.close()
  const quiet = thread === undefined || (await within(systemClock, DRAIN_MS, thread.quiet())) !== undefined
  if (quiet) process.exit(status)
  process.kill(process.pid, 'SIGKILL')
}

function send(message: FromEngine, sent: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, undefined, sent)
  else sent()
}
