/**
 * What nvidia-smi says of the NVIDIA GPUs, parsed. Pure; used in the daemon and in commands. Who calls it: src/ops/gpu-watch.
 * A figure that a device does not have (`[N/A]`, MIG's `[Not Supported]`) is `null`, never 0.
 */
import { GrabberError } from '../core/errors.ts'

export interface GpuFigures {
  /** As nvidia-smi counts: by PCI bus. */
  index: number
  name: string
  uuid: string
  /** Such as 8.9. */
  computeCapability: number | null
  memoryUsedBytes: number | null
  memoryTotalBytes: number | null
  /** Share of time with a kernel running, 0–100. */
  utilizationPercent: number | null
  temperatureCelsius: number | null
  powerWatts: number | null
  powerLimitWatts: number | null
  driver: string | null
}

/** In the order of the columns; the name is where a comma could be. */
const QUERY = [
  'index',
  'name',
  'uuid',
  'compute_cap',
  'memory.used',
  'memory.total',
  'utilization.gpu',
  'temperature.gpu',
  'power.draw',
  'power.limit',
  'driver_version',
] as const

/** Arguments for nvidia-smi. */
export const GPU_QUERY = [`--query-gpu=${QUERY.join(',')}`, '--format=csv,noheader,nounits']

const MIB = 1024 * 1024

/** One GPU a line. Throws ENG_PROVIDER with the tool's own words when it is not the table that was asked for. */
export function parseGpuFigures(text: string): GpuFigures[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 1 && /^No devices were found/i.test(lines[0]!)) return []
  return lines.map(parseLine)
}

function parseLine(line: string): GpuFigures {
  const cells = line.split(',').map((cell) => cell.trim())
  const index = Number(cells[0])
  const tail = cells.slice(-(QUERY.length - 2))
  if (cells.length < QUERY.length || cells[0] === '' || !Number.isInteger(index) || index < 0) throw unreadable(line)
  const [uuid, capability, used, total, utilization, temperature, power, powerLimit, driver] = tail
  const mib = (cell: string | undefined) => {
    const value = figure(cell)
    return value === null ? null : value * MIB
  }
  return {
    index,
    name: cells.slice(1, -tail.length).join(', '),
    uuid: uuid ?? '',
    computeCapability: figure(capability),
    memoryUsedBytes: mib(used),
    memoryTotalBytes: mib(total),
    utilizationPercent: figure(utilization),
    temperatureCelsius: figure(temperature),
    powerWatts: figure(power),
    powerLimitWatts: figure(powerLimit),
    driver: driver === undefined || driver.startsWith('[') ? null : driver,
  }
}

function figure(cell: string | undefined): number | null {
  const value = Number(cell)
  return cell === undefined || cell === '' || !Number.isFinite(value) ? null : value
}

function unreadable(line: string): GrabberError {
  return new GrabberError('ENG_PROVIDER', `nvidia-smi said: ${line.trim().slice(0, 200)}`)
}
