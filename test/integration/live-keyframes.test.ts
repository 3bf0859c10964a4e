/** A clip comes live over RTSP at its own pace: the camera keeps the pictures that an extraction takes from the file. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startSession } from '../../actors/session-process.ts'
import type { EventData } from '../../core/event.ts'
import { droppedTotal, emptyLedger, type LedgerCounts } from '../../core/ledger.ts'
import type { LiveSource, SessionSpec } from '../../core/wire/session-spec.ts'
import { hasClips } from './support/clips.ts'
import { type Extracted, ExtractionFolder, keyframesOf } from './support/extraction.ts'
import { movingView } from './support/moving-view.ts'
import { RtspServer } from './support/rtsp-server.ts'

/** Of the clip, which then begins anew. */
const SECONDS = 4
/** What is decided after this hangs on the end of the file, or on the clip's next round, ms. */
const UNTOUCHED_MS = 3000
/** A machine that is busy with other things drops frames of a camera; then the camera is watched again. */
const TRIES = 4

let folder: ExtractionFolder
let server: RtspServer
let clip: string
let extracted: Extracted
beforeAll(async () => {
  if (!hasClips) return
  folder = new ExtractionFolder()
  server = await RtspServer.start()
  clip = movingView({ seconds: SECONDS, fps: 15, width: 320, bFrames: 0 })
  extracted = await folder.extract(slowly(folder.spec(clip, 'file')))
}, 60_000)
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  folder?.[Symbol.dispose]()
})

/** Five candidates a second. */
function slowly<S extends SessionSpec>(spec: S): S {
  return { ...spec, analysis: { ...spec.analysis, fps: 5 } }
}

interface Kept {
  seq: number
  reason: string
  picture: string
}

const hashOf = (...path: string[]) =>
  createHash('sha256')
    .update(readFileSync(folder.at(...path)))
    .digest('hex')

async function watch(name: string): Promise<{ kept: Kept[]; ledger: LedgerCounts }> {
  const camera = await server.camera(`/${name}`, { clip })
  const source: LiveSource = {
    ...{ kind: 'live', protocol: 'rtsp', url: camera.url, transport: 'tcp', overflow: 'drop-oldest' },
    capture: { width: null, height: null, fps: null, format: null },
    readTimeoutMs: 20_000,
  }
  const { keyframes, ...spec } = slowly(folder.spec(clip, 'unused'))
  const kept: EventData<'keyframe'>[] = []
  let ledger = emptyLedger()
  const over = Promise.withResolvers<void>()
  const session = await startSession({
    name,
    incarnation: 1,
    spec: { ...spec, source, picturesDir: folder.at(name), keyframes: { ...keyframes!, imagesDir: null } },
    directory: folder.directory,
    host: folder.host,
    search: async () => [],
    visitors: { remember: async () => null, keep: async () => undefined },
    signal: new AbortController().signal,
    listener: {
      onEvent: ({ event, data }) => event === 'keyframe' && kept.push(data as EventData<'keyframe'>),
      onProgress: ({ progress }) => (progress.lastPtsMs ?? 0) > SECONDS * 1000 && over.resolve(),
      onLost: ({ error }) => over.reject(new Error(error.message)),
      onLedger: (last) => {
        ledger = last
      },
    },
  })
  await over.promise
  await session.stop()
  await session.exited
  const early = kept.filter(({ frame }) => frame.ptsMs < UNTOUCHED_MS)
  return {
    kept: early.map(({ frame, reason, file }) => ({ seq: frame.seq, reason, picture: hashOf(name, file!) })),
    ledger,
  }
}

it.skipIf(!hasClips)('a camera keeps the same pictures as an extraction from the file', async () => {
  let seen = await watch('first')
  for (let n = 2; droppedTotal(seen.ledger) > 0 && n <= TRIES; n++) seen = await watch(`try-${n}`)
  expect(seen.ledger).toMatchObject({ dropped: {}, inFlight: 0 })
  const wanted = keyframesOf(extracted.records)
    .filter(({ ptsMs }) => ptsMs < UNTOUCHED_MS)
    .map(({ seq, reason, file }) => ({ seq, reason, picture: hashOf('file', file) }))
  expect(wanted.length).toBeGreaterThan(3)
  expect(seen.kept).toEqual(wanted)
})
