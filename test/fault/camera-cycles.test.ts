/** What fifty lost connections of each camera leave behind: nothing. */
import { expect, it } from 'vitest'
import { processesOf } from '../e2e/support/processes.ts'
import { hasClips } from '../integration/support/clips.ts'
import { until } from '../integration/support/nats.ts'
import { CameraCycles } from './support/camera-cycles.ts'
import { expectNothingLeft } from './support/last-words.ts'

const CYCLES = 50
const LIMIT_MS = 300_000
/** A frame kept by mistake is 345 kB, a decoder or an input is megabytes. Without a leak a process grew by 0 to 60 kB a cycle. */
const MAX_SLOPE_BYTES = 120_000

it.skipIf(!hasClips)(
  'fifty connections of each camera, a quarter of them away: descriptors, threads and processes are what they were',
  async () => {
    await using cycles = await CameraCycles.open({ cameras: 4, warmUp: 20, cycles: CYCLES, models: false })
    const { before, after, processes, failures, rssSlopeBytes, imbalance } = await cycles.run()
    expect(failures).toBeGreaterThanOrEqual(3 * CYCLES)
    // Of the daemon's own, some may be connections of this test.
    const { daemon: daemonBefore, ...hostsBefore } = before
    const { daemon: daemonAfter, ...hostsAfter } = after
    expect(hostsAfter).toEqual(hostsBefore)
    expect(daemonAfter!.descriptors).toBeLessThanOrEqual(daemonBefore!.descriptors)
    expect(daemonAfter!.threads).toBe(daemonBefore!.threads)
    expect(processes.after).toBe(processes.before)
    for (const [process, bytes] of Object.entries(rssSlopeBytes))
      expect(bytes, `bytes a cycle of ${process}`).toBeLessThan(MAX_SLOPE_BYTES)
    expect(imbalance).toBe(0)
    expect(await cycles.daemon.stop()).toBe(0)
    expectNothingLeft(cycles.daemon, cycles.cameras)
    await until('no process is left', () => processesOf(cycles.data).length === 0)
  },
  LIMIT_MS,
)
