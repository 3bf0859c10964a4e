/**
 * Whether the CUDA provider runs: one multiplication on the GPU. Entry file of a child of script/setup-cuda; a throw is the answer.
 */
import { env, InferenceSession, Tensor } from 'onnxruntime-node'

/** ONNX, IR 8, opset 13: `y = x · x` for `x` float32 `[2]`; 63 bytes, so that no model file is needed. */
const SQUARE = 'CAg6NQoOCgF4CgF4EgF5IgNNdWwSAWdaDwoBeBIKCggIARIECgIIAmIPCgF5EgoKCAgBEgQKAggCQgQKABAN'

env.logLevel = 'fatal'
const session = await InferenceSession.create(Buffer.from(SQUARE, 'base64'), { executionProviders: ['cuda'] })
const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(3, -2), [2]) })
if (String(y?.data) !== '9,4') throw new Error(`3² and (−2)² came out as ${y?.data}`)
