/**
 * Load for measuring an engine: so many requests open at every moment, of pictures that are the same each time. Runs in
 * commands and benchmarks.
 */
import type { RgbPicture } from '../../core/frame.ts'
import type { Size } from '../../core/geometry.ts'
import type { DurationSketch } from '../../core/histogram.ts'
import type { EngineClient } from '../../models/engine-client.ts'

/**
 * Sends a new request for each answer as long as `goOn`; returns how many were answered. `latency` takes the times from
 * `infer()` to the answer, ms. Rejects as `infer` does.
 */
export async function keepOpen(
  clients: readonly EngineClient[],
  model: string,
  picture: RgbPicture,
  open: number,
  goOn: (done: number) => boolean,
  latency?: DurationSketch,
): Promise<number> {
  let done = 0
  const one = async (client: EngineClient) => {
    while (goOn(done)) {
      const startMs = performance.now()
      await client.infer(model, picture, {})
      latency?.add(performance.now() - startMs)
      done++
    }
  }
  await Promise.all(Array.from({ length: open }, (_, index) => one(clients[index % clients.length]!)))
  return done
}

/** The same noise each time. The embedder takes 12 % longer for it than for a picture, the detector the same. */
export function noise({ width, height }: Size): RgbPicture {
  let state = 1
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  }
  return { width, height, data: Uint8Array.from({ length: 3 * width * height }, next) }
}
