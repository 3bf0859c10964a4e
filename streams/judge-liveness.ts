/**
 * One look at a face by all liveness models, through the engine. Session host only.
 */
import type { RgbPicture } from '../core/frame.ts'
import type { InferenceEngine } from '../core/ports.ts'
import type { LivenessModel } from '../core/wire/session-spec.ts'
import { liveFromResult } from '../models/liveness.ts'

/** Mean P(live) of the models, 0–1; `crops` in their order. ENG_*. */
export async function judgeLiveness(
  engine: InferenceEngine,
  models: readonly LivenessModel[],
  crops: readonly RgbPicture[],
): Promise<number> {
  const results = await Promise.all(models.map(({ id }, index) => engine.infer(id, crops[index]!, {})))
  return results.map(liveFromResult).reduce((sum, live) => sum + live, 0) / results.length
}
