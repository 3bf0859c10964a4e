/**
 * What `grabber cameras` prints for people. Pure text.
 */
import { writeYaml } from '../../config/yaml-file.ts'
import type { DiscoveredDevice } from '../../streams/sources/onvif/probe-match.ts'
import type { CameraDetails, CameraView } from '../commands/camera-view.ts'
import { table } from './table.ts'

export function camerasTable(cameras: readonly CameraView[]): string {
  if (cameras.length === 0) return 'there are no cameras; see `grabber cameras add --help`\n'
  return table([
    ['CAMERA', 'STATE', 'REASON', 'FRAME', 'WRITTEN', 'SOURCE'],
    ...cameras.map(({ id, state, reason, lastFrameAgeMs, writtenBy, source }) => [
      id,
      state,
      reason,
      state === 'stopped' || lastFrameAgeMs === null ? '' : `${(lastFrameAgeMs / 1000).toFixed(1)} s ago`,
      writtenBy === 'file' ? 'in the file' : 'by command',
      source,
    ]),
  ])
}

/** All that is known of one, as YAML; `camera` is as in the configuration file. */
export function cameraText(camera: CameraDetails): string {
  return writeYaml(camera)
}

export function devicesTable(devices: readonly DiscoveredDevice[]): string {
  if (devices.length === 0) return 'no ONVIF camera has answered\n'
  return table([
    ['ADDRESS', 'NAME', 'HARDWARE', 'SOURCE'],
    ...devices.map(({ address, name, hardware, source }) => [address, name ?? '', hardware ?? '', source]),
  ])
}
