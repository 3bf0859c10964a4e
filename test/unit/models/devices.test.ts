import { describe, expect, test } from 'vitest'
import { GrabberError } from '../../../core/errors.ts'
import type { DeviceKind } from '../../../core/wire/engine-control.ts'
import { chooseDevice, type MachineView, unseen } from '../../../models/devices.ts'

const bare: MachineView = { platform: 'linux', deviceNodes: ['null', 'dri'], notInstalled: [] }
const intel: MachineView = { platform: 'linux', deviceNodes: ['null', 'dri', 'card0', 'renderD128'], notInstalled: [] }
const nvidia: MachineView = { platform: 'linux', deviceNodes: ['nvidia0', 'nvidiactl'], notInstalled: [] }

function trial(works: (device: DeviceKind) => boolean) {
  const tried: DeviceKind[] = []
  const make = async (device: DeviceKind) => {
    tried.push(device)
    if (!works(device)) throw new Error(`${device} says no\n  ${'x'.repeat(1000)}`)
    return `made on ${device}`
  }
  return { tried, make }
}

describe('chooseDevice', () => {
  test('a machine without a GPU takes the CPU without trying anything else, and says why', async () => {
    const { tried, make } = trial(() => true)
    const { made, report } = await chooseDevice('auto', bare, make)
    expect(made).toBe('made on cpu')
    expect(tried).toEqual(['cpu'])
    expect(report.refused.map(({ device }) => device)).toEqual(['cuda', 'webgpu'])
  })

  test('tries CUDA, WebGPU, CPU in this order and keeps bounded reasons', async () => {
    const { tried, make } = trial((device) => device === 'cpu')
    const { report } = await chooseDevice('auto', nvidia, make)
    expect(tried).toEqual(['cuda', 'webgpu', 'cpu'])
    expect(report.chosen).toBe('cpu')
    for (const { reason } of report.refused) {
      expect(reason.length).toBeLessThanOrEqual(200)
      expect(reason).toMatch(/says no/)
      expect(reason).not.toMatch(/\n/)
    }
  })

  test('a render node means WebGPU, not CUDA', async () => {
    const { tried, make } = trial(() => true)
    expect((await chooseDevice('auto', intel, make)).report.chosen).toBe('webgpu')
    expect(tried).toEqual(['webgpu'])
  })

  test.for(['cpu', 'webgpu', 'cuda'] as const)(
    '%s by name is tried alone, whatever the machine shows',
    async (device) => {
      const { tried, make } = trial(() => true)
      expect((await chooseDevice(device, bare, make)).report).toEqual({ chosen: device, refused: [] })
      expect(tried).toEqual([device])
    },
  )

  test('TensorRT falls to CUDA and no further, and is reported', async () => {
    const { tried, make } = trial((device) => device === 'cuda')
    const { report } = await chooseDevice('tensorrt', bare, make)
    expect(tried).toEqual(['tensorrt', 'cuda'])
    expect(report).toEqual({
      chosen: 'cuda',
      refused: [{ device: 'tensorrt', reason: expect.stringMatching(/says no/) }],
    })
    await expect(chooseDevice('tensorrt', bare, trial(() => false).make)).rejects.toMatchObject({ code: 'ENG_START' })
  })

  test.for(['auto', 'cuda', 'tensorrt'] as const)(
    'a provider that is not installed is refused without a try (%s)',
    async (wanted) => {
      const { tried, make } = trial((device) => device === 'cpu')
      const machine: MachineView = { ...nvidia, notInstalled: ['tensorrt', 'cuda'] }
      const outcome = await chooseDevice(wanted, machine, make).catch((error: GrabberError) => error)
      expect(tried).not.toContain('cuda')
      const reason = outcome instanceof GrabberError ? outcome.message : outcome.report.refused[0]?.reason
      expect(reason).toMatch(/not installed \(script\/setup-cuda\)/)
    },
  )

  test('a device by name that refuses is ENG_START with its reason', async () => {
    const { make } = trial(() => false)
    const attempt = chooseDevice('cuda', nvidia, make)
    await expect(attempt).rejects.toMatchObject({ code: 'ENG_START', message: expect.stringMatching(/cuda says no/) })
  })

  test('a model that is not usable is no matter of devices', async () => {
    const make = async () => {
      throw new GrabberError('MDL_INVALID', 'broken')
    }
    await expect(chooseDevice('auto', bare, make)).rejects.toMatchObject({ code: 'MDL_INVALID' })
  })
})

test('other systems are tried without a look at /dev', () => {
  expect(unseen('webgpu', { platform: 'darwin', deviceNodes: [], notInstalled: [] })).toBeUndefined()
  expect(unseen('cuda', { platform: 'darwin', deviceNodes: [], notInstalled: [] })).toMatch(/macOS/)
  expect(unseen('cuda', { platform: 'win32', deviceNodes: [], notInstalled: [] })).toBeUndefined()
})
