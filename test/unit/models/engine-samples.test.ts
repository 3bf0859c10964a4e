import { describe, expect, test } from 'vitest'
import { EngineSamples } from '../../../models/engine-samples.ts'
import { VirtualClock } from '../virtual-clock.ts'

describe('latencies', () => {
  test('are those of the last ten seconds: a model that nobody asks any more is not slow for ever', async () => {
    const clock = new VirtualClock(0)
    const samples = new EngineSamples(clock)
    expect(samples.latencies('embedder')).toEqual({ latencyP50Ms: 0, latencyP95Ms: 0 })
    for (let n = 0; n < 300; n++) samples.latency('embedder', 900)
    await clock.advance(9000)
    samples.latency('embedder', 20)
    expect(samples.latencies('embedder').latencyP50Ms).toBe(900)
    await clock.advance(2000)
    expect(samples.latencies('embedder')).toEqual({ latencyP50Ms: 20, latencyP95Ms: 20 })
    await clock.advance(9000)
    expect(samples.latencies('embedder')).toEqual({ latencyP50Ms: 0, latencyP95Ms: 0 })
  })

  test('of one model are not those of another', () => {
    const samples = new EngineSamples(new VirtualClock(0))
    samples.latency('embedder', 900)
    samples.latency('detector', 5)
    expect(samples.latencies('detector').latencyP50Ms).toBe(5)
  })
})
