/** The camera's clock on a packet, as FFmpeg lays it out. */
import { Packet } from 'node-av'
import { AV_PKT_DATA_PRFT } from 'node-av/constants'
import { expect, it } from 'vitest'
import { senderTimeMs } from '../../streams/media/sender-time.ts'

it('reads the wall clock of AVProducerReferenceTime, and nothing where there is none', () => {
  using packet = new Packet()
  packet.alloc()
  expect(senderTimeMs(packet)).toBeNull()
  const side = Buffer.alloc(16)
  side.writeBigInt64LE(1_700_000_000_123_456n)
  side.writeInt32LE(24, 8)
  packet.addSideData(AV_PKT_DATA_PRFT, side)
  expect(senderTimeMs(packet)).toBe(1_700_000_000_123.456)
})
