/**
 * What runs inference here, for a person and for a program: what was chosen, what was refused and why, each GPU's figures.
 * Pure. Used by commands (`models bench`) and fit for any report of the machine.
 */
import type { DeviceKind, DeviceReport } from '../core/wire/engine-control.ts'
import type { GpuFigures } from '../models/gpu-figures.ts'
import { table } from './cli/table.ts'

export interface DeviceDescription {
  /** For people, without line ends. */
  lines: string[]
  json: {
    chosen: DeviceKind[]
    /** Each reason once, however many engines gave it. */
    refused: { device: string; reason: string }[]
    gpus: GpuFigures[]
  }
}

/** `reports`: one for each engine that ran. `gpus`: `undefined` without nvidia-smi, its words when it failed. */
export function describeDevices(
  reports: DeviceReport | readonly DeviceReport[],
  gpus: readonly GpuFigures[] | string | undefined,
): DeviceDescription {
  const all = 'chosen' in reports ? [reports] : reports
  const chosen = all.map((report) => report.chosen)
  const reasons = all.flatMap((report) => report.refused)
  const refused: DeviceDescription['json']['refused'] = [
    ...new Map(reasons.map((each) => [`${each.device} ${each.reason}`, each])).values(),
  ]
  if (typeof gpus === 'string') refused.push({ device: 'nvidia-smi', reason: gpus })
  const found = typeof gpus === 'object' ? [...gpus] : []
  const lines = [
    `device   ${chosen.length === 0 ? 'none' : counted(chosen)}`,
    ...refused.map(({ device, reason }) => `refused  ${device}: ${reason}`),
    ...(found.length > 0
      ? table([HEAD, ...found.map(row)])
          .trimEnd()
          .split('\n')
      : []),
  ]
  return { lines, json: { chosen, refused, gpus: found } }
}

const HEAD = ['GPU', 'NAME', 'MEMORY', 'BUSY', 'TEMPERATURE', 'POWER', 'CAPABILITY', 'DRIVER']
const MIB = 1024 * 1024

function row(gpu: GpuFigures): string[] {
  const { memoryUsedBytes: used, memoryTotalBytes: total } = gpu
  return [
    String(gpu.index),
    gpu.name,
    used === null || total === null ? '–' : `${Math.round(used / MIB)} of ${Math.round(total / MIB)} MiB`,
    withUnit(gpu.utilizationPercent, ' %'),
    withUnit(gpu.temperatureCelsius, ' °C'),
    gpu.powerWatts === null ? '–' : `${gpu.powerWatts}${withUnit(gpu.powerLimitWatts, '', ' of ')} W`,
    gpu.computeCapability === null ? '–' : gpu.computeCapability.toFixed(1),
    gpu.driver ?? '–',
  ]
}

function withUnit(value: number | null, unit: string, before = ''): string {
  if (value === null) return before === '' ? '–' : ''
  return `${before}${value}${unit}`
}

/** `cpu`, or `cuda × 2, cpu`. */
function counted(chosen: readonly DeviceKind[]): string {
  const kinds = [...new Set(chosen)]
  const count = (kind: DeviceKind) => chosen.filter((each) => each === kind).length
  return kinds.map((kind) => (count(kind) === 1 ? kind : `${kind} × ${count(kind)}`)).join(', ')
}
