/**
 * The engine host: the process that owns one inference device. Entry file, forked by the daemon with an IPC channel.
 * Owns the tensor socket, the batcher and the heartbeat on this thread, and the inference thread beside it.
 * Must never block this thread, nor end the inference thread or the process while a batch runs: both abort the process
 * (docs/decisions.md). It outlives Ctrl-C, which a terminal sends to the whole process group: the daemon ends it.
 */
import { systemClock, within } from '../core/clock.ts'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import type { EngineFigures, EngineStart, FromEngine, ToEngine } from '../core/wire/engine-control.ts'
import { Dispatcher } from './dispatcher.ts'
import { InferenceThread } from './inference-thread.ts'
import { ModelSet, readModel, type WantedModel, wantedModels } from './model-set.ts'
import { PicturePool } from './picture-pool.ts'
import { listenTensors, type TensorServer } from './tensor-server.ts'

const HEARTBEAT_MS = 500
/** How long a running batch may take to end before the process kills itself. The daemon's own limit is 5 s. */
const DRAIN_MS = 2000

let incarnation = 0
let server: TensorServer | undefined
let dispatcher: Dispatcher | undefined
let thread: InferenceThread | undefined
let loadingSinceMs: number | null = null
let ending = false
/** One loading after the other; never rejects. */
let loading = Promise.resolve()

const models = new ModelSet((model) => {
  thread?.drop([model.key])
  dispatcher?.forget(model)
})

process.on('message', (message: ToEngine) => {
  if (message.type === 'start' && incarnation === 0) {
    incarnation = message.incarnation
    beat()
    loading = start(message.start).catch(fail)
    return
  }
  if (message.incarnation !== incarnation) return
  if (message.type === 'stop') void end(0)
  else if (message.type === 'models') loading = loading.then(() => swap(message))
})
process.on('disconnect', () => void end(0))
process.on('SIGTERM', () => void end(0))
process.on('SIGINT', () => {
  // See above: the daemon decides.
})
send({ type: 'hello', incarnation: 0, pid: process.pid })

async function start(spec: EngineStart): Promise<void> {
  const { device, index = 0, socketPath, models: specs, batch, credits, threads } = spec
  // CUDA counts by speed unless it is told to count as nvidia-smi does.
  process.env.CUDA_DEVICE_ORDER = 'PCI_BUS_ID'
  loadingSinceMs = systemClock.monotonicMs()
  const wanted = wantedModels(specs)
  const files = await Promise.all(wanted.map(readModel))
  thread = new InferenceThread(fail)
  const report = await thread.load({ device, index, threads, models: files })
  loadingSinceMs = null
  if (ending) return
  models.replace(wanted)
  const pool = new PicturePool()
  const dispatch = new Dispatcher({ clock: systemClock, batch, models, device: thread, pool })
  dispatcher = dispatch
  server = await listenTensors(socketPath, {
    welcome: { type: 'welcome', incarnation, credits },
    allocate: (bytes) => pool.take(bytes),
    onRequest: (session, request) => dispatch.submit(session, request),
    onClosed: (session) => dispatch.leave(session),
  })
  send({ type: 'ready', incarnation, device: report, models: models.ids })
}

/**
 * Another set of models. New ones are read, checked, loaded and run once beside the old, one by one between batches; then all
 * change at once. When one of them is not usable, those loaded before it go again, and nothing has changed.
 */
async function swap({ requestId, models: specs }: Extract<ToEngine, { type: 'models' }>): Promise<void> {
  if (ending || thread === undefined || dispatcher === undefined) return
  let wanted: WantedModel[] = []
  try {
    wanted = wantedModels(specs)
    // Held, so that none of them goes before it is served, and all go that will not be.
    for (const model of wanted) models.opened(model)
    for (const file of await Promise.all(models.missing(wanted).map(readModel))) {
      loadingSinceMs = systemClock.monotonicMs()
      await thread.add(file)
    }
    models.replace(wanted)
    send({ type: 'models.ready', incarnation, requestId, models: models.ids })
  } catch (error) {
    send({ type: 'models.failed', incarnation, requestId, error: toGrabberError(error).toJSON() })
  } finally {
    loadingSinceMs = null
    for (const model of wanted) models.settled(model)
  }
}

/** Also while the models load: a slow driver is not a dead process. */
function beat(): void {
  if (ending) return
  send({ type: 'heartbeat', incarnation, figures: figures() })
  systemClock.after(HEARTBEAT_MS, beat)
}

function figures(): EngineFigures {
  const idle = { queueDepth: 0, runningForMs: null, completed: 0, failed: 0, expired: 0, refused: 0 }
  return {
    ...(dispatcher?.figures() ?? { ...idle, models: {}, samples: {} }),
    loadingForMs: loadingSinceMs === null ? null : systemClock.monotonicMs() - loadingSinceMs,
    rssBytes: process.memoryUsage.rss(),
  }
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
