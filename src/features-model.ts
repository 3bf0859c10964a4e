/**
 * Which model of dense features stands behind keyframes, where one is asked. Runs in the daemon and in commands; reads the models
 * folder, writes nothing.
 */
import { figuresOf, type KeyframesConfig } from '../config/keyframe-schema.ts'
import type { Config } from '../config/schema.ts'
import { GrabberError } from '../core/errors.ts'
import { knownModels } from '../models/manifest.ts'
import { modelsDir } from './face-models.ts'
import { byPreference, isThere } from './model-preference.ts'

/**
 * Id of the model for such keyframes; `null` where none is asked, or `auto` finds none installed. MDL_INVALID when the named one is
 * not known or of another kind, MDL_MISSING when it is not installed.
 */
export function featuresModelOf(config: Config, keyframes: KeyframesConfig): string | null {
  const { features } = keyframes
  if (features === 'off' || figuresOf(keyframes).featuresEvery === null) return null
  const folder = modelsDir(config)
  const entries = knownModels(folder)
    .map(({ entry }) => entry)
    .filter(({ kind }) => kind === 'dense-features')
  if (features === 'auto') return byPreference(folder, entries).find((entry) => isThere(folder, entry))?.id ?? null
  const named = entries.find(({ id }) => id === features)
  if (!named) {
    const known = entries.map(({ id }) => id).join(', ')
    throw new GrabberError('MDL_INVALID', `there is no model of dense features ${features}; there are ${known}`, {
      remedy: 'correct keyframes.features in the configuration',
    })
  }
  if (isThere(folder, named)) return named.id
  throw new GrabberError('MDL_MISSING', `the model of dense features ${features} is not installed`)
}
