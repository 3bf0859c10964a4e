import { expect, it } from 'vitest'
import { configSchema } from '../../config/schema.ts'
import type { BusMessage } from '../../core/ports.ts'
import { readLetter } from '../../src/bus/dead-letter.ts'
import { DeadLetters } from '../../src/bus/dead-letters.ts'
import { MemoryBus } from '../../src/bus/memory-bus.ts'
import { TriggerDesk } from '../../src/trigger-desk.ts'
import { RecordingCameras } from './recording-cameras.ts'
import { RecordingLogger } from './recording-logger.ts'
import { settle, VirtualClock } from './virtual-clock.ts'

function setUp() {
  const logger = new RecordingLogger()
  const clock = new VirtualClock()
  const bus = new MemoryBus(logger)
  const cameras = new RecordingCameras(configSchema.parse({ cameras: { lobby: { source: 'file:/a.mp4' } } }))
  const letters: BusMessage[] = []
  bus.subscribe('grabber.edge.dead.*', (letter) => letters.push(letter))
  const counted: string[] = []
  const dead = new DeadLetters({ bus, logger, onLetter: (reason) => counted.push(reason) })
  const desk = new TriggerDesk({ node: 'edge', bus, cameras, dead, clock, logger })
  const send = async (payload: string, camera = 'lobby') => {
    await bus.publishStored({
      subject: `grabber.edge.trigger.${camera}`,
      headers: { 'x-from': 'door' },
      data: Buffer.from(payload),
    })
    await settle()
  }
  return { logger, clock, cameras, letters, counted, desk, send }
}

it('wakes the camera that is named, for as long as is said, on the bus inside the process as well', async () => {
  const { cameras, letters, send, desk, logger } = setUp()
  await send('{"reason":"Ada at the door"}')
  await send('{"reason":"door","keyframe":true,"seconds":600}')
  expect(cameras.told).toEqual(['trigger lobby Ada at the door 10000 false', 'trigger lobby door 600000 true'])
  cameras.awake = false
  await send('{"reason":"door"}')
  expect(letters).toEqual([])
  expect(JSON.stringify(logger.lines)).not.toContain('Ada')
  desk.close()
  await send('{"reason":"late"}')
  expect(cameras.told).toHaveLength(3)
})

it.each([
  ['no JSON', '{"reason"', 'API_BAD_REQUEST', /not valid JSON/],
  ['no reason', '{}', 'API_BAD_REQUEST', /^reason: /],
  [
    'a field that is not known',
    '{"reason":"x","second":5}',
    'API_BAD_REQUEST',
    /second: unknown key, did you mean seconds\?/,
  ],
  ['too long', '{"reason":"x","seconds":601}', 'API_BAD_REQUEST', /seconds: .*600/],
  ['not long enough', '{"reason":"x","seconds":0}', 'API_BAD_REQUEST', /seconds: /],
  ['words for a picture', '{"reason":"x","keyframe":"yes"}', 'API_BAD_REQUEST', /keyframe: /],
])('%s: a dead letter with the reason, and what came as it came', async (_, payload, code, message) => {
  const { cameras, letters, counted, send } = setUp()
  await send(payload)
  expect(cameras.told).toEqual([])
  expect(letters.map(({ subject }) => subject)).toEqual(['grabber.edge.dead.lobby'])
  expect(readLetter(letters[0]!.data)).toEqual({
    reason: { code, message: expect.stringMatching(message), remedy: expect.any(String) },
    subject: 'grabber.edge.trigger.lobby',
    message: { headers: { 'x-from': 'door' }, dataBase64: Buffer.from(payload).toString('base64') },
  })
  expect(counted).toEqual([code])
})

it('a camera that is not there: a dead letter of that camera, or of the node where it can be none', async () => {
  const { letters, send } = setUp()
  await send('{"reason":"x"}', 'nobody')
  await send('{"reason":"x"}', 'No Camera')
  expect(letters.map(({ subject }) => subject)).toEqual(['grabber.edge.dead.nobody', 'grabber.edge.dead._node'])
  expect(readLetter(letters[0]!.data)?.reason.code).toBe('API_NOT_FOUND')
})

it('writes ten letters at once, then one in ten seconds, and says how many it did not write', async () => {
  const { letters, send, clock, logger } = setUp()
  for (let n = 0; n < 30; n++) await send(`{"n":${n}}`)
  expect(letters).toHaveLength(10)
  await clock.advance(10_000)
  await send('{"n":30}')
  await send('{"n":31}')
  expect(letters).toHaveLength(11)
  const warnings = logger.lines.filter(({ level }) => level === 'warn')
  expect(warnings.map(({ fields }) => fields)).toEqual([{}, { triggers: 20 }, {}])
  await clock.advance(3_600_000)
  for (let n = 40; n < 60; n++) await send(`{"n":${n}}`)
  expect(letters).toHaveLength(21)
})

it('the same wrong words are one letter', async () => {
  const { letters, send } = setUp()
  for (let n = 0; n < 3; n++) await send('{}')
  expect(letters).toHaveLength(1)
})
