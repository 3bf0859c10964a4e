/** `grabber replay` as a person starts it. */
import { execFile, execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ReplaySummary as Summary } from '../../src/replay-summary.ts'
import { asl, ClipFolder, hasClips, withFourcc } from '../integration/support/clips.ts'
import { until } from '../integration/support/engine.ts'
import { assets, type Ended, Grabber, jsonLines, type Running } from './support/grabber.ts'
import { processesOf } from './support/processes.ts'

let grabber: Grabber
let clips: ClipFolder
beforeEach(() => {
  grabber = new Grabber({ models: true })
  clips = new ClipFolder()
})
afterEach(() => {
  // Whatever the test was about, nothing outlives its command.
  expect(processesOf(grabber.data)).toEqual([])
  grabber[Symbol.dispose]()
  clips[Symbol.dispose]()
})

const summaries = ({ out }: Ended) => jsonLines<Summary>(out)
const events = (name = 'events.jsonl') => readFileSync(grabber.path(name), 'utf8')

/** The only line on stderr; fails when there are more. */
function onlyLine({ err }: Ended): string {
  expect(err.trimEnd().split('\n')).toHaveLength(1)
  return err.trimEnd()
}

function expectBalanced({ frames, leases }: Summary): void {
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, n) => total + n, 0)
  expect(frames.captured).toBe(frames.analysed + sum(frames.skipped) + sum(frames.dropped))
  expect([frames.inFlight, frames.dropped, leases]).toEqual([0, {}, 0])
}

/** Exit 3, one line with the code and the file's name, nothing half written. */
async function expectRefused(code: string, path: string): Promise<void> {
  const ended = await grabber.run('replay', path, '--events', 'events.jsonl')
  expect(ended).toMatchObject({ status: 3, out: '' })
  expect(onlyLine(ended)).toMatch(new RegExp(`^${code}: .*${path.split('/').at(-1)}.*: .+`))
  expect(readdirSync(grabber.folder)).toEqual(['data'])
}

describe.skipIf(!hasClips)('grabber replay of the eight clips, one person each', () => {
  const names = ['again', 'book', 'eat', 'help', 'night', 'sister', 'walk', 'yes']
  const settings = {
    'as it comes': '',
    'every frame': 'defaults: { analysis: { fps: all }, motion: { enabled: false } }\n',
  }

  it.each(Object.entries(settings))('%s: one track in each, every frame accounted for', async (_, config) => {
    writeFileSync(grabber.path('clips.yaml'), config)
    const ended = await grabber.run('-c', grabber.path('clips.yaml'), 'replay', ...names.map(asl))
    expect([ended.status, ended.err]).toEqual([0, ''])
    const found = summaries(ended)
    for (const summary of found) expectBalanced(summary)
    expect(found.map(({ camera, tracks }) => [camera, tracks])).toEqual(names.map((name) => [name, 1]))
    // All eight together have 600 pictures.
    expect(found.reduce((sum, { frames }) => sum + frames.captured, 0)).toBe(600)
  })
})

describe.skipIf(!hasClips)('grabber replay, the same again', () => {
  it('two runs, and one at the recording’s own pace, give the same bytes', async () => {
    const clip = asl('eat')
    const [first, second, paced] = [
      await grabber.run('replay', clip, '--events', '1.jsonl'),
      await grabber.run('replay', clip, '--events', '2.jsonl', '--speed', 'max'),
      await grabber.run('replay', clip, '--events', '3.jsonl', '--speed', '1'),
    ]
    expect([first.status, second.status, paced.status, first.err]).toEqual([0, 0, 0, ''])
    expect(events('1.jsonl').split('\n').length).toBeGreaterThan(3)
    expect(events('2.jsonl')).toBe(events('1.jsonl'))
    expect(events('3.jsonl')).toBe(events('1.jsonl'))
    const [summary] = summaries(first)
    expectBalanced(summary!)
    expect(summary).toMatchObject({ file: clip, camera: 'eat', tracks: 1, restarts: 0, damage: { count: 0 } })
    expect(summaries(paced)[0]!.frames).toEqual(summary!.frames)
  })

  it('a loop of three gives the same bytes again, and begins with the single run', async () => {
    const run = (name: string, passes: string) =>
      grabber.run('replay', asl('eat'), '--loop', passes, '--events', name, '--summary', `${name}.json`)
    for (const name of ['a', 'b']) expect(await run(name, '3')).toMatchObject({ status: 0, out: '', err: '' })
    await run('once', '1')
    expect(events('a')).toBe(events('b'))
    expect(events('a').startsWith(events('once'))).toBe(true)
    const ids = jsonLines<{ id: string }>(events('a')).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const [once, looped] = ['once.json', 'a.json'].map((name) => jsonLines<Summary>(events(name))[0]!)
    expect(looped!.frames.captured).toBe(3 * once!.frames.captured)
    expectBalanced(looped!)
  })

  it('another name for the recording changes the camera, not the tracks', async () => {
    copyFileSync(asl('eat'), clips.at('Front Door (2).mkv'))
    await grabber.run('replay', asl('eat'), '--events', 'a', '--camera', 'front-door-2-')
    const ended = await grabber.run('replay', clips.at('Front Door (2).mkv'), '--events', 'b')
    expect(summaries(ended)[0]!.camera).toBe('front-door-2-')
    expect(events('b')).toBe(events('a'))
  })
})

describe.skipIf(!hasClips)('grabber replay, inputs that are refused', () => {
  it('a missing file, a folder without recordings, a pattern without matches', async () => {
    await expectRefused('SRC_NOT_FOUND', grabber.path('missing.mp4'))
    mkdirSync(clips.at('folder'))
    writeFileSync(clips.at('folder/notes.txt'), 'no recording')
    await expectRefused('SRC_EMPTY', clips.at('folder'))
    expect(await grabber.run('replay', 'nothing*.mp4')).toMatchObject({
      status: 3,
      err: expect.stringMatching(/^SRC_EMPTY: nothing matches nothing\*\.mp4: /),
    })
  })

  it('an empty file, a text file, sound alone, a file that is none', async () => {
    writeFileSync(clips.at('empty.mp4'), '')
    await expectRefused('SRC_EMPTY', clips.at('empty.mp4'))
    writeFileSync(clips.at('text.mp4'), 'this is no video\n'.repeat(100))
    await expectRefused('SRC_UNREADABLE', clips.at('text.mp4'))
    await expectRefused('SRC_NO_VIDEO', clips.made('sound.m4a', '-f', 'lavfi', '-i', 'sine=d=1'))
    const pipe = clips.at('pipe')
    execFileSync('mkfifo', [pipe])
    await expectRefused('SRC_UNSUPPORTED', pipe)
  })

  it('an mp4 whose index is missing, and a codec that nobody knows', async () => {
    const whole = clips.copied('whole.mp4', asl('walk'))
    const half = (bytes: Buffer) => bytes.subarray(0, Math.floor(0.6 * bytes.length))
    await expectRefused('SRC_UNREADABLE', clips.edited('headless.mp4', whole, half))
    const unknown = (bytes: Buffer) => withFourcc(withFourcc(bytes, 'avc1', 'zz99'), 'avcC', 'zzzC')
    await expectRefused('DEC_UNSUPPORTED', clips.edited('unknown.mp4', whole, unknown))
  })

  it('usage: speeds, passes and ids that are none; a folder that cannot be written', async () => {
    for (const flags of [
      ['--speed', '0'],
      ['--speed', 'fast'],
      ['--loop', '1.5'],
      ['--loop', '-1'],
      ['--camera', 'Front Door'],
      ['--camera', '_node'],
      ['--events', 'no/such/folder/events.jsonl'],
      ['--events', '.'],
    ]) {
      const ended = await grabber.run('replay', asl('eat'), ...flags)
      expect(ended).toMatchObject({ status: 2, out: '' })
      expect(onlyLine(ended)).toMatch(/^CFG_USAGE: /)
    }
    expect(readdirSync(grabber.folder)).toEqual(['data'])
  })

  it('models that are not installed are no reason to fail: motion is told all the same', async () => {
    using bare = new Grabber()
    const ended = await bare.run('replay', asl('eat'), '--events', '-')
    expect(ended.status).toBe(0)
    expect(onlyLine(ended)).toMatch(/^no faces: .* not installed; .*`grabber models pull`/)
    const types = new Set(jsonLines<{ type: string }>(ended.out).map(({ type }) => type))
    expect([...types]).toEqual(['motion'])
  })
})

describe.skipIf(!hasClips)('grabber replay, inputs that are damaged', () => {
  it('an mp4 with its tail cut off gives the frames that are there, and names the damage', async () => {
    const whole = clips.copied('whole.mp4', asl('walk'), '-movflags', '+faststart')
    const cut = clips.edited('cut.mp4', whole, (bytes) => bytes.subarray(0, Math.floor(0.6 * bytes.length)))
    const ended = await grabber.run('replay', cut, '--events', 'events.jsonl')
    expect(ended.status).toBe(0)
    expect(onlyLine(ended)).toMatch(/^DEC_DAMAGED: .*cut\.mp4: .* at 1\.\d\d s.*the pictures end at 1\.\d s of 3\.0 s/)
    const [summary] = summaries(ended)
    expect(summary!.frames.captured).toBeGreaterThan(30)
    expect(summary!.frames.captured).toBeLessThan(89)
    expect(summary!.damage.count).toBeGreaterThan(0)
    expect(summary!.damage.positions[0]).toMatchObject({ ptsMs: expect.any(Number), what: expect.any(String) })
    expectBalanced(summary!)
    expect(jsonLines(events()).length).toBeGreaterThan(0)
  })

  it('a recording of one picture', async () => {
    const one = clips.made('one.mp4', '-i', asl('walk'), '-frames:v', '1', '-c:v', 'libx264')
    const ended = await grabber.run('replay', one, '--events', 'events.jsonl')
    expect(ended).toMatchObject({ status: 0, err: '' })
    expect(summaries(ended)[0]!.frames).toMatchObject({ captured: 1, analysed: 1, inFlight: 0 })
    expect(events()).toBe('')
  })
})

describe.skipIf(!hasClips)('grabber replay, several recordings', () => {
  it('a folder, a pattern, and a bad file among good ones: the others are replayed, the exit status tells', async () => {
    mkdirSync(grabber.path('night'))
    copyFileSync(asl('eat'), grabber.path('night/b.mkv'))
    copyFileSync(asl('eat'), grabber.path('night/d.MKV'))
    writeFileSync(grabber.path('night/a.mp4'), '')
    writeFileSync(grabber.path('night/c.mkv'), 'no video')
    const folder = await grabber.run('replay', 'night', '--events', 'folder.jsonl')
    expect(folder.status).toBe(3)
    expect(summaries(folder).map(({ camera }) => camera)).toEqual(['b', 'd'])
    const lines = folder.err.trimEnd().split('\n')
    expect(lines).toEqual([
      expect.stringMatching(/^SRC_EMPTY: .*a\.mp4: /),
      expect.stringMatching(/^SRC_UNREADABLE: .*c\.mkv: /),
      expect.stringMatching(/^SRC_EMPTY: not all recordings could be replayed: /),
    ])
    const subjects = jsonLines<{ subject: string }>(events('folder.jsonl')).map(({ subject }) => subject)
    expect([...new Set(subjects)]).toEqual(['b', 'd'])
    const pattern = await grabber.run('replay', 'night/*.{mkv,MKV}', 'night/b.mkv', '--summary', 'summary.jsonl')
    expect(pattern).toMatchObject({ status: 3, out: '' })
    expect(jsonLines<Summary>(events('summary.jsonl')).map(({ camera }) => camera)).toEqual(['b', 'd'])
  })
})

describe.skipIf(!hasClips)('grabber replay, ended early', () => {
  const long = (...flags: string[]) => grabber.start('replay', asl('help'), '--loop', '100000', ...flags)
  const hasEvents = (running: Running) => until('events', () => running.out().split('\n').length > 4)

  it('Ctrl-C in the middle: 130, and nothing half written', async () => {
    const running = long('--events', 'events.jsonl')
    const part = grabber.path('events.jsonl.part')
    await until('events', () => existsSync(part) && readFileSync(part, 'utf8').length > 1000)
    running.child.kill('SIGINT')
    const ended = await running.ended
    expect(ended.status).toBe(130)
    expect(onlyLine(ended)).toBe('interrupted by SIGINT')
    expect(summaries(ended)).toMatchObject([{ stopped: true, leases: 0, frames: { dropped: {}, inFlight: 0 } }])
    expect(readdirSync(grabber.folder)).toEqual(['data'])
  })

  it('Ctrl-C at any moment of the start: 130, and nothing is left', async () => {
    const phases: ((running: Running) => boolean)[] = [
      () => processesOf(grabber.data).length > 0,
      () => processesOf(grabber.data).length > 1,
      () => processesOf(grabber.data).length > 2,
    ]
    for (const reached of phases) {
      const running = long('--events', '-')
      await until('the phase', () => reached(running))
      // Until its handlers stand, the signal's own effect is what ends it.
      running.child.kill('SIGINT')
      const { status, signal } = await running.ended
      expect(status ?? signal).toSatisfy((end) => end === 130 || end === 'SIGINT')
      expect(processesOf(grabber.data)).toEqual([])
    }
  })

  it('a reader that goes away has what it wanted: 0', async () => {
    const running = long('--events', '-')
    await hasEvents(running)
    running.child.stdout?.destroy()
    expect(await running.ended).toMatchObject({ status: 0, err: '' })
  })

  it('kill -9 of the command: its hosts end by themselves', async () => {
    const running = long('--events', '-')
    await hasEvents(running)
    expect(processesOf(grabber.data)).toHaveLength(3)
    running.child.kill('SIGKILL')
    await running.ended
    await until('its hosts to end', () => processesOf(grabber.data).length === 0)
  })
})

describe.skipIf(!hasClips)('grabber replay, where events go', () => {
  // Never a real device by its own name: a mistake here, made as root, would replace it for the whole machine.
  it('a pipe is written as it is, and stays a pipe', async () => {
    const pipe = clips.at('pipe')
    execFileSync('mkfifo', [pipe])
    const reader = new Promise<string>((done, fail) =>
      execFile('cat', [pipe], (error, out) => (error ? fail(error) : done(out))),
    )
    expect(await grabber.run('replay', asl('eat'), '--events', pipe)).toMatchObject({ status: 0, err: '' })
    expect(jsonLines(await reader).length).toBeGreaterThan(0)
    expect(statSync(pipe).isFIFO()).toBe(true)
  })

  it('a disk that is full: 5, with its code', async () => {
    const full = clips.at('full')
    symlinkSync('/dev/full', full)
    const ended = await grabber.run('replay', asl('eat'), '--events', full)
    expect(ended.status).toBe(5)
    expect(onlyLine(ended)).toMatch(/^STO_UNUSABLE: .*full/)
    expect(lstatSync(full).isSymbolicLink()).toBe(true)
  })

  it('an earlier file stays until the new one is complete', async () => {
    writeFileSync(grabber.path('events.jsonl'), 'before')
    writeFileSync(clips.at('bad.mp4'), 'no video')
    await grabber.run('replay', clips.at('bad.mp4'), '--events', 'events.jsonl')
    expect(events()).toBe('before')
    await grabber.run('replay', asl('eat'), '--events', 'events.jsonl')
    expect(jsonLines(events()).length).toBeGreaterThan(0)
  })
})

it('tests of replays find their clips', () => {
  expect(hasClips, `no clips below ${assets}: the tests above were skipped`).toBe(existsSync(`${assets}/videos/asl`))
})
