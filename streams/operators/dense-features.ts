/**
 * `denseFeatures`: every n-th candidate is looked at by a model of dense features, through the engine, two in flight, in PTS order;
 * the candidates between have the last look. Session host only.
 * An engine's failure is a recording's, as in `detect`; a camera goes on with the look before.
 */
import { map, type OperatorFunction, pipe } from 'rxjs'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { RgbPicture } from '../../core/frame.ts'
import type { DenseFeaturesSpec } from '../../core/wire/session-spec.ts'
import { viewFromResult } from '../../models/dense-features.ts'
import type { SemanticView } from '../analysis/saliency.ts'
import {
  type Candidate,
  type FeaturedCandidate,
  type FeaturesState,
  type GraphServices,
  SESSION_FAILED,
} from '../graph-item.ts'
import { bounded } from './bounded.ts'
import { isPoison } from './detect.ts'

const IN_FLIGHT = 2

interface Asked extends Candidate {
  /** Absent where the model was not asked, or gave no answer. */
  look?: SemanticView
  since: number
}

/** `from`: what the candidate before the first one left. */
export function denseFeatures(
  services: GraphServices,
  spec: DenseFeaturesSpec | null,
  from: () => FeaturesState,
  queue: number,
): OperatorFunction<Candidate, FeaturedCandidate> {
  if (spec === null) return map((item) => ({ ...item, features: { semantic: null, since: 0 } }))
  let before: FeaturesState | undefined
  return pipe(
    ask(services, spec, from, queue),
    map(({ look, since, ...item }) => {
      before = { semantic: look ?? (before ?? from()).semantic, since }
      return { ...item, features: before }
    }),
  )
}

function ask(
  services: GraphServices,
  { model, every }: DenseFeaturesSpec,
  from: () => FeaturesState,
  queue: number,
): OperatorFunction<Candidate, Asked> {
  const { engine, spec } = services
  const lossless = spec.source.overflow === 'wait'
  const answered: RgbPicture[] = []
  let since: number | undefined

  const lookAt = async ({ frame }: Candidate): Promise<SemanticView | undefined> => {
    const picture = frame.rgb(answered.pop())
    try {
      const result = await services.timeAsync('features', () => engine.infer(model, picture, {}))
      answered.push(picture)
      return { richness: viewFromResult(result).richness }
    } catch (error) {
      if (!isPoison(error) && (lossless || !(error instanceof GrabberError))) throw error
      services.complain(toGrabberError(error))
      return undefined
    }
  }

  return bounded<Candidate, Asked>({
    inFlight: IN_FLIGHT,
    queue,
    overflow: spec.source.overflow,
    async project(item) {
      // Counted as they come: a candidate's place does not hang on whose answer is late.
      const isDue = (since ?? from().since) + 1 >= every
      since = isDue ? 0 : (since ?? from().since) + 1
      const asked = { ...item, since }
      const look = isDue ? await lookAt(item) : undefined
      return look ? { ...asked, look } : asked
    },
    onDrop: ({ frame }, reason) => services.drop(frame, reason === 'overflow' ? 'features.overflow' : SESSION_FAILED),
    isItemFailure: () => false,
  })
}
