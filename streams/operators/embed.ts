/**
 * `embed`: aligned crops become embeddings, through the engine, two frames in flight, in PTS order. Session host only.
 * Never drops a frame: its frame's pixels are gone, and a lost item would lose the end of a track. A camera's overload
 * shows before the detector instead (`enterTail`).
 */
import type { OperatorFunction } from 'rxjs'
import { GrabberError, toGrabberError } from '../../core/errors.ts'
import type { Embedded, FaceCut, FaceEvidence, FaceServices, Tracked } from '../graph-item.ts'
import { bounded } from './bounded.ts'
import { isPoison } from './detect.ts'

const IN_FLIGHT = 2

export function embed(services: FaceServices, queue: number): OperatorFunction<Tracked, Embedded> {
  const { engine, faces, spec } = services
  const lossless = spec.source.overflow === 'wait'

  const evidenceOf = async ({ trackId, crop, quality }: FaceCut): Promise<FaceEvidence[]> => {
    try {
      const result = await services.timeAsync('embed', () => engine.infer(faces.embedder, crop, {}))
      return [{ trackId, embedding: result.data, quality }]
    } catch (error) {
      // One face without an embedding is no reason to lose its frame; without an engine a recording has to wait.
      if (!isPoison(error) && (lossless || !(error instanceof GrabberError))) throw error
      services.complain(toGrabberError(error))
      return []
    }
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
