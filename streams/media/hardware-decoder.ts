/**
 * Which device decodes a stream: the first that really gives a picture of its first I-frame. Session host only.
 * A driver that lists a codec may still refuse this profile, this size or this session's memory, so nothing else is believed.
 */
import { Frame, type Packet, type Stream } from 'node-av'
import { AVERROR_EAGAIN } from 'node-av/constants'
import type { Clock } from '../../core/clock.ts'
import { GrabberError } from '../../core/errors.ts'
import type { DecodingContext } from './decoding-context.ts'
import { statusText } from './ffmpeg-status.ts'
import type { HardwareDevice } from './hardware-devices.ts'
import { PatientCall } from './patient-call.ts'

export type HardwarePolicy = 'require' | 'prefer' | 'off'

/** Hardware that was not taken, and why; for `StreamInfo.refused`. */
export interface RefusedDevice {
  device: string
  reason: string
}

export interface HardwareOptions {
  policy: HardwarePolicy
  /** What is tried, first choice first; this platform's when absent. */
  devices?: readonly HardwareDevice[]
  probeTimeoutMs?: number
  /** The device failed in the middle and software goes on. */
  onFallback?(failed: RefusedDevice): void
}

/** A decoding context, what it runs on, and the limit of its calls. */
export interface Seat {
  /** `software`, or the name of the device. */
  device: string
  context: DecodingContext
  call: PatientCall
}

const givenUp: unknown[] = []
/** Devices that hung: each further try would cost this process another thread of libuv's pool. */
const hung = new Set<string>()

/** What a call that was given up may still use is never freed, neither by us nor by the garbage collector. */
export function keepForStuckCall(...things: unknown[]): void {
  givenUp.push(...things)
}

/** Frees the seat, or lets go of it for good when a call is stuck in it. */
export function leaveSeat(seat: Seat): void {
  seat.call[Symbol.dispose]()
  if (seat.call.stuck) {
    hung.add(seat.device)
    keepForStuckCall(seat)
  } else seat.context[Symbol.dispose]()
}

/** A decoder cannot be interrupted, only given up. */
export function newCall(clock: Clock): PatientCall {
  return new PatientCall(clock, () => undefined)
}

/** Splits the table: what this machine does not show, and what hung before, is not tried. */
export function visibleDevices(devices: readonly HardwareDevice[]): {
  visible: HardwareDevice[]
  refused: RefusedDevice[]
} {
  const reasons = devices.map(({ name, unseen }) => (hung.has(name) ? 'it hung before in this process' : unseen()))
  return {
    visible: devices.filter((_, index) => reasons[index] === undefined),
    refused: devices.flatMap(({ name }, index) => (reasons[index] ? [{ device: name, reason: reasons[index] }] : [])),
  }
}

/**
 * The first of `devices` that decodes `packet`, an I-frame of `stream`; ready for that packet and those after it.
 * Each has `timeoutMs` for opening and again for its picture. `seat` is `undefined` when all are refused.
 */
export async function chooseDecoder(
  stream: Stream,
  packet: Packet,
  devices: readonly HardwareDevice[],
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
): Promise<{ seat: Seat | undefined; refused: RefusedDevice[] }> {
  const refused: RefusedDevice[] = []
  for (const device of devices) {
    try {
      return { seat: await tryDevice(device, stream, packet, clock, timeoutMs), refused }
    } catch (error) {
      refused.push({ device: device.name, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  return { seat: undefined, refused }
}

async function tryDevice(
  device: HardwareDevice,
  stream: Stream,
  packet: Packet,
  clock: Clock,
  timeoutMs: number,
): Promise<Seat> {
  const opening = newCall(clock)
  const context = await opening.run(timeoutMs, () => device.open(stream))
  if (!context) {
    hung.add(device.name)
    throw new GrabberError('DEC_HARDWARE', `it did not open in ${timeoutMs} ms`)
  }
  const seat: Seat = { device: device.name, context, call: newCall(clock) }
  // A call that hangs reads this copy for ever; the packet itself goes on to the next device.
  const sample = packet.clone()
  if (!sample) throw new Error('no memory for a packet')
  try {
    const reason = await seat.call.run(timeoutMs, () => decodeOne(context, sample))
    if (seat.call.stuck) throw new GrabberError('DEC_HARDWARE', `it gave no picture in ${timeoutMs} ms`)
    if (reason !== undefined) throw new GrabberError('DEC_HARDWARE', reason)
    context.flush()
    return seat
  } catch (error) {
    leaveSeat(seat)
    throw error
  } finally {
    if (seat.call.stuck) keepForStuckCall(sample)
    else sample.free()
  }
}

/** Why there is no picture of the packet; `undefined` when there is one. */
async function decodeOne(context: DecodingContext, packet: Packet): Promise<string | undefined> {
  const frame = new Frame()
  frame.alloc()
  try {
    const sent = await context.send(packet)
    if (sent < 0) return `the first picture is refused: ${statusText(sent)}`
    let status = await context.receive(frame)
    if (status === AVERROR_EAGAIN) {
      await context.send(null)
      status = await context.receive(frame)
    }
    return status < 0 ? `there is no first picture: ${statusText(status)}` : undefined
  } finally {
    frame.free()
  }
}
