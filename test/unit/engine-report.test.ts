import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseGpuFigures } from '../../models/gpu-figures.ts'
import { describeDevices } from '../../src/engine-report.ts'

const gpus = parseGpuFigures(readFileSync(join(import.meta.dirname, '../fixtures/nvidia-smi/two-gpus.csv'), 'utf8'))
const refused = [
  { device: 'cuda' as const, reason: 'no NVIDIA device node' },
  { device: 'webgpu' as const, reason: 'no GPU device node' },
]

test('a machine without a GPU says what was chosen and why not the others', () => {
  const { lines, json } = describeDevices({ chosen: 'cpu', refused }, undefined)
  expect(lines).toEqual(['device   cpu', 'refused  cuda: no NVIDIA device node', 'refused  webgpu: no GPU device node'])
  expect(json).toEqual({ chosen: ['cpu'], refused, gpus: [] })
})

test('several engines give each reason once, and every GPU a row', () => {
  const cuda = { chosen: 'cuda' as const, refused: [] }
  const { lines, json } = describeDevices([cuda, cuda, { chosen: 'cpu', refused }, { chosen: 'cpu', refused }], gpus)
  expect(lines[0]).toBe('device   cuda × 2, cpu × 2')
  expect(json.refused).toEqual(refused)
  expect(lines.slice(3)).toEqual([
    expect.stringMatching(/^GPU +NAME +MEMORY +BUSY/),
    expect.stringMatching(
      /^0 +NVIDIA GeForce RTX 4090 +18342 of 24564 MiB +97 % +71 °C +389.52 of 450 W +8.9 +550.127.05$/,
    ),
    expect.stringMatching(/^1 +NVIDIA L4 +812 of 23034 MiB +4 %/),
  ])
})

test('figures that a GPU does not have are dashes, and words of nvidia-smi are a refusal', () => {
  const { lines } = describeDevices([], [{ ...gpus[0]!, utilizationPercent: null, powerWatts: null, driver: null }])
  expect(lines[0]).toBe('device   none')
  expect(lines.at(-1)).toMatch(/24564 MiB +– +71 °C +– +8.9 +–$/)
  expect(describeDevices([], 'no driver').lines[1]).toBe('refused  nvidia-smi: no driver')
})
