/**
 * What an extraction is told beside its recording, and what makes two of them the same. Pure.
 */
import { createHash } from 'node:crypto'
import type { KeyframesConfig } from '../../config/keyframe-schema.ts'
import type { Config } from '../../config/schema.ts'
import { extractionSpec } from '../keyframe-spec.ts'
import type { ExportFormat } from '../results/extraction-result.ts'

export interface ExtractSettings {
  /** With what the command line changes. */
  keyframes: KeyframesConfig
  /** `null`: no model of dense features. */
  featuresModel: string | null
  /** `null`: all that selection chooses. */
  maxFrames: number | null
  /** A second pass over the keyframes decides which of them stay. */
  optimise: boolean
  tonemap: boolean
  exports: readonly ExportFormat[]
}

const DIGITS = 16

/**
 * Equal for settings that give the same result of the same recording. The program's version is no part of it: after an upgrade what
 * is finished stays finished.
 */
export function settingsFingerprint(
  config: Config,
  { maxFrames, optimise, exports, ...settings }: ExtractSettings,
): string {
  const anyone = { name: 'any', path: '', epoch: '', imagesDir: '' }
  const { keyframes, analysis, decode } = extractionSpec(config, { ...settings, ...anyone })
  const told = { keyframes, analysis, tonemap: decode.tonemap, maxFrames, optimise, exports: [...exports].sort() }
  return createHash('sha256').update(canonical(told)).digest('hex').slice(0, DIGITS)
}

/** JSON with the keys of objects in the alphabet's order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
