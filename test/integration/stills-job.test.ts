/** A batch of stills when its host dies: each file is answered once, in order, and a bad picture costs only itself. */
import { describe, expect, test } from 'vitest'
import { EngineDirectory } from '../../actors/engine-directory.ts'
import { answerStills, type StillAnswer } from '../../actors/stills-job.ts'
import { systemClock } from '../../core/clock.ts'
import type { Logger } from '../../core/ports.ts'
import type { FacesSpec } from '../../core/wire/session-spec.ts'

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
}
const entry = new URL('../fixtures/hosts/stills-host.ts', import.meta.url)
const host = {
  sessionEntry: entry,
  engineEntry: entry,
  helloMs: 10_000,
  silenceMs: 10_000,
  stopMs: 1000,
  killMs: 1000,
  clock: systemClock,
  logger: silent,
}
const faces: FacesSpec = {
  detector: 'd',
  embedder: 'e',
  detectThreshold: 0.7,
  matchThreshold: 0.6,
  minMargin: 0.05,
  maxPerFrame: 10,
  confirmEmbeddings: 3,
  unknown: 'forget',
  liveness: null,
  template: [],
  cropPx: 128,
}

/** What was said of each file: the number of its moments, or the code of its error. */
async function answer(files: string[], options: { signal?: AbortSignal; onEach?: () => void } = {}) {
  const directory = new EngineDirectory()
  directory.set('cpu', { socketPath: '/nowhere', incarnation: 1 })
  const answers: [string, number | string][] = []
  await answerStills({
    spec: { files, faces, embed: false, maxFrames: 2, openTimeoutMs: 1000, askDeadlineMs: 1000 },
    directory,
    host,
    signal: options.signal ?? new AbortController().signal,
    onAnswer(each: StillAnswer) {
      answers.push([each.file, 'error' in each ? each.error.code : each.stills.length])
      options.onEach?.()
    },
  })
  return answers
}

describe('answerStills', () => {
  test('answers each file, with its moments or its error', async () => {
    expect(await answer(['one', 'two', 'bad', 'two'])).toEqual([
      ['one', 1],
      ['two', 2],
      ['bad', 'DEC_FAILED'],
      ['two', 2],
    ])
  })

  test('a picture that kills its host fails alone; the same file may come twice', async () => {
    expect(await answer(['one', 'fatal', 'one', 'fatal', 'two'])).toEqual([
      ['one', 1],
      ['fatal', 'DEC_FAILED'],
      ['one', 1],
      ['fatal', 'DEC_FAILED'],
      ['two', 2],
    ])
  })

  test('one whose host dies once is answered by the next', async () => {
    expect(await answer(['one', 'flaky', 'two'])).toEqual([
      ['one', 1],
      ['flaky', 1],
      ['two', 2],
    ])
  })

  test('a host that leaves without a word is an error, and no end', async () => {
    await expect(answer(['one', 'stop'])).rejects.toMatchObject({ code: 'ACT_HOST_DIED' })
  })

  test('ends with the reason of its signal', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const running = answer(['one', 'fatal', 'one'], {
      signal: controller.signal,
      onEach: () => controller.abort(reason),
    })
    await expect(running).rejects.toBe(reason)
  })

  test('needs an engine', async () => {
    const running = answerStills({
      spec: { files: ['one'], faces, embed: false, maxFrames: 1, openTimeoutMs: 1, askDeadlineMs: 1 },
      directory: new EngineDirectory(),
      host,
      signal: new AbortController().signal,
      onAnswer: () => undefined,
    })
    await expect(running).rejects.toMatchObject({ code: 'ENG_UNAVAILABLE' })
  })
})
