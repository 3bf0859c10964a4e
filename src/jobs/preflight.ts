/**
 * Whether a recording will do for a job, from what a session host saw of it. Pure; runs in commands and in the daemon.
 * That it can be opened, has a video stream and a decoder was found out before (actors/probe-job): those errors never come here.
 */
import type { JobLimits } from '../../config/job-schema.ts'
import { GrabberError } from '../../core/errors.ts'
import type { ColourInfo, PreflightReport } from '../../core/wire/preflight.ts'

const HDR_WORDS: Record<NonNullable<ColourInfo['hdr']>, string> = {
  pq: 'HDR by PQ (SMPTE ST 2084)',
  hlg: 'HDR by HLG (ARIB STD-B67)',
  bt2020: 'in the wide colours of BT.2020',
}

/** Why the recording is refused, SRC_LIMIT or SRC_HDR; `undefined`: it is not. */
export function judgePreflight(
  report: PreflightReport,
  limits: JobLimits,
  { tonemap }: { tonemap: boolean },
): GrabberError | undefined {
  const { stream, colour } = report
  const beyond = beyondLimit(report, limits)
  if (beyond) return new GrabberError('SRC_LIMIT', beyond.what, { remedy: `change jobs.limits.${beyond.key}` })
  if (colour.hdr === null || tonemap) return undefined
  return new GrabberError('SRC_HDR', `the video is ${HDR_WORDS[colour.hdr]}`, { context: { ...colour, ...stream } })
}

function beyondLimit(
  { stream: { durationMs, width, height }, sizeBytes }: PreflightReport,
  limits: JobLimits,
): { what: string; key: keyof JobLimits } | undefined {
  const { minDurationMs, maxDurationMs, maxBytes, maxPixels } = limits
  if (sizeBytes > maxBytes) return { what: `it has ${sizeBytes} bytes, more than ${maxBytes}`, key: 'maxBytes' }
  if (width * height > maxPixels)
    return { what: `its pictures are ${width}×${height} px, more than ${maxPixels} in area`, key: 'maxPixels' }
  if (durationMs === null) return undefined
  const seconds = (ms: number) => `${+(ms / 1000).toFixed(1)} s`
  if (durationMs > maxDurationMs)
    return { what: `it lasts ${seconds(durationMs)}, more than ${seconds(maxDurationMs)}`, key: 'maxDurationMs' }
  if (durationMs < minDurationMs)
    return { what: `it lasts ${seconds(durationMs)}, less than ${seconds(minDurationMs)}`, key: 'minDurationMs' }
  return undefined
}
