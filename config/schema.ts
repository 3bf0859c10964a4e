/**
 * The configuration as a schema: every field with its meaning, unit and default. docs/configuration.md is generated
 * from it. Pure; no file is read here (config/load does) and nothing is transformed, so that it is also a JSON Schema.
 */
import { z } from 'zod'
import { NODE_CAMERA } from '../core/event.ts'
import { cameraDefaults, cameraSchema } from './camera-schema.ts'
import { jobSchema } from './job-schema.ts'
import { straysOf } from './keyframe-schema.ts'

const ID = /^[a-z0-9_-]+$/

/** Of a node or a camera. */
export const idSchema = z
  .string()
  .max(64, 'at most 64 characters')
  .regex(ID, 'only a–z, 0–9, _ and - are allowed (it becomes part of a NATS subject)')
  .refine((value) => value !== NODE_CAMERA, `${NODE_CAMERA} is reserved for events of the node itself`)

const durationMs = z.int().min(1).max(3_600_000)

const natsUrl = z
  .string()
  .refine(
    (text) => text === 'auto' || text === 'none' || text.split(',').every((url) => /^(nats|tls):\/\/\S+$/.test(url)),
    {
      error: 'expected auto, none, nats://HOST:PORT or tls://HOST:PORT (several separated by commas)',
    },
  )

const deviceKinds = ['tensorrt', 'cuda', 'webgpu', 'cpu'] as const

const deviceChoice = z.strictObject({
  device: z.enum(deviceKinds),
  index: z.int().min(0).max(63).default(0).describe('Of the GPU, as nvidia-smi counts.'),
})

export const configSchema = z
  .strictObject({
    node: idSchema.default('edge-1').describe('Name of this box in event subjects.'),
    data: z
      .string()
      .min(1)
      .default('./data')
      .describe('Folder for everything the daemon writes; a relative path starts at the configuration file.'),
    log: z
      .strictObject({
        level: z
          .enum(['debug', 'info', 'warn', 'error'])
          .default('info')
          .describe('Least severe lines that are written.'),
      })
      .prefault({})
      .describe('Logging, to stderr.'),
    http: z
      .strictObject({
        host: z.string().min(1).default('127.0.0.1').describe('Address to listen on. There is no authentication yet.'),
        port: z.int().min(0).max(65535).default(8080).describe('TCP port; 0 takes a free one (see data/run.json).'),
      })
      .prefault({})
      .describe('Health, metrics and the API; on a loopback address cameras can be started and stopped by it.'),
    nats: z
      .strictObject({
        url: natsUrl
          .default('auto')
          .describe(
            '`auto` starts a local nats-server; `none` publishes within the process only; or nats://HOST:PORT, tls://HOST:PORT.',
          ),
      })
      .prefault({})
      .describe('Where events are published.'),
    engine: z
      .strictObject({
        device: z
          .enum(['auto', ...deviceKinds])
          .default('auto')
          .describe(
            '`auto` tries CUDA, then WebGPU, then the CPU; `tensorrt` tries TensorRT, then CUDA; another is tried alone.',
          ),
        devices: z
          .union([z.literal('auto'), z.array(deviceChoice).min(1).max(64)], {
            error: 'expected auto, or a list such as [{ device: cuda, index: 0 }]',
          })
          .default('auto')
          .refine(
            (list) =>
              list === 'auto' || new Set(list.map(({ device, index }) => `${device} ${index}`)).size === list.length,
            'a device is listed twice',
          )
          .describe(
            'One engine each: `auto` is every GPU that nvidia-smi shows and `device` allows, else one engine; or a list, which takes the place of `device`.',
          ),
        threads: z
          .union([z.literal('auto'), z.int().min(1).max(256)], { error: 'expected a number of threads, or auto' })
          .default('auto')
          .describe('Threads that run one model on the CPU; `auto` decides by the number of cores.'),
        batch: z
          .strictObject({
            max: z.int().min(1).max(64).default(8).describe('Most pictures in one run of a model.'),
            maxWaitMs: z
              .int()
              .min(0)
              .max(10_000)
              .default(100)
              .describe(
                'How long a request may be passed over for a fuller batch, ms; nothing waits for a batch to fill.',
              ),
            targetLatencyMs: z
              .int()
              .min(1)
              .max(60_000)
              .default(200)
              .describe(
                'Queue and run of a request together, ms: batches are made so small that they run for half of it.',
              ),
          })
          .prefault({})
          .describe('Batching across all cameras.'),
        queueLimit: z
          .int()
          .min(1)
          .max(100_000)
          .default(1000)
          .describe('Requests that may wait; one more is refused (ENG_QUEUE_FULL).'),
      })
      .prefault({})
      .describe('The inference engine.'),
    events: z
      .strictObject({
        historyRows: z
          .int()
          .min(1000)
          .max(100_000_000)
          .default(100_000)
          .describe('Published events kept in the store, rows; the oldest go first.'),
      })
      .prefault({})
      .describe('The event history.'),
    visitors: z
      .strictObject({
        maxPeople: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(10_000)
          .describe('People without a name who are remembered; the one who was not seen for longest is forgotten.'),
        maxTracks: z
          .int()
          .min(0)
          .max(1_000_000)
          .default(5000)
          .describe('Ended tracks of which up to four embeddings are kept, for `grabber faces calibrate`.'),
      })
      .prefault({})
      .describe('What is remembered where `faces.unknown` is `remember`.'),
    reconnect: z
      .strictObject({
        minMs: durationMs
          .default(1000)
          .describe('First pause before a camera is tried again, ms; each is twice the last.'),
        maxMs: durationMs.default(60_000).describe('Longest pause, ms, jitter included.'),
        goodMs: durationMs.default(60_000).describe('Good frames for this long forget the failures before, ms.'),
        crashes: z
          .int()
          .min(0)
          .max(1000)
          .default(5)
          .describe('Crashes of a camera within `crashWindowMs` that are borne.'),
        crashWindowMs: durationMs.default(60_000).describe('One crash more within this time is quarantine, ms.'),
        probeMs: durationMs.default(60_000).describe('Between two tries of a camera in quarantine, ms.'),
      })
      .refine(({ minMs, maxMs }) => minMs <= maxMs, { path: ['maxMs'], error: 'must not be below minMs' })
      .prefault({})
      .describe('How cameras come back.'),
    load: z
      .strictObject({
        shed: z
          .boolean()
          .default(true)
          .describe('Whether cameras of low priority lose rate when the box is overloaded.'),
        windowMs: durationMs.default(2000).describe('Overload for this long takes rate away, ms.'),
        calmMs: durationMs.default(10_000).describe('Calm for this long gives a step of it back, ms.'),
        minShare: z
          .number()
          .min(0.01)
          .max(1)
          .default(0.125)
          .describe('Least share of its rate that a camera keeps, 0–1.'),
      })
      .prefault({})
      .describe('What happens when there is more to do than the box can.'),
    timeouts: z
      .strictObject({
        helloMs: durationMs.default(10_000).describe('A child process must report within this time, ms.'),
        openMs: durationMs.default(10_000).describe('A source must open within this time, ms.'),
        silenceMs: durationMs.default(10_000).describe('A child that says nothing for this long is killed, ms.'),
        stallMs: durationMs.default(20_000).describe('A live camera without a frame for this long is stalled, ms.'),
        askMs: durationMs.default(10_000).describe('The engine or the gallery must answer within this time, ms.'),
        stopMs: durationMs.default(5_000).describe('A child has this long to stop before it gets a signal, ms.'),
        killMs: durationMs.default(2_000).describe('From SIGTERM to SIGKILL, ms.'),
      })
      .prefault({})
      .describe('Deadlines between the processes (docs/protocol.md).'),
    jobs: jobSchema,
    defaults: cameraDefaults,
    cameras: z
      .record(idSchema, cameraSchema)
      .default({})
      .describe('The cameras by id; a–z, 0–9, _ and - are allowed in an id.'),
  })
  .superRefine(({ defaults, cameras }, context) => {
    const refuse = (path: string[], given: Parameters<typeof straysOf>[0], mode: Parameters<typeof straysOf>[1]) => {
      const message = `only with mode custom: the mode here is ${mode}`
      for (const name of straysOf(given, mode))
        context.addIssue({ code: 'custom', path: [...path, 'keyframes', name], message })
    }
    refuse(['defaults'], defaults.keyframes, defaults.keyframes.mode)
    for (const [id, { keyframes = {} }] of Object.entries(cameras)) {
      refuse(['cameras', id], keyframes, keyframes.mode ?? defaults.keyframes.mode)
    }
  })
  .describe('Configuration of grabber.')

/** The effective configuration: every default filled in, secrets substituted, paths absolute. Holds secrets. */
export type Config = z.output<typeof configSchema>
export type LogLevel = Config['log']['level']

/** JSON Schema (2020-12) of the file as a person writes it. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: 'input' }) as Record<string, unknown>
}
