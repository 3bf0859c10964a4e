/**
 * The inference thread: owns the ONNX Runtime sessions, and runs one batch at a time. Entry of a worker_threads Worker
 * inside an engine host, because `run()` blocks its thread. The one importer of onnxruntime-node.
 * Must never be ended by itself (`terminate()` during `run()` aborts the process): the process ends, or it does.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { env, InferenceSession, Tensor } from 'onnxruntime-node'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import type { DeviceKind } from '../core/wire/engine-control.ts'
import type { ModelAdapter, ModelTensor } from './adapter.ts'
import { adapterFor } from './adapters.ts'
import { checkOutputs, isOutOfMemory, type RunModel, runBatch } from './batch-run.ts'
import { chooseDevice, viewMachine } from './devices.ts'
import { InferenceLoop } from './inference-loop.ts'
import type { FromInference, LoadModels, ModelFile, RunBatch, ToInference } from './inference-wire.ts'
import { checkAnswer, checkSignature, loadFault } from './model-fitness.ts'

interface LoadedModel {
  adapter: ModelAdapter
  run: RunModel
  release(): Promise<void>
}

/** `index` counts the machine's GPUs. */
interface Device {
  kind: DeviceKind
  index: number
}

/** ONNX Runtime's severity "fatal": a refused device is an answer here, not a line on stderr. */
const LOG_FATAL = 4

const port = parentPort
if (port === null) throw new Error('models/ort-worker.ts is the entry of a worker thread')
env.logLevel = 'fatal'

/** By key (models/inference-wire). */
let models = new Map<string, LoadedModel>()
/** How to load one more on the device that was chosen. */
let loadOne: (file: ModelFile) => Promise<LoadedModel> = () => Promise.reject(new Error('no device was chosen'))

new InferenceLoop({ port, standing: workerData as Int32Array, run, other })

async function other(message: Exclude<ToInference, RunBatch>): Promise<FromInference | undefined> {
  if (message.type === 'load') return load(message)
  if (message.type === 'add') return add(message.model)
  for (const key of message.keys) {
    const model = models.get(key)
    models.delete(key)
    // What cannot be released is gone with the process; nobody asks for it any more.
    await model?.release().catch(() => undefined)
  }
  return undefined
}

async function load(message: LoadModels): Promise<FromInference> {
  const { index = 0 } = message
  try {
    const { report, made } = await chooseDevice(message.device, viewMachine(), (kind) =>
      loadAll(message, { kind, index }),
    )
    models = made
    loadOne = (file) => loadModel(file, message.threads, { kind: report.chosen, index })
    return { type: 'loaded', device: report }
  } catch (error) {
    return { type: 'load.failed', error: toGrabberError(error).toJSON() }
  }
}

async function add(file: ModelFile): Promise<FromInference> {
  try {
    if (!models.has(file.key)) models.set(file.key, await loadOne(file))
    return { type: 'added' }
  } catch (error) {
    const coded = error instanceof GrabberError ? error : unusable(file, error)
    return { type: 'load.failed', error: coded.toJSON() }
  }
}

/** TensorRT leaves what it cannot run to CUDA, CUDA to the CPU. */
function providersOf({ kind, index }: Device): InferenceSession.ExecutionProviderConfig[] {
  const cuda = { name: 'cuda', deviceId: index } as const
  if (kind === 'tensorrt') return [{ name: 'tensorrt', deviceId: index }, cuda]
  return kind === 'cuda' ? [cuda] : [kind]
}

async function loadAll({ models, threads }: LoadModels, device: Device): Promise<Map<string, LoadedModel>> {
  const loaded = new Map<string, LoadedModel>()
  for (const file of models) loaded.set(file.key, await loadModel(file, threads, device))
  return loaded
}

async function loadModel(file: ModelFile, threads: number, device: Device): Promise<LoadedModel> {
  let session: InferenceSession | undefined
  try {
    session = await InferenceSession.create(file.bytes, {
      executionProviders: providersOf(device),
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: LOG_FATAL,
    }).catch((error: unknown) => {
      throw loadFault(file.entry, error)
    })
    checkSignature(file.entry, session.inputMetadata, session.outputMetadata)
    const { release } = session
    const model = { adapter: adapterFor(file.entry), run: runner(session), release: release.bind(session) }
    await warmUp(model, (outputs) => checkAnswer(file.entry, device.kind, outputs))
    return model
  } catch (error) {
    await session?.release()
    if (error instanceof GrabberError) throw error
    // On the CPU it is the model's fault; another device may be wrong about a model that is good.
    throw device.kind === 'cpu' && !isOutOfMemory(error) ? unusable(file, error) : error
  }
}

function unusable({ entry }: ModelFile, error: unknown): GrabberError {
  const what = (error instanceof Error ? error.message : String(error)).slice(0, 200)
  return new GrabberError('MDL_INVALID', `${entry.id} does not run as its manifest entry says: ${what}`, {
    cause: error,
  })
}

function runner(session: InferenceSession): RunModel {
  const input = session.inputNames[0]
  if (input === undefined) throw new Error('the model has no input')
  return async (data, dims) => {
    const tensors = await session.run({ [input]: new Tensor('float32', data, dims) })
    const outputs: Record<string, ModelTensor> = {}
    for (const [name, tensor] of Object.entries(tensors)) {
      if (!(tensor.data instanceof Float32Array)) throw new Error(`the output ${name} is not float32`)
      outputs[name] = { data: tensor.data, dims: tensor.dims }
    }
    return outputs
  }
}

/** A grey picture through the whole path: a driver that cannot run the model, or another network, shows here. */
async function warmUp(
  { adapter, run }: Omit<LoadedModel, 'release'>,
  check: (outputs: Record<string, ModelTensor>) => void,
): Promise<void> {
  const { width, height } = adapter.warmUpSize
  const picture = { width, height, data: new Uint8Array(3 * width * height).fill(128) }
  const { data, dims } = adapter.pack([picture])
  const outputs = await run(data, dims)
  check(outputs)
  checkOutputs(outputs, 1)
  adapter.unpack(outputs, 0, picture, {})
}

async function run({ seq, model: key, items }: RunBatch) {
  const model = models.get(key)
  if (model === undefined) throw new Error(`a batch of ${key}, which is not loaded`)
  const startedMs = performance.now()
  const outcome = await runBatch(model.adapter, model.run, items)
  const runMs = performance.now() - startedMs
  const transfer = outcome.answers.flatMap((answer) => (answer.ok ? [answer.result.data.buffer as ArrayBuffer] : []))
  return { answer: { type: 'ran' as const, seq, outcome, runMs }, transfer }
}
