/**
 * The kinds of hardware that decode, by platform, in the order in which they are tried; and a decoding context on one of them.
 * Session host only. Must never give back a picture that was decoded in software: the kind that is reported is what decodes.
 */
import { existsSync, readdirSync } from 'node:fs'
import { Codec, type CodecContext, Frame, HardwareDeviceContext, type Packet, type Stream } from 'node-av'
import {
  AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX,
  AV_HWDEVICE_TYPE_CUDA,
  AV_HWDEVICE_TYPE_QSV,
  AV_HWDEVICE_TYPE_VAAPI,
  AV_HWDEVICE_TYPE_VIDEOTOOLBOX,
  AVERROR_EXTERNAL,
  type AVHWDeviceType,
  type AVPixelFormat,
} from 'node-av/constants'
import { GrabberError } from '../../core/errors.ts'
import { type DecodingContext, newContext } from './decoding-context.ts'
import { expectStatus } from './ffmpeg-status.ts'

/** A row of the table; tests bring rows of their own. */
export interface HardwareDevice {
  /** As `StreamInfo.decoder` names it. */
  name: string
  /** Why it need not be tried on this machine, without touching a driver; `undefined` when it should be. */
  unseen(): string | undefined
  /** A context for this stream. Throws what says why there is none. */
  open(stream: Stream): Promise<DecodingContext>
}

interface Row {
  name: string
  type: AVHWDeviceType
  platforms: readonly NodeJS.Platform[]
  /** Nodes in /dev and /dev/dri of which one must be there, on Linux. */
  nodes: RegExp
}

/**
 * /dev/nvidia0 by the driver, /dev/dxg under WSL. Jetson boards have a decoder of their own that FFmpeg does not reach this way.
 * QSV on Linux goes through VAAPI, which does the same for decoding without a second library, so it comes last.
 */
const ROWS: readonly Row[] = [
  { name: 'cuda', type: AV_HWDEVICE_TYPE_CUDA, platforms: ['linux', 'win32'], nodes: /^(nvidia\d+|dxg)$/ },
  { name: 'vaapi', type: AV_HWDEVICE_TYPE_VAAPI, platforms: ['linux'], nodes: /^renderD\d+$/ },
  { name: 'qsv', type: AV_HWDEVICE_TYPE_QSV, platforms: ['linux', 'win32'], nodes: /^renderD\d+$/ },
  { name: 'videotoolbox', type: AV_HWDEVICE_TYPE_VIDEOTOOLBOX, platforms: ['darwin'], nodes: /^$/ },
]

/** What can be seen of the machine without touching a driver. */
export interface DecodingMachine {
  platform: NodeJS.Platform
  /** Names in /dev and /dev/dri. */
  deviceNodes: readonly string[]
}

function viewMachine(): DecodingMachine {
  const nodes = ['/dev', '/dev/dri'].flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
  return { platform: process.platform, deviceNodes: nodes }
}

/** The hardware of this platform, first choice first. */
export function hardwareDevices(machine: DecodingMachine = viewMachine()): HardwareDevice[] {
  return ROWS.filter(({ platforms }) => platforms.includes(machine.platform)).map(({ name, type, nodes }) => ({
    name,
    unseen: () =>
      machine.platform !== 'linux' || machine.deviceNodes.some((node) => nodes.test(node))
        ? undefined
        : 'no device node',
    open: (stream) => HardwareContext.open(stream, type),
  }))
}

class HardwareContext implements DecodingContext {
  readonly #device: HardwareDeviceContext
  readonly #context: CodecContext
  readonly #format: AVPixelFormat
  /** A picture in the device's memory, until it is copied out. */
  readonly #surface = new Frame()

  private constructor(device: HardwareDeviceContext, context: CodecContext, format: AVPixelFormat) {
    this.#device = device
    this.#context = context
    this.#format = format
    this.#surface.alloc()
  }

  /** Errors: DEC_HARDWARE. Loading the driver is one synchronous native call; FFmpeg offers no other. */
  static async open(stream: Stream, type: AVHWDeviceType): Promise<HardwareContext> {
    const { codec, format } = decoderFor(stream, type)
    const context = newContext(stream, codec)
    const device = new HardwareDeviceContext()
    try {
      expectStatus(device.create(type, null, null), 'DEC_HARDWARE', 'the device cannot be opened')
      context.hwDeviceCtx = device
      context.setHardwarePixelFormat(format)
      // Threads are the device's business; FFmpeg's own would only hold more surfaces.
      context.threadCount = 1
      expectStatus(await context.open2(codec, null), 'DEC_HARDWARE', `decoder ${codec.name} cannot be opened`)
      return new HardwareContext(device, context, format)
    } catch (error) {
      context.freeContext()
      device.free()
      throw error
    }
  }

  send(packet: Packet | null): Promise<number> {
    return this.#context.sendPacket(packet)
  }

  async receive(frame: Frame): Promise<number> {
    const surface = this.#surface
    const status = await this.#context.receiveFrame(surface)
    if (status < 0) return status
    try {
      // FFmpeg falls back to software by itself when the device does not take the stream's new format.
      if (surface.format !== this.#format) return AVERROR_EXTERNAL
      const copied = await surface.hwframeTransferData(frame)
      return copied < 0 ? copied : frame.copyProps(surface)
    } finally {
      surface.unref()
    }
  }

  flush(): void {
    this.#context.flushBuffers()
  }

  [Symbol.dispose](): void {
    this.#surface.free()
    this.#context.freeContext()
    this.#device.free()
  }
}

/** The decoder of the stream's codec that runs on `type`; FFmpeg's usual one first. Throws DEC_HARDWARE. */
function decoderFor({ codecpar }: Stream, type: AVHWDeviceType): { codec: Codec; format: AVPixelFormat } {
  const usual = Codec.findDecoder(codecpar.codecId)
  const others = Codec.getCodecList().filter((codec) => codec.isDecoder() && codec.id === codecpar.codecId)
  for (const codec of usual ? [usual, ...others] : others) {
    for (let index = 0; ; index++) {
      const config = codec.getHwConfig(index)
      if (!config) break
      const takesDevice = (config.methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX) !== 0
      if (takesDevice && config.deviceType === type) return { codec, format: config.pixFmt }
    }
  }
  throw new GrabberError('DEC_HARDWARE', `it has no decoder for ${usual?.name ?? 'this codec'}`)
}
