/** The real session host on real recordings, with a real engine, driven by the real job. */
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { imbalance } from '../../core/ledger.ts'
import type { FromSession, ToSession } from '../../core/wire/control.ts'
import type { Checkpoint } from '../../core/wire/session-spec.ts'
import { asl, ClipFolder, hasClips, turned } from './support/clips.ts'
import { until } from './support/engine.ts'
import { cosine, faces, galleryOf, type Replayed, Rig, recordingSpec, tracksOf } from './support/session.ts'

const clips = new ClipFolder()
let rig: Rig
beforeAll(async () => {
  if (hasClips) rig = await Rig.open()
})
afterAll(async () => {
  clips[Symbol.dispose]()
  await rig?.[Symbol.asyncDispose]()
})

const file = (path: string, changes: Partial<ReturnType<typeof recordingSpec>['source']> = {}) => {
  const spec = recordingSpec(path)
  return { ...spec, source: { ...spec.source, ...changes } }
}

/** What every replay must leave behind. */
function expectClean({ outcome }: Replayed): void {
  const { ledger } = outcome.totals
  expect(imbalance(ledger)).toBe(0)
  expect([ledger.inFlight, ledger.dropped, outcome.leases]).toEqual([0, {}, 0])
}

const iouOf = (a: Replayed, b: Replayed) => {
  const [p, q] = [a, b].map((replayed) => tracksOf(replayed.events, 'end')[0]!.data.box)
  const w = Math.min(p!.x + p!.width, q!.x + q!.width) - Math.max(p!.x, q!.x)
  const h = Math.min(p!.y + p!.height, q!.y + q!.height) - Math.max(p!.y, q!.y)
  const inter = Math.max(0, w) * Math.max(0, h)
  return inter / (p!.width * p!.height + q!.width * q!.height - inter)
}

describe.skipIf(!hasClips)('pictures', () => {
  it('a face in a recording that lies on its side is found upright', async () => {
    const upright = await rig.replay(recordingSpec(asl('help')))
    const stored = clips.filtered('lying.mp4', [asl('help')], '[0:v]transpose=cclock[v]')
    const marked = await rig.replay(recordingSpec(clips.edited('marked.mp4', stored, (bytes) => turned(bytes, 90))))
    const unmarked = await rig.replay(recordingSpec(stored))
    expectClean(marked)
    expect([marked.stream.width, marked.stream.height, marked.stream.rotation]).toEqual([640, 480, 90])
    expect([unmarked.stream.width, unmarked.stream.height, unmarked.stream.rotation]).toEqual([480, 640, 0])
    expect(tracksOf(marked.events, 'end')).toMatchObject([{ data: { frame: { width: 640, height: 480 } } }])
    expect(iouOf(marked, upright)).toBeGreaterThan(0.8)
    expect(cosine(marked.probes[0]!, upright.probes[0]!)).toBeGreaterThan(0.9)
    // Without the mark the face stays on its side, and the picture is not what it was.
    expect(unmarked.outcome.totals.faces).toBeLessThan(marked.outcome.totals.faces)
  })

  it('faces are cut from the full picture: one of 11 px in the analysis picture is recognised', async () => {
    const known = (await rig.replay(recordingSpec(asl('again')))).probes.at(-1)!
    const large = clips.filtered(
      'large.mp4',
      [asl('help')],
      'color=gray:s=3840x2880:r=30[c];[c][0:v]overlay=x=1000:y=700:shortest=1[v]',
    )
    // What is left when the analysis picture is all there is.
    const small = clips.filtered(
      'small.mp4',
      [large],
      '[0:v]scale=640:480:flags=area,scale=3840:2880:flags=bilinear[v]',
    )
    const best = ({ probes }: Replayed) => Math.max(...probes.map((probe) => cosine(probe, known)))
    const full = await rig.replay(recordingSpec(large))
    const analysisAlone = await rig.replay(recordingSpec(small))
    expectClean(full)
    const [track] = tracksOf(full.events, 'end')
    expect(track!.data.box.width * 640).toBeLessThan(14)
    expect(track!.data.frame).toMatchObject({ width: 3840, height: 2880 })
    expect(best(full)).toBeGreaterThan(0.65)
    expect(best(full)).toBeGreaterThan(faces.matchThreshold)
    expect(analysisAlone.outcome.totals.tracks).toBe(1)
    expect(best(analysisAlone)).toBeLessThan(0.4)
  })
})

describe.skipIf(!hasClips)('three people in one picture of 1080p', () => {
  it('every track keeps to one person, and its embeddings are that person’s', async () => {
    const last = async (name: string) => (await rig.replay(recordingSpec(asl(name)))).probes.at(-1)!
    const people = { anna: [await last('help')], ben: [await last('book')], cleo: [await last('eat')] }
    const clip = clips.filtered(
      'three.mp4',
      [asl('again'), asl('walk'), asl('sister')],
      [
        'color=gray:s=1920x1080:r=30[c]',
        '[c][0:v]overlay=x=0:y=0:eof_action=repeat[a]',
        '[a][1:v]overlay=x=640:y=0:eof_action=repeat[b]',
        '[b][2:v]overlay=x=1280:y=400:shortest=1[v]',
      ].join(';'),
    )
    const replayed = await rig.replay(recordingSpec(clip), { search: galleryOf(people) })
    expectClean(replayed)
    expect(replayed.outcome.totals.tracks).toBe(3)
    const thirds = new Map<string, Set<number>>()
    const names = new Map<string, Set<string>>()
    for (const phase of ['new', 'update', 'end'] as const) {
      for (const { data } of tracksOf(replayed.events, phase)) {
        const third = Math.floor((data.box.x + data.box.width / 2) * 3)
        thirds.set(data.trackId, (thirds.get(data.trackId) ?? new Set()).add(third))
        const { subject } = data.identity
        if (subject) names.set(data.trackId, (names.get(data.trackId) ?? new Set()).add(subject))
      }
    }
    // Each in its own third of the picture, from the first word to the last, under one name.
    expect([...thirds.values()].map((set) => [...set])).toEqual(expect.arrayContaining([[0], [1], [2]]))
    const named = [...thirds].map(([id, set]) => [[...set][0], [...(names.get(id) ?? [])]])
    expect(named.sort()).toEqual([
      [0, ['anna']],
      [1, ['ben']],
      [2, ['cleo']],
    ])
    expect(tracksOf(replayed.events, 'end').map(({ data }) => data.identity.status)).toEqual([
      'confirmed',
      'confirmed',
      'confirmed',
    ])
  })
})

describe.skipIf(!hasClips)('passes', () => {
  it('a checkpoint in the middle gives the rest of the same log', async () => {
    const whole = await rig.replay(file(asl('help'), { passes: 3 }))
    expectClean(whole)
    expect(whole.outcome.totals.ledger.captured).toBe(3 * 58)
    const second = whole.events.findIndex((event) => (event.data as { frame: { seq: number } }).frame.seq >= 58)
    const from: Checkpoint = { loop: 1, seqBase: 58, ptsBaseMs: 58 * (1000 / 30) }
    const rest = await rig.replay(file(asl('help'), { passes: 3, from }))
    expect(rest.events.map(({ id }) => id)).toEqual(whole.events.slice(second).map(({ id }) => id))
    expect(rest.outcome.totals.ledger.captured).toBe(2 * 58)
  })

  it('stopped in the middle it finishes what is in flight, and ends no track that the recording did not end', async () => {
    const whole = await rig.replay(file(asl('walk'), { passes: 2 }))
    const { job, done } = rig.job(file(asl('walk'), { passes: 1000, speed: 4 }), {
      onEvent: (event) => {
        if ((event.data as { phase: string }).phase === 'new') void job.stop()
      },
    })
    const stopped = await done
    expect(stopped.outcome.reason).toBe('stopped')
    expectClean(stopped)
    const prefix = whole.events.slice(0, stopped.events.length)
    expect(stopped.events).toEqual(prefix)
    expect(tracksOf(stopped.events, 'end')).toEqual([])
  })

  it('a file that plays a camera drops what it cannot keep up with, and every frame has its verdict', async () => {
    const spec = file(asl('walk'), { passes: 2, speed: 100, overflow: 'drop-oldest' })
    const played = await rig.replay({ ...spec, analysis: { ...spec.analysis, fps: null } })
    const { ledger } = played.outcome.totals
    expect([imbalance(ledger), ledger.inFlight, played.outcome.leases]).toEqual([0, 0, 0])
    expect(ledger.captured).toBe(2 * 89)
    expect(ledger.dropped['detect.overflow'] ?? 0).toBeGreaterThan(0)
    expect(Object.keys(ledger.dropped).every((key) => ['detect.overflow', 'source.late'].includes(key))).toBe(true)
  })
})

describe.skipIf(!hasClips)('failures', () => {
  it('a recording without an engine waits for one, and ends with the same log', async () => {
    const expected = await rig.replay(file(asl('help'), { passes: 10 }))
    let killed: Promise<void> | undefined
    const { done } = rig.job(
      { ...file(asl('help'), { passes: 10 }), askDeadlineMs: 300 },
      {
        onEvent: () => {
          killed ??= rig.killEngine()
        },
      },
    )
    const waits = () => rig.logger.lines.some(({ message }) => message === 'waits for the engine')
    await until('the job to wait for an engine', waits)
    await killed
    await rig.startEngine()
    const healed = await done
    expect(healed.outcome.restarts).toBeGreaterThan(0)
    expectClean(healed)
    expect(healed.events).toEqual(expected.events)
    expect(healed.outcome.totals).toEqual(expected.outcome.totals)
  })

  it('a gallery that fails ends the session, and a fault of the input ends the job', async () => {
    const { GrabberError } = await import('../../core/errors.ts')
    const fails = rig.replay(recordingSpec(asl('help')), {
      search: () => Promise.reject(new GrabberError('GAL_MODEL_MISMATCH', 'another model')),
    })
    await expect(fails).rejects.toMatchObject({ code: 'GAL_MODEL_MISMATCH' })
  })

  it('an input that says nothing fails with SRC_TIMEOUT, when it is opened and later, and its host is gone', async () => {
    const pipe = clips.at('pipe')
    execFileSync('mkfifo', [pipe])
    const stream = clips.copied('stream.ts', asl('walk'))
    const spec = { ...recordingSpec(pipe), openTimeoutMs: 1000, faces: null }
    await expect(rig.replay(spec)).rejects.toMatchObject({ code: 'SRC_TIMEOUT' })
    // Two thirds of a recording, then silence.
    const writer = spawn('sh', ['-c', `exec 3> "$1"; head -c 200000 "$2" >&3; read _`, 'sh', pipe, stream])
    const later = rig.job(spec)
    await expect(later.done).rejects.toMatchObject({ code: 'SRC_TIMEOUT', message: expect.stringContaining('no data') })
    writer.kill()
    expect(childrenOf(process.pid, 'session-host')).toEqual([])
  })
})

/** Live processes that this one started and whose command line holds `word`. */
function childrenOf(pid: number, word: string): string[] {
  const out = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' })
  return out.split('\n').filter((line) => line.includes(word))
}

/** A host without an engine and without a daemon; what it says in the order in which it does. */
async function bareHost(spec: ReturnType<typeof recordingSpec>): Promise<{ host: ChildProcess; said: FromSession[] }> {
  const host = fork(new URL('../../streams/session-host.ts', import.meta.url), { serialization: 'advanced' })
  onTestFinished(() => void host.kill('SIGKILL'))
  const said: FromSession[] = []
  host.on('message', (message: FromSession) => said.push(message))
  await until('hello', () => said.length > 0)
  host.send({ type: 'start', incarnation: 1, spec, engine: null, why: 'gone' } satisfies ToSession)
  return { host, said }
}

it('a session host tells of the first frame at once', async () => {
  const { said } = await bareHost({ ...file(asl('help'), { speed: 1 }), faces: null })
  await until('it is analysed', () => said.some(({ type }) => type === 'event'))
  const opened = said.findIndex(({ type }) => type === 'opened')
  const first = said.slice(opened).find((message) => message.type === 'progress')
  expect(first).toMatchObject({ progress: { ledger: { captured: 1 } } })
})

it('a session host ends with its daemon, even while a native call does not return', async () => {
  const pipe = clips.at('silent')
  execFileSync('mkfifo', [pipe])
  const { host, said } = await bareHost({ ...recordingSpec(pipe), faces: null })
  // It opens a pipe that nobody writes to: a thread of its pool blocks, its event loop does not.
  await until('progress', () => said.some(({ type }) => type === 'progress'))
  host.disconnect()
  await until('the host is gone', () => host.exitCode !== null || host.signalCode !== null)
  expect(said.map(({ type }) => type)).not.toContain('opened')
})
