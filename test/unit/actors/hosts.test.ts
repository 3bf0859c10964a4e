import { describe, expect, it } from 'vitest'
import { startEngine } from '../../../actors/engine.ts'
import { EngineDirectory } from '../../../actors/engine-directory.ts'
import type { HostSettings } from '../../../actors/host-settings.ts'
import { ReplayJob } from '../../../actors/replay-job.ts'
import { type SessionListener, startSession } from '../../../actors/session-process.ts'
import { systemClock } from '../../../core/clock.ts'
import { GrabberError } from '../../../core/errors.ts'
import type { FileSource, SessionSpec } from '../../../core/wire/session-spec.ts'
import { identify } from '../../../src/store/process-identity.ts'
import { RecordingLogger } from '../recording-logger.ts'

const entry = new URL('../../fixtures/hosts/session.ts', import.meta.url)
const full = () => new GrabberError('STO_UNUSABLE', 'the disk is full')

function settings(): HostSettings {
  const times = { helloMs: 20_000, silenceMs: 20_000, stopMs: 5000, killMs: 1000 }
  return { sessionEntry: entry, engineEntry: entry, ...times, clock: systemClock, logger: new RecordingLogger() }
}

const spec = {
  node: 'n',
  camera: 'c',
  source: { kind: 'file', path: '/none', passes: 1, from: null },
  openTimeoutMs: 20_000,
} as unknown as SessionSpec<FileSource>

const nobody = { remember: async () => null, keep: async () => undefined }
const visitors = { ...nobody, mark: () => undefined, rewind: () => undefined }

function session(listener: Partial<SessionListener>) {
  return startSession({
    name: 'camera c',
    incarnation: 1,
    spec,
    directory: new EngineDirectory(),
    search: async () => [],
    visitors,
    host: settings(),
    signal: new AbortController().signal,
    listener: { onEvent: () => undefined, onLedger: () => undefined, ...listener },
  })
}

describe('a session whose owner cannot take what it says', () => {
  it('crashes with the error of its owner, takes nothing after it, and is gone', async () => {
    const taken: number[] = []
    const child = await session({
      onEvent: ({ n }) => {
        if (n === 2) throw full()
        taken.push(n)
      },
    })
    expect(await child.exited).toMatchObject({ kind: 'crash', error: { code: 'STO_UNUSABLE' } })
    expect(taken).toEqual([1])
    expect(identify(child.pid)).toBeUndefined()
  })

  it('leaves no process when its owner fails at its start', async () => {
    let pid = 0
    const starting = session({
      onStarted: (started) => {
        pid = started
        throw full()
      },
    })
    await expect(starting).rejects.toMatchObject({ code: 'STO_UNUSABLE' })
    await expect.poll(() => identify(pid), { timeout: 12_000 }).toBeUndefined()
  })
})

describe('a replay whose events cannot be written', () => {
  it('fails with that error at once, instead of losing the event or writing one twice', async () => {
    const offered: string[] = []
    const job = new ReplayJob({
      name: 'replay:c',
      spec,
      directory: new EngineDirectory(),
      search: async () => [],
      visitors,
      host: settings(),
      onEvent: ({ id }) => {
        offered.push(id)
        if (offered.length === 2) throw full()
      },
    })
    await expect(job.run()).rejects.toMatchObject({ code: 'STO_UNUSABLE' })
    expect(offered).toHaveLength(2)
  })
})

describe('an engine that cannot be told where to listen', () => {
  it('is a failed start that leaves no process behind', async () => {
    const logger = new RecordingLogger()
    const starting = startEngine(
      {
        id: 'cpu',
        start: {
          device: 'cpu',
          models: [],
          credits: 1,
          batch: { max: 1, maxWaitMs: 1, targetLatencyMs: 1, queueLimit: 1 },
          threads: 1,
        },
        socketPath: () => {
          throw full()
        },
        directory: new EngineDirectory(),
        host: { ...settings(), logger },
        readyMs: 20_000,
        nextIncarnation: () => 1,
        onReady: () => undefined,
        onFigures: () => undefined,
        onGone: () => undefined,
      },
      { attempt: 0, path: 'engine', signal: new AbortController().signal },
    )
    await expect(starting).rejects.toMatchObject({ code: 'STO_UNUSABLE' })
    await expect.poll(() => pidIn(logger), { timeout: 12_000 }).toBeGreaterThan(0)
    expect(identify(pidIn(logger))).toBeUndefined()
  })
})

/** What the host wrote of itself; 0 while it has not. */
function pidIn({ lines }: RecordingLogger): number {
  return Number(lines.find(({ message }) => message.startsWith('pid '))?.message.slice(4) ?? 0)
}
