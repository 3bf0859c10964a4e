/**
 * `embed`: crops become embeddings and looks at liveness, through the engine, two frames in flight, in PTS order. Session host only.
 * Never drops a frame: its frame's pixels are gone, and a lost item would lose the end of a track. A camera's overload
 * shows before the detector instead (`enterTail`).
 */
import type { OperatorFunction } from 'rxjs'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { Embedded, FaceCut, FaceEvidence, FaceServices, Tracked } from '../graph-item.ts'
import { judgeLiveness } from '../judge-liveness.ts'
import { bounded } from './bounded.ts'
import { isPoison } from './detect.ts'

const IN_FLIGHT = 2

export function embed(services: FaceServices, queue: number): OperatorFunction<Tracked, Embedded> {
  const { engine, faces, spec } = services
  const lossless = spec.source.overflow === 'wait'

  /** One face without an answer is no reason to lose its frame; without an engine a recording has to wait. */
  const unlessLost = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await answer
    } catch (error) {
      if (!isPoison(error) && (lossless || !(error instanceof GrabberError))) throw error
      services.complain(toGrabberError(error))
      return undefined
    }
  }

  const evidenceOf = async ({ trackId, crop, quality, livenessCrops }: FaceCut): Promise<FaceEvidence[]> => {
    const models = livenessCrops && faces.liveness?.models
    const [result, live] = await Promise.all([
      unlessLost(services.timeAsync('embed', () => engine.infer(faces.embedder, crop, {}))),
      models && unlessLost(services.timeAsync('liveness', () => judgeLiveness(engine, models, livenessCrops))),
    ])
    return result ? [{ trackId, embedding: result.data, quality, ...(live === undefined ? {} : { live }) }] : []
  }

  return bounded<Tracked, Embedded>({
    inFlight: IN_FLIGHT,
    queue,
    overflow: 'wait',
    async project({ cuts, ...item }) {
      const evidence = await Promise.all(cuts.map(evidenceOf))
      return { ...item, evidence: evidence.flat() }
    },
    // Only when the graph fails: the session then settles its frames as a whole.
    onDrop: () => undefined,
    isItemFailure: () => false,
  })
}
