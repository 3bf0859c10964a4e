import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Config, configSchema } from '../../config/schema.ts'
import { parseGpuFigures } from '../../models/gpu-figures.ts'
import { type GpuFindings, planEngines } from '../../src/engine-plan.ts'

const recorded = (name: string) =>
  parseGpuFigures(readFileSync(join(import.meta.dirname, '../fixtures/nvidia-smi', name), 'utf8'))
const two = recorded('two-gpus.csv')
const weak = recorded('not-available.csv')

function plan(engine: object, gpus: GpuFindings) {
  const config: Config['engine'] = configSchema.parse({ engine }).engine
  const { slots, refused } = planEngines(config, gpus)
  return { slots: slots.map(({ id, device, index, name }) => [id, device, index, name]), refused }
}

describe('planEngines', () => {
  test('without NVIDIA GPUs one engine takes what it finds', () => {
    expect(plan({}, undefined)).toEqual({ slots: [['auto', 'auto', 0, null]], refused: [] })
    expect(plan({}, [])).toEqual({ slots: [['auto', 'auto', 0, null]], refused: [] })
  })

  test('every GPU gets an engine; the first may fall back when CUDA does not run', () => {
    const names = two.map(({ name }) => name)
    expect(plan({}, two).slots).toEqual([
      ['auto', 'auto', 0, names[0]],
      ['cuda-1', 'cuda', 1, names[1]],
    ])
    expect(plan({ device: 'cuda' }, two).slots.map(([id]) => id)).toEqual(['cuda-0', 'cuda-1'])
    expect(plan({ device: 'tensorrt' }, two).slots.map(([id]) => id)).toEqual(['tensorrt-0', 'tensorrt-1'])
  })

  test('a compute capability below 6.0 is refused with its reason', () => {
    const { slots, refused } = plan({}, weak)
    expect(slots).toEqual([['auto', 'auto', 0, 'NVIDIA GeForce GT 1030']])
    expect(refused).toEqual([{ device: 'cuda-1', reason: 'its compute capability 5.0 is below 6.0' }])
    expect(plan({}, weak.slice(1))).toMatchObject({
      slots: [['cpu-0', 'cpu', 0, null]],
      refused: [{ device: 'cuda-1' }],
    })
    expect(plan({ devices: [{ device: 'cuda', index: 1 }] }, weak)).toMatchObject({ slots: [] })
    // Asked for by name, and nothing else is there: no engine, rather than the one that was refused.
    expect(plan({ device: 'cuda' }, weak.slice(1))).toMatchObject({ slots: [], refused: [{ device: 'cuda-1' }] })
  })

  test('a list is taken as it is', () => {
    const devices = [{ device: 'cpu' }, { device: 'cpu', index: 1 }, { device: 'cuda', index: 1 }]
    expect(plan({ devices }, two).slots).toEqual([
      ['cpu-0', 'cpu', 0, null],
      ['cpu-1', 'cpu', 1, null],
      ['cuda-1', 'cuda', 1, 'NVIDIA L4'],
    ])
  })

  test.for(['cpu', 'webgpu'])('%s by name is one engine, whatever GPUs there are', (device) => {
    expect(plan({ device }, two).slots).toEqual([[device, device, 0, null]])
  })

  test('nvidia-smi that fails is a reason, not the end', () => {
    expect(plan({}, 'nvidia-smi said: no driver')).toEqual({
      slots: [['auto', 'auto', 0, null]],
      refused: [{ device: 'cuda', reason: 'nvidia-smi said: no driver' }],
    })
  })

  test('a device listed twice is a mistake of the configuration', () => {
    const devices = [{ device: 'cpu' }, { device: 'cpu', index: 0 }]
    expect(() => configSchema.parse({ engine: { devices } })).toThrow(/listed twice/)
    expect(() => configSchema.parse({ engine: { devices: [] } })).toThrow()
  })
})
