/** The soak's short form: what grows with each replay is seen within a few. The long one is `script/soak replays`. */
import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { assets, Grabber } from '../e2e/support/grabber.ts'
import { processesOf } from '../e2e/support/processes.ts'
import { hasClips } from './support/clips.ts'

const root = resolve(import.meta.dirname, '../..')

describe.skipIf(!hasClips)('script/soak replays', () => {
  it('twelve replays in one process after six: no descriptor and no child more; the slope of its memory is stated', async () => {
    using grabber = new Grabber({ models: true })
    const env = { ...process.env, GRABBER_DATA: grabber.data, GRABBER_ASSETS: assets }
    const args = ['replays', '--warm-up', '6', '--replays', '12']
    const { stdout, stderr } = await promisify(execFile)(join(root, 'script/soak'), args, { env })
    expect(stderr).toBe('')
    const { descriptors, children, replays, rssSlopeBytes } = JSON.parse(stdout)
    expect([replays, descriptors.max - descriptors.min, children.min, children.max]).toEqual([12, 0, 1, 1])
    expect(rssSlopeBytes).toEqual(expect.any(Number))
    expect(processesOf(grabber.data)).toEqual([])
  })
})

describe.skipIf(!hasClips)('script/soak cameras', () => {
  it('half a minute of cut connections, killed children, triggers and reloads: every invariant holds', async () => {
    const args = ['cameras', '--hours', '0.01', '--seed', '7']
    const { stdout } = await promisify(execFile)(join(root, 'script/soak'), args, {
      env: { ...process.env, GRABBER_ASSETS: assets },
    })
    const { problems, done, events } = JSON.parse(stdout)
    expect(problems).toEqual([])
    expect(Object.keys(done).length).toBeGreaterThanOrEqual(3)
    expect(events).toBeGreaterThan(0)
  })
})
