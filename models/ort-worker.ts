/**
 * The inference thread: owns the ONNX Runtime sessions, and runs one batch at a time. Entry of a worker_threads Worker
 * inside an engine host, because `run()` blocks its thread. The one importer of onnxruntime-node.
 * Must never be ended by itself (`terminate()` during `run()` aborts the process): the process ends, or it does.
 */
import { parentPort } from 'node:worker_threads'
import { env, InferenceSession, Tensor } from 'onnxruntime-node'
import { GrabberError, toGrabberError } from '../core/errors.ts'
import type { DeviceKind } from '../core/wire/engine-control.ts'
import type { ModelAdapter, ModelTensor } from './adapter.ts'
import { adapterFor } from './adapters.ts'
import { type RunModel, runBatch } from './batch-run.ts'
import { chooseDevice, viewMachine } from './devices.ts'
import type { FromInference, LoadModels, RunBatch, ToInference } from './inference-wire.ts'

interface LoadedModel {
  adapter: ModelAdapter
  run: RunModel
}

/** ONNX Runtime's severity "fatal": a refused device is an answer here, not a line on stderr. */
const LOG_FATAL = 4

const port = parentPort
if (port === null) throw new Error('models/ort-worker.ts is the entry of a worker thread')
env.logLevel = 'fatal'

let models = new Map<string, LoadedModel>()

port.on('message', async (message: ToInference) => {
  const [answer, transfer] = message.type === 'load' ? [await load(message), []] : await run(message)
  port.postMessage(answer, transfer)
})

async function load(message: LoadModels): Promise<FromInference> {
  try {
    const { report, made } = await chooseDevice(message.device, viewMachine(), (device) => loadAll(message, device))
    models = made
    return { type: 'loaded', device: report }
  } catch (error) {
    return { type: 'load.failed', error: toGrabberError(error).toJSON() }
  }
}

/** TensorRT leaves what it cannot run to CUDA, CUDA to the CPU. */
function providersOf(device: DeviceKind, deviceId: number): InferenceSession.ExecutionProviderConfig[] {
  const cuda = { name: 'cuda', deviceId } as const
  if (device === 'tensorrt') return [{ name: 'tensorrt', deviceId }, cuda]
  return device === 'cuda' ? [cuda] : [device]
}

async function loadAll(
  { models, threads, index = 0 }: LoadModels,
  device: DeviceKind,
): Promise<Map<string, LoadedModel>> {
  const loaded = new Map<string, LoadedModel>()
  for (const { entry, bytes } of models) {
    const session = await InferenceSession.create(bytes, {
      executionProviders: providersOf(device, index),
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: LOG_FATAL,
    })
    const model = { adapter: adapterFor(entry), run: runner(session) }
    await warmUp(model)
    loaded.set(entry.id, model)
  }
  return loaded
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
async function warmUp({ adapter, run }: LoadedModel): Promise<void> {
  const { width, height } = adapter.warmUpSize
  const picture = { width, height, data: new Uint8Array(3 * width * height).fill(128) }
  const { data, dims } = adapter.pack([picture])
  adapter.unpack(await run(data, dims), 0, picture, {})
}

async function run({ model: id, items }: RunBatch): Promise<[FromInference, ArrayBuffer[]]> {
  const model = models.get(id)
  if (model === undefined) throw new GrabberError('MDL_MISSING', `the model ${id} is not loaded`)
  const startedMs = performance.now()
  const outcome = await runBatch(model.adapter, model.run, items)
  const runMs = performance.now() - startedMs
  const transfer = outcome.answers.flatMap((answer) => (answer.ok ? [answer.result.data.buffer as ArrayBuffer] : []))
  return [{ type: 'ran', outcome, runMs }, transfer]
}
