/**
 * Which device runs the models: CUDA, then WebGPU, then the CPU. Runs in the engine's inference thread.
 * Under 'auto' a GPU is only tried where the machine shows one (a device node on Linux): a box without a GPU starts
 * without loading a driver, without its warnings on stderr, and never on a software Vulkan driver, which takes seconds a
 * run. A device that is asked for by name is tried alone, whatever the machine shows; TensorRT may fall to CUDA, whose
 * libraries and GPU it needs in any case. Nothing is tried whose provider is not installed.
 */
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { GrabberError } from '../core/errors.ts'
import type { DeviceKind, DeviceReport, EngineStart } from '../core/wire/engine-control.ts'

const ORDERS: Record<EngineStart['device'], readonly DeviceKind[]> = {
  auto: ['cuda', 'webgpu', 'cpu'],
  tensorrt: ['tensorrt', 'cuda'],
  cuda: ['cuda'],
  webgpu: ['webgpu'],
  cpu: ['cpu'],
}
const MAX_REASON_CHARACTERS = 200

/** What can be seen of the machine without touching a driver. */
export interface MachineView {
  platform: NodeJS.Platform
  /** Names in /dev and /dev/dri. */
  deviceNodes: readonly string[]
  /** Providers of which onnxruntime-node's folder lacks the library (Linux; other systems bring theirs along or have none). */
  notInstalled: readonly DeviceKind[]
}

export function viewMachine(): MachineView {
  const nodes = ['/dev', '/dev/dri'].flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
  const separate = process.platform === 'linux' ? (['tensorrt', 'cuda'] as const) : []
  const folder = providerFolder()
  const notInstalled = separate.filter((kind) => !existsSync(join(folder, `libonnxruntime_providers_${kind}.so`)))
  return { platform: process.platform, deviceNodes: nodes, notInstalled }
}

/** Where onnxruntime-node keeps its libraries for this machine; script/setup-cuda adds to it. */
export function providerFolder(): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node/package.json')
  return join(dirname(entry), 'bin/napi-v6', process.platform, process.arch)
}

/** Why `device` need not be tried on this machine; `undefined` when it should be. */
export function unseen(device: DeviceKind, machine: MachineView): string | undefined {
  if (device === 'cpu' || machine.platform === 'win32') return undefined
  if (machine.platform === 'darwin') return device === 'cuda' ? 'no CUDA on macOS' : undefined
  // /dev/nvidia0 by the driver, /dev/dxg under WSL, /dev/nvhost-gpu and /dev/nvgpu on Jetson boards.
  const nvidia = machine.deviceNodes.some((name) => /^(nvidia\d+|dxg|nvhost-gpu|nvgpu)$/.test(name))
  const render = machine.deviceNodes.some((name) => /^renderD\d+$/.test(name))
  if (nvidia || (device === 'webgpu' && render)) return undefined
  return device === 'cuda' ? 'no NVIDIA device node' : 'no GPU device node'
}

/**
 * The first device on which `make` succeeds; `make` has to load and to run each model once, because some drivers only
 * fail then. Rejects with ENG_START that names each refusal, or with a GrabberError of `make` as it is: that is about a
 * model, not about a device.
 */
export async function chooseDevice<T>(
  wanted: EngineStart['device'],
  machine: MachineView,
  make: (device: DeviceKind) => Promise<T>,
): Promise<{ report: DeviceReport; made: T }> {
  const refused: DeviceReport['refused'] = []
  for (const device of ORDERS[wanted]) {
    const absent = (wanted === 'auto' ? unseen(device, machine) : undefined) ?? uninstalled(device, machine)
    if (absent !== undefined) {
      refused.push({ device, reason: absent })
      continue
    }
    try {
      return { made: await make(device), report: { chosen: device, refused } }
    } catch (error) {
      if (error instanceof GrabberError) throw error
      refused.push({ device, reason: bounded(error) })
    }
  }
  const all = refused.map(({ device, reason }) => `${device} (${reason})`).join(', ')
  throw new GrabberError('ENG_START', `no device could run the models: ${all}`, { context: { refused } })
}

function uninstalled(device: DeviceKind, { notInstalled }: MachineView): string | undefined {
  return notInstalled.includes(device) ? 'its provider is not installed (script/setup-cuda)' : undefined
}

/** First line that says something, without the addresses of somebody's build machine, at most 200 characters. */
function bounded(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const plain = text
    .replaceAll(/\/onnxruntime_src\/\S+/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return plain.length > MAX_REASON_CHARACTERS ? `${plain.slice(0, MAX_REASON_CHARACTERS - 1)}…` : plain
}
