/** Keyframes of recordings by real session hosts: what is chosen and written, and that nothing of it hangs on what dies meanwhile. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, copyFileSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SelectionRecord } from '../../actors/extract-job.ts'
import { childrenOf } from '../e2e/support/processes.ts'
import { hasClips } from './support/clips.ts'
import { modelPath, startEngine } from './support/engine.ts'
import { type Extracted, ExtractionFolder, keyframesOf } from './support/extraction.ts'
import { movingView } from './support/moving-view.ts'

/** 8 s at 30 fps, ten candidates a second. */
const FRAMES = 240
const CANDIDATES = 80

let folder: ExtractionFolder
let clip: string
/** 3 s of the same kind. */
let short: string
let undisturbed: Extracted
beforeAll(async () => {
  if (!hasClips) return
  folder = new ExtractionFolder()
  clip = movingView({ seconds: 8 })
  short = movingView({ seconds: 3 })
  undisturbed = await folder.extract(folder.spec(clip, 'undisturbed'))
}, 60_000)
afterAll(() => folder?.[Symbol.dispose]())

/** Names and bytes. */
const images = (name: string) =>
  readdirSync(folder.at(name)).map((file) => [
    file,
    createHash('sha256')
      .update(readFileSync(folder.at(name, file)))
      .digest('hex'),
  ])

/** SHA-256 of the luma of each frame, by the ffmpeg command. */
function lumaHashes(path: string): string[] {
  const raw = execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-'], {
    maxBuffer: 1 << 30,
  })
  const [width, height] = [480, 270]
  const bytes = (width * height * 3) / 2
  return Array.from({ length: raw.length / bytes }, (_, n) =>
    createHash('sha256')
      .update(raw.subarray(n * bytes, n * bytes + width * height))
      .digest('hex'),
  )
}

describe.skipIf(!hasClips)('an extraction', () => {
  it('decides every candidate once, keeps nothing while the camera stands, and writes the frames that it names', () => {
    const { records, outcome } = undisturbed
    expect(new Set(records.map(({ seq }) => seq)).size).toBe(CANDIDATES)
    expect(records.length).toBe(CANDIDATES)
    expect(outcome).toMatchObject({ candidates: CANDIDATES, leases: 0, restarts: 0, reason: 'end of input' })
    const { ledger } = outcome.totals
    expect(ledger).toMatchObject({ captured: FRAMES, analysed: CANDIDATES, dropped: {}, inFlight: 0 })
    const keyframes = keyframesOf(records)
    expect(outcome.keyframes).toBe(keyframes.length)
    expect(keyframes.length).toBeGreaterThan(6)
    const resting = keyframes.filter(({ ptsMs }) => ptsMs > 3200 && ptsMs < 5300)
    expect(resting.length).toBeLessThanOrEqual(1)
    expect(images('undisturbed').map(([name]) => name)).toEqual(keyframes.map(({ file }) => file).sort())
    const truth = lumaHashes(clip)
    expect(truth.length).toBe(FRAMES)
    for (const { seq, pixelHash, file } of keyframes) {
      expect(file).toBe(`${String(seq).padStart(8, '0')}.jpg`)
      expect(pixelHash, `frame ${seq}`).toBe(truth[seq])
    }
  })

  it('kill -9 of its session host, three times: the same records, the same pictures, the same counts', async () => {
    const blows = [10, 30, 55]
    let taken = 0
    const { records, outcome } = await folder.extract(folder.spec(clip, 'killed'), {
      onRecords: (news) => {
        taken += news.length
        if (blows.length === 0 || taken < blows[0]!) return
        blows.shift()
        for (const pid of childrenOf(process.pid, 'session-host')) process.kill(pid, 'SIGKILL')
      },
    })
    expect(outcome.restarts).toBe(3)
    expect(records).toEqual(undisturbed.records)
    expect(images('killed')).toEqual(images('undisturbed'))
    expect(outcome.totals).toEqual(undisturbed.outcome.totals)
  })

  it('another job goes on from any checkpoint: what comes is what was still to come', async () => {
    const { checkpoints, records } = undisturbed
    const inside = checkpoints.filter(({ selection }) => selection !== undefined)
    expect(inside.length).toBeGreaterThan(5)
    const from = inside[Math.floor(inside.length / 2)]!
    const rest = await folder.extract(folder.spec(clip, 'rest'), { from })
    expect(rest.records).toEqual(records.filter(({ seq }) => seq > from.selection!.seq))
    expect(rest.outcome.totals.ledger.captured).toBe(FRAMES - 1 - from.selection!.seq)
  })

  it('goes on where nothing can be sought: an elementary stream without times is decoded from its start; PNG', async () => {
    const stream = movingView({ seconds: 3, bFrames: 0, container: 'h264' })
    const whole = await folder.extract(folder.spec(stream, 'stream', { format: 'png' }))
    const from = whole.checkpoints.findLast(({ selection }) => selection !== undefined)!
    const rest = await folder.extract(folder.spec(stream, 'stream-rest', { format: 'png' }), { from })
    expect(from.selection!.seq).toBeGreaterThan(0)
    expect(rest.records).toEqual(whole.records.filter(({ seq }) => seq > from.selection!.seq))
    const [first] = keyframesOf(whole.records)
    const bytes = readFileSync(folder.at('stream', first!.file))
    expect(bytes.subarray(1, 4).toString()).toBe('PNG')
  })

  it('asks the model of dense features for every fifth candidate, and goes on with its last answer', async () => {
    const engine = await startEngine({ models: [{ id: 'xfeat', path: modelPath('xfeat') }] })
    folder.directory.set('cpu', engine.endpoint)
    const spec = (images: string) => folder.spec(short, images, { features: { model: 'xfeat', every: 5 } })
    const whole = await folder.extract(spec('features'))
    const inside = whole.checkpoints.filter(({ selection }) => selection !== undefined)
    const from = inside[inside.length >> 1]!
    const rest = await folder.extract(spec('features-rest'), { from })
    folder.directory.set('cpu', null)
    await engine.kill()
    const looks = whole.records.map(({ saliency }) => saliency.parts.semantic)
    expect(looks).not.toContain(undefined)
    expect(new Set(looks).size).toBe(whole.records.length / 5)
    expect(rest.records).toEqual(whole.records.filter(({ seq }) => seq > from.selection!.seq))
  })

  it.each([
    ['grows', (path: string) => appendFileSync(path, 'more')],
    [
      'is replaced',
      (path: string) => {
        copyFileSync(path, `${path}.new`)
        renameSync(`${path}.new`, path)
      },
    ],
  ])('SRC_CHANGED when the recording %s while it is read', async (what, change) => {
    const path = folder.at(`${what}.mp4`)
    copyFileSync(short, path)
    let changed = false
    const onRecords = (_: readonly SelectionRecord[]) => {
      if (!changed) change(path)
      changed = true
    }
    await expect(folder.extract(folder.spec(path, what), { onRecords })).rejects.toMatchObject({ code: 'SRC_CHANGED' })
  })

  it('STO_OUTPUT where no picture can be written, and nothing is tried again', async () => {
    writeFileSync(folder.at('no-folder'), '')
    const restarts: unknown[] = []
    const onRestart = (error: unknown) => restarts.push(error)
    const spec = folder.spec(short, 'no-folder')
    await expect(folder.extract(spec, { onRestart })).rejects.toMatchObject({ code: 'STO_OUTPUT' })
    expect(restarts).toEqual([])
  })
})
