/**
 * A camera as commands and the API show it: what it does, and where and how it is written. Runs in the daemon. Addresses are
 * shown as they are written, with references in the place of passwords.
 */
import type { CameraReport } from '../../actors/camera-report.ts'
import { redact, redactWritten } from '../../config/redact.ts'
import type { LiveConfig } from '../live-config.ts'

export interface CameraView extends CameraReport {
  /** `file`: the configuration file, which commands do not change. `command`: added by one. */
  writtenBy: 'file' | 'command'
  source: string
  /** Whether it runs when the daemon starts. */
  enabled: boolean
  /** Stopped by command, until it is started by one. */
  heldStopped: boolean
}

/** The same, and all that is written of it. */
export interface CameraDetails extends CameraView {
  camera: unknown
}

export type WrittenCameras = Pick<LiveConfig, 'written' | 'isStopped' | 'config'>

export function cameraView(report: CameraReport, written: WrittenCameras): CameraView {
  const { id } = report
  const { by, camera } = written.written(id) ?? { by: 'file' as const, camera: {} }
  const { source } = camera as { source?: unknown }
  return {
    ...report,
    writtenBy: by,
    source: typeof source === 'string' ? redactWritten(source) : '',
    enabled: written.config.cameras[id]?.enabled ?? false,
    heldStopped: written.isStopped(id),
  }
}

export function cameraDetails(report: CameraReport, written: WrittenCameras): CameraDetails {
  return { ...cameraView(report, written), camera: redact(written.written(report.id)?.camera ?? null, redactWritten) }
}
