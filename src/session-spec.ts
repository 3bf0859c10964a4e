/**
 * From the configuration of a camera to what its session host is told. Pure.
 */
import type { CameraConfig } from '../config/camera-config.ts'
import type { Config } from '../config/schema.ts'
import type { FacesSpec, KeyframeSpec, SessionSpec, SourceSpec } from '../core/wire/session-spec.ts'

export interface SessionParts<S extends SourceSpec>
  extends Pick<SessionSpec<S>, 'camera' | 'epoch' | 'originMs' | 'source' | 'picturesDir'> {
  faces: FacesSpec | null
  keyframes?: KeyframeSpec | null
}

/** What of a camera's configuration a session is told; recordings have the defaults of cameras. */
type CameraAnalysis = Pick<CameraConfig, 'analysis' | 'motion' | 'picture' | 'hardware'> & {
  gating: CameraConfig['gating'] | Config['defaults']['gating']
  priority?: number
}

export function sessionSpec<S extends SourceSpec>(
  { node, timeouts }: Config,
  { analysis, motion, picture, gating, hardware, priority = 1 }: CameraAnalysis,
  parts: SessionParts<S>,
): SessionSpec<S> {
  return {
    node,
    keyframes: null,
    ...parts,
    priority,
    decode: { gating: (gating === true || gating === 'on') && motion.enabled, hardware, tonemap: false },
    picture: { frozenMs: picture.frozenSeconds * 1000, blackMs: picture.blackSeconds * 1000 },
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
