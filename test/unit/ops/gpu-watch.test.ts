import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { GpuFigures } from '../../../models/gpu-figures.ts'
import { GpuWatch, readGpus } from '../../../src/ops/gpu-watch.ts'
import { RecordingLogger } from '../recording-logger.ts'
import { VirtualClock } from '../virtual-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'nvidia-smi-'))
afterAll(() => rmSync(folder, { recursive: true }))

const recordings = join(import.meta.dirname, '../../fixtures/nvidia-smi')

/** A program that says what the real one said. */
function tool(name: string, script: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

describe('readGpus', () => {
  test('asks for figures without headers and units', async () => {
    const recorded = join(recordings, 'two-gpus.csv')
    const path = tool('good', `echo "$@" > '${folder}/asked'; cat '${recorded}'`)
    expect(await readGpus(path)).toHaveLength(2)
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toMatch(
      /^--query-gpu=index,name,.* --format=csv,noheader,nounits\n$/,
    )
  })

  test('is silent where there is no such program', async () => {
    expect(await readGpus(join(folder, 'none'))).toBeUndefined()
  })

  test('gives the words of a driver that is broken', async () => {
    const path = tool('broken', `cat '${join(recordings, 'driver-error.txt')}'; exit 9`)
    await expect(readGpus(path)).rejects.toMatchObject({
      code: 'ENG_PROVIDER',
      message: expect.stringMatching(/couldn't communicate/),
    })
    await expect(readGpus(tool('mute', 'exit 255'))).rejects.toMatchObject({ code: 'ENG_PROVIDER' })
  })

  test('ends one that hangs', async () => {
    const path = tool('hangs', `echo $$ > '${folder}/pid'; exec sleep 600`)
    await expect(readGpus(path, 500)).rejects.toMatchObject({
      message: expect.stringMatching(/did not answer in 500 ms/),
    })
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
    await expect.poll(() => isAlive(pid), { timeout: 12_000 }).toBe(false)
  })
})

describe('GpuWatch', () => {
  function watch(read: () => Promise<GpuFigures[] | undefined>) {
    const clock = new VirtualClock()
    const logger = new RecordingLogger()
    const seen: number[] = []
    const gpuWatch = new GpuWatch({ clock, logger, read, onFigures: (gpus) => seen.push(gpus.length) })
    return { clock, logger, seen, gpuWatch }
  }

  test('looks every ten seconds, and goes on after a failure, which it logs once', async () => {
    let looks = 0
    const { clock, logger, seen, gpuWatch } = watch(async () => {
      if (++looks === 2 || looks === 3) throw new Error('no driver')
      return []
    })
    await clock.advance(45_000)
    expect(looks).toBe(4)
    expect(seen).toEqual([0, 0])
    expect(logger.lines.filter(({ message }) => message === 'no figures of the GPUs')).toHaveLength(1)
    gpuWatch.close()
    await clock.advance(60_000)
    expect(looks).toBe(4)
    expect(clock.pendingTimers).toBe(0)
  })

  test('never asks again once there is no such program', async () => {
    let looks = 0
    const { clock } = watch(async () => {
      looks++
      return undefined
    })
    await clock.advance(60_000)
    expect(looks).toBe(1)
  })

  test('a slow answer after the end is nobody’s', async () => {
    const slow = Promise.withResolvers<GpuFigures[]>()
    const { clock, seen, gpuWatch } = watch(() => slow.promise)
    await clock.advance(10_000)
    gpuWatch.close()
    slow.resolve([])
    await clock.advance(60_000)
    expect(seen).toEqual([])
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
