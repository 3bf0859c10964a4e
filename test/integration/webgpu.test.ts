/**
 * The WebGPU provider on a software Vulkan driver: the numbers of a GPU path without a GPU. Right for correctness only: a run
 * takes seconds. The driver is SwiftShader, from Debian's package chromium-common (script/setup --test).
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RgbPicture } from '../../core/frame.ts'
import { chooseDevice } from '../../models/devices.ts'
import { EngineClient } from '../../models/engine-client.ts'
import { assets, cut, decodePicture, type EngineProcess, forkEngine, modelPath, startEngine } from './support/engine.ts'

const SWIFTSHADER = process.env.GRABBER_TEST_VULKAN ?? '/usr/lib/chromium/vk_swiftshader_icd.json'
const LAVAPIPE = '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json'
const why = existsSync(SWIFTSHADER) ? '' : ` (skipped: no ${SWIFTSHADER}, see script/setup --test)`
/** 1e-4 of a value, or absolute where values are small. */
const TOLERANCE = 1e-4
const LIMIT_MS = 300_000

const folder = mkdtempSync(join(tmpdir(), 'webgpu-'))
const before = { ...process.env }
const engines: EngineProcess[] = []

beforeAll(() => {
  // The Vulkan loader and dawn read these in the child processes, which inherit them.
  process.env.XDG_RUNTIME_DIR = folder
  process.env.VK_DRIVER_FILES = SWIFTSHADER
})
afterAll(async () => {
  for (const engine of engines) await engine.kill()
  process.env.VK_DRIVER_FILES = before.VK_DRIVER_FILES
  process.env.XDG_RUNTIME_DIR = before.XDG_RUNTIME_DIR
  rmSync(folder, { recursive: true, force: true })
})

/** `[2, 3, side, side]` BGR 0–255 of two pictures, as a file. */
function input(name: string, pictures: readonly RgbPicture[]): string {
  const planes = pictures.flatMap(({ width, height, data }) =>
    [2, 1, 0].map((channel) =>
      Float32Array.from(data.subarray(channel * width * height, (channel + 1) * width * height)),
    ),
  )
  const path = join(folder, name)
  writeFileSync(path, Buffer.concat(planes.map((plane) => Buffer.from(plane.buffer))))
  return path
}

interface Answer {
  outputs: Record<string, string>
}

async function runOn(provider: string, jobs: object[]): Promise<Record<string, Float32Array>[]> {
  const child = join(import.meta.dirname, '../fixtures/hosts/onnx-child.ts')
  const options = { maxBuffer: 1 << 28, timeout: LIMIT_MS }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [child, provider, JSON.stringify(jobs)],
    options,
  ).catch((error: { stderr: string }) => {
    throw new Error(/^\w*Error: (.*)$/m.exec(error.stderr)?.[1] ?? error.stderr)
  })
  return (JSON.parse(stdout) as Answer[]).map(({ outputs }) =>
    Object.fromEntries(
      Object.entries(outputs).map(([name, text]) => {
        const bytes = new Uint8Array(Buffer.from(text, 'base64'))
        return [name, new Float32Array(bytes.buffer)]
      }),
    ),
  )
}

/** The largest difference, as a share of the value where that is above 1. */
function difference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length)
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!) / Math.max(1, Math.abs(value))), 0)
}

describe.skipIf(why !== '')(`WebGPU on a software driver${why}`, () => {
  const photograph = decodePicture('faces/face_recognition/knn_examples/train/obama/obama.jpg', 256)
  const square = (side: number, x: number) => cut(photograph, x, 40, side, side)

  const models = [
    { file: 'yunet_s_dynamic.onnx', side: 128 },
    { file: 'face-reidentification-retail-0095_dynbatch.onnx', side: 128 },
    { file: '2.7_80x80_MiniFASNetV2_dynbatch.onnx', side: 80 },
    { file: '4_0_0_80x80_MiniFASNetV1SE_dynbatch.onnx', side: 80 },
  ]

  test(
    'gives the CPU’s numbers to 1e-4: detector, embedder, both liveness models, a batch of two',
    async () => {
      const jobs = models.map(({ file, side }) => ({
        model: join(assets, 'models', file),
        input: input(`${side}.f32`, [square(side, 20), square(side, 60)]),
        dims: [2, 3, side, side],
      }))
      const [cpu, webgpu] = [await runOn('cpu', jobs), await runOn('webgpu', jobs)]
      for (const [n, { file }] of models.entries()) {
        const names = Object.keys(cpu[n]!)
        expect(Object.keys(webgpu[n]!)).toEqual(names)
        for (const name of names) {
          const [expected, actual] = [cpu[n]![name]!, webgpu[n]![name]!]
          expect(Math.max(...expected), `${file} ${name} says something`).not.toBe(Math.min(...expected))
          expect(difference(expected, actual), `${file} ${name}`).toBeLessThan(TOLERANCE)
        }
      }
    },
    LIMIT_MS,
  )

  test(
    'an engine host runs on it when it is asked for by name, and answers what the CPU does',
    async () => {
      const models = ['yunet', 'face-reid-0095'].map((id) => ({ id, path: modelPath(id) }))
      const slow = forkEngine()
      engines.push(slow)
      slow.start({ device: 'webgpu', models })
      const fast = await startEngine({ device: 'cpu', models })
      engines.push(fast)
      // Longer than `message` waits: the driver compiles each shader on the CPU.
      const over = () => slow.messages.find(({ type }) => type === 'ready' || type === 'failed')
      await expect.poll(() => over()?.type, { timeout: LIMIT_MS / 2, interval: 50 }).toBeDefined()
      expect(over()).toMatchObject({ type: 'ready', device: { chosen: 'webgpu', refused: [] } })
      const answers = []
      for (const engine of [fast, slow]) {
        const client = new EngineClient({ session: 'test', priority: 0, askDeadlineMs: LIMIT_MS })
        client.setEndpoint(engine.endpoint)
        answers.push(
          await client.infer('yunet', photograph, { scoreThreshold: 0.7 }),
          await client.infer('face-reid-0095', square(128, 40), {}),
        )
        client.close()
      }
      const [faces, embedding, slowFaces, slowEmbedding] = answers
      expect(faces?.rows).toBeGreaterThan(0)
      expect(slowFaces?.rows).toBe(faces?.rows)
      expect(difference(faces!.data, slowFaces!.data)).toBeLessThan(TOLERANCE)
      expect(difference(embedding!.data, slowEmbedding!.data)).toBeLessThan(TOLERANCE)
    },
    LIMIT_MS,
  )
})

describe('a Vulkan that is not usable', () => {
  const drivers = [
    { what: 'no driver', file: '/nonexistent/icd.json', there: true },
    { what: 'lavapipe of Debian 12', file: LAVAPIPE, there: existsSync(LAVAPIPE) },
  ]
  test('under auto the engine falls to the CPU, and says why', async () => {
    process.env.VK_DRIVER_FILES = '/nonexistent/icd.json'
    const machine = { platform: 'linux', deviceNodes: ['renderD128'], notInstalled: ['cuda'] } as const
    const picture = { width: 64, height: 64, data: new Uint8Array(3 * 64 * 64).fill(99) }
    const job = { model: modelPath('yunet'), input: input('auto.f32', [picture]), dims: [1, 3, 64, 64] }
    const { made, report } = await chooseDevice('auto', machine, (device) => runOn(device, [job]))
    process.env.VK_DRIVER_FILES = SWIFTSHADER
    expect(made).toHaveLength(1)
    expect(report.chosen).toBe('cpu')
    expect(report.refused).toEqual([
      { device: 'cuda', reason: expect.stringMatching(/no NVIDIA device node/) },
      { device: 'webgpu', reason: expect.stringMatching(/adapter/i) },
    ])
  })

  for (const { what, file, there } of drivers) {
    test.skipIf(!there)(
      `${what}: WebGPU is refused with its reason${there ? '' : ' (skipped: not installed)'}`,
      async () => {
        process.env.VK_DRIVER_FILES = file
        const engine = forkEngine()
        engines.push(engine)
        engine.start({ device: 'webgpu' })
        const { error } = await engine.message('failed')
        process.env.VK_DRIVER_FILES = SWIFTSHADER
        expect(error.code).toBe('ENG_START')
        expect(error.message).toMatch(/^no device could run the models: webgpu \(.*adapter.*\)$/i)
        expect(error.message).not.toMatch(/onnxruntime_src/)
        expect((await engine.exited).code).toBe(1)
      },
    )
  }
})
