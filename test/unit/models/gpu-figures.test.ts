import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { GPU_QUERY, parseGpuFigures } from '../../../models/gpu-figures.ts'

const said = (name: string) => readFileSync(join(import.meta.dirname, '../../fixtures/nvidia-smi', name), 'utf8')
const MIB = 1024 * 1024

describe('parseGpuFigures', () => {
  test('two GPUs, in base units', () => {
    const [first, second] = parseGpuFigures(said('two-gpus.csv'))
    expect(first).toEqual({
      index: 0,
      name: 'NVIDIA GeForce RTX 4090',
      uuid: 'GPU-5e2b1c0a-7a6f-2d3e-9b4c-0f1e2d3c4b5a',
      computeCapability: 8.9,
      memoryUsedBytes: 18342 * MIB,
      memoryTotalBytes: 24564 * MIB,
      utilizationPercent: 97,
      temperatureCelsius: 71,
      powerWatts: 389.52,
      powerLimitWatts: 450,
      driver: '550.127.05',
    })
    expect(second).toMatchObject({ index: 1, name: 'NVIDIA L4', memoryUsedBytes: 812 * MIB, utilizationPercent: 4 })
  })

  test.for(['not-available.csv', 'mig.csv', 'unknown-error.csv'])('%s: what a device does not have is null', (file) => {
    for (const gpu of parseGpuFigures(said(file))) {
      const figures = [gpu.utilizationPercent, gpu.powerWatts, gpu.powerLimitWatts]
      expect(figures).toContain(null)
      expect(figures.every((value) => value === null || Number.isFinite(value))).toBe(true)
      expect(gpu.memoryTotalBytes).toBeGreaterThan(0)
      expect(gpu.computeCapability).toBeGreaterThan(0)
    }
  })

  test.for([
    ['driver-error.txt', /couldn't communicate with the NVIDIA driver/],
    ['version-mismatch.txt', /Driver\/library version mismatch/],
  ] as const)('%s is an error with the words of the tool', ([file, words]) => {
    expect(() => parseGpuFigures(said(file))).toThrow(expect.objectContaining({ code: 'ENG_PROVIDER' }))
    expect(() => parseGpuFigures(said(file))).toThrow(words)
  })

  test('no devices are no error', () => {
    expect(parseGpuFigures(said('no-devices.txt'))).toEqual([])
    expect(parseGpuFigures('')).toEqual([])
  })

  test('a name with a comma is one name, and a short line is refused', () => {
    const line = said('mig.csv').replace('A100-SXM4-40GB', 'A100, SXM4')
    expect(parseGpuFigures(line)[0]).toMatchObject({ name: 'NVIDIA A100, SXM4', temperatureCelsius: 34 })
    expect(() => parseGpuFigures('0, NVIDIA L4, GPU-1, 8.9')).toThrow(/nvidia-smi said/)
    expect(() => parseGpuFigures(said('mig.csv').replace(/^0/, 'x'))).toThrow(/nvidia-smi said/)
  })

  test('as many columns are asked for as are read', () => {
    expect(GPU_QUERY[0]?.split(',')).toHaveLength(said('two-gpus.csv').split('\n')[0]!.split(',').length)
  })
})
