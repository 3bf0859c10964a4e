/** Whatever the policy says and when: every picture once, in order, or counted as passed over. On real streams. */
import fc from 'fast-check'
import type { Packet } from 'node-av'
import { beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { Decoder } from '../../streams/media/decoder.ts'
import { Demuxer, newPacket } from '../../streams/media/demuxer.ts'
import { GatedDecoder, type RestPolicy } from '../../streams/media/gated-decoder.ts'
import { silenceNativeLog } from '../../streams/media/native-log.ts'
import { type ClipOptions, cameraClip, type Scene } from './support/camera-clips.ts'
import { hasClips } from './support/clips.ts'

const FPS = 15
/** Of a clip, unless told otherwise. */
const SECONDS = 4

beforeAll(silenceNativeLog)

/** Answers from a list of random numbers, one for each question. */
function whim(answers: readonly number[], { rest, stir, differ }: { rest: number; stir: number; differ: number }) {
  let asked = 0
  const chance = (share: number) => answers[asked++ % answers.length]! < share
  const policy: RestPolicy = {
    sizesTell: answers[0]! < 0.5,
    saw: () => undefined,
    mayRest: async () => chance(rest),
    stirs: () => chance(stir),
    differs: () => chance(differ),
    woke: () => undefined,
  }
  return policy
}

/** `keeps`: as a camera does, that hands packets over where it can. */
async function run(clip: string, policy: RestPolicy | null, { keeps = false } = {}) {
  await using demuxer = await Demuxer.open(clip, { openTimeoutMs: 5000 })
  using decoder = await Decoder.open(demuxer.stream, { threads: 1, callTimeoutMs: 5000, clock: systemClock })
  using gated = new GatedDecoder(decoder, policy)
  const seen: { ptsMs: number; bytes: number }[] = []
  let undecoded = 0
  for (let more = true; more; ) {
    const own = newPacket()
    const { packet } = await demuxer.read(own)
    const kept = packet && keeps ? gated.keep(packet, packet.size, packet.isKeyframe) : undefined
    for await (const output of outputs(gated, packet, kept)) {
      if ('undecoded' in output) undecoded += output.undecoded
      else if ('frame' in output) {
        const { frame, ptsMs } = output
        seen.push({ ptsMs: Math.round(ptsMs!), bytes: checksum(frame.data![0]!) })
        frame.free()
      }
    }
    if (kept === undefined) own.free()
    more = packet !== null
  }
  return { seen, undecoded }
}

async function* outputs(gated: GatedDecoder, packet: Packet | null, kept: 'kept' | 'stirred' | undefined) {
  if (kept === 'stirred') yield* gated.wake()
  else if (kept === undefined) yield* gated.take(packet)
}

/** Of every 97th byte: a picture that was decoded on a wrong reference differs in it. */
function checksum(plane: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < plane.length; at += 97) sum = (Math.imul(sum, 31) + plane[at]!) >>> 0
  return sum
}

const shares = fc.record({
  rest: fc.constantFrom(0.5, 1),
  stir: fc.constantFrom(0, 0.03, 0.3),
  differ: fc.constantFrom(0, 0.5),
})
const answers = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
  minLength: 50,
  maxLength: 50,
})

const streams: [string, ClipOptions & { scene?: Scene }, { lost: number }][] = [
  ['P-frames', {}, { lost: 0 }],
  // I-frames of one size: most of them are not looked at.
  ['a scene that stands still', { scene: 'quiet', seconds: 8 }, { lost: 0 }],
  [
    'a scene that stands still, with B-frames over open groups',
    { scene: 'quiet', seconds: 8, bFrames: 3, openGop: true },
    { lost: 3 },
  ],
  ['B-frames', { bFrames: 3 }, { lost: 0 }],
  // Pictures that are shown before the I-frame after which they come lean on the group before, which is not decoded.
  ['B-frames over open groups', { bFrames: 3, openGop: true }, { lost: 3 }],
  ['I-frames alone', { gop: 1 }, { lost: 0 }],
  ['H.265', { codec: 'hevc' }, { lost: 3 }],
]

describe.skipIf(!hasClips)('the gated decoder', () => {
  it.each(streams)('%s', async (_, options, { lost }) => {
    const { scene = 'person', seconds = SECONDS, ...coding } = options
    const clip = cameraClip(scene, { ...coding, fps: FPS, seconds, gop: options.gop ?? FPS, width: 320 })
    const full = await run(clip, null)
    expect(full.seen).toHaveLength(FPS * seconds)
    const truth = new Map(full.seen.map(({ ptsMs, bytes }) => [ptsMs, bytes]))
    await fc.assert(
      fc.asyncProperty(answers, shares, fc.boolean(), async (answers, chances, keeps) => {
        const { seen, undecoded } = await run(clip, whim(answers, chances), { keeps })
        const pts = seen.map(({ ptsMs }) => ptsMs)
        expect(pts).toEqual([...new Set(pts)].sort((a, b) => a - b))
        for (const { ptsMs, bytes } of seen) expect(bytes).toBe(truth.get(ptsMs))
        const missing = full.seen.length - seen.length - undecoded
        expect(missing).toBeGreaterThanOrEqual(0)
        // At most the leading pictures of each group that it woke in.
        expect(missing).toBeLessThanOrEqual(lost * seconds)
      }),
      { numRuns: 12 },
    )
  })
})
