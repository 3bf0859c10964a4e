/**
 * From the configuration of a camera to what its session host is told. Pure.
 */
import type { CameraConfig } from '../config/camera-config.ts'
import type { Config } from '../config/schema.ts'
import type { FacesSpec, SessionSpec } from '../core/wire/control.ts'

export interface SessionParts extends Pick<SessionSpec, 'camera' | 'epoch' | 'originMs' | 'source' | 'picturesDir'> {
  faces: FacesSpec | null
}

export function sessionSpec(
  { node, timeouts }: Config,
  { analysis, motion, priority = 1 }: Pick<CameraConfig, 'analysis' | 'motion'> & { priority?: number },
  parts: SessionParts,
): SessionSpec {
  return {
    node,
    ...parts,
    priority,
    analysis: {
      fps: analysis.fps === 'all' ? null : analysis.fps,
      widthPx: analysis.width,
      motion: {
        enabled: motion.enabled,
        minAreaRatio: motion.minAreaRatio,
        pixelThreshold: motion.pixelThreshold,
        quietMs: motion.quietSeconds * 1000,
      },
    },
    openTimeoutMs: timeouts.openMs,
    askDeadlineMs: timeouts.askMs,
  }
}
