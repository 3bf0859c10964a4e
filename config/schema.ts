/**
 * The configuration as a schema: every field with its meaning, unit and default. docs/configuration.md is generated
 * from it. Pure; no file is read here (config/load does) and nothing is transformed, so that it is also a JSON Schema.
 */
import { z } from 'zod'
import { NODE_CAMERA } from '../core/event.ts'
import { section } from './section.ts'
import { parseSource, sourceForms } from './source.ts'

const ID = /^[a-z0-9_-]+$/

const id = z
  .string()
  .max(64, 'at most 64 characters')
  .regex(ID, 'only a–z, 0–9, _ and - are allowed (it becomes part of a NATS subject)')
  .refine((value) => value !== NODE_CAMERA, `${NODE_CAMERA} is reserved for events of the node itself`)

const ratio = z.number().min(0).max(1)
const durationMs = z.int().min(1).max(3_600_000)
const count = z.int().min(1)

const analysis = section(
  'How much of a stream is analysed.',
  {
    fps: z
      .union([z.literal('all'), z.number().positive().max(240)], {
        error: 'expected a number of frames up to 240, or all',
      })
      .describe('Frames analysed per second of media time; `all` analyses every frame.'),
    width: z
      .int()
      .min(64)
      .max(4096)
      .describe('Width of the analysis picture, px; its height follows. Faces are cropped from the full picture.'),
  },
  { fps: 5, width: 640 },
)

const motion = section(
  'The motion gate: frames without movement are skipped before any model runs.',
  {
    enabled: z.boolean().describe('`false` sends every analysed frame to the models.'),
    minAreaRatio: ratio.describe('Share of the picture that must change, 0–1.'),
    pixelThreshold: z.number().min(1).max(255).describe('Change of a pixel that counts, in 8-bit grey levels.'),
    quietSeconds: z.number().min(0).max(3600).describe('The gate closes after so many seconds without movement.'),
  },
  { enabled: true, minAreaRatio: 0.002, pixelThreshold: 18, quietSeconds: 2 },
)

const faces = section(
  'Face detection and recognition.',
  {
    enabled: z.boolean().describe('`false` runs no face model for the camera.'),
    detectThreshold: ratio.describe('Score from which a detection is a face, 0–1.'),
    matchThreshold: z
      .union([z.literal('auto'), ratio], { error: 'expected a cosine from 0 to 1, or auto' })
      .describe('Cosine from which a face is a known person; `auto` is what the embedder was calibrated to.'),
    minMargin: ratio.describe('Least lead in cosine over the second-best person.'),
    maxPerFrame: z.int().min(1).max(100).describe('Most faces taken from one frame, best first.'),
    liveness: z
      .union([z.boolean(), z.enum(['require', 'report', 'off'])], {
        error: 'expected require, report, off, true or false',
      })
      .describe(
        'Whether a face is a person or a picture of one. `require` confirms a name only of a track that is judged live; ' +
          '`report` judges and decides nothing by it; `off` (or `false`) does not look. `true` is `require` where the ' +
          'liveness models are installed, and without them confirms names unchecked, with a warning; `require` then confirms none.',
      ),
    confirmEmbeddings: z
      .int()
      .min(2, 'at least 2: a name is never confirmed from one face')
      .max(50)
      .describe('Embeddings of a track that must agree before a name is confirmed; at least 2.'),
    unknown: z
      .enum(['remember', 'forget'])
      .describe('Whether people without a name get an id that stays the same over tracks, cameras and days.'),
    detector: z
      .string()
      .min(1)
      .describe('Model id of the detector, or `auto`: the best that is installed (`grabber models list` says which).'),
    embedder: z
      .string()
      .min(1)
      .describe(
        'Model id of the embedder, or `auto`: that of the gallery, else the best that is installed. The gallery belongs to one embedder.',
      ),
  },
  {
    enabled: true,
    detectThreshold: 0.7,
    matchThreshold: 'auto',
    minMargin: 0.05,
    maxPerFrame: 10,
    liveness: true,
    confirmEmbeddings: 3,
    unknown: 'remember',
    detector: 'auto',
    embedder: 'auto',
  },
)

export const cameraSchema = z
  .strictObject({
    source: z
      .string({
        error: (issue) => (issue.input === undefined ? 'required: where do its pictures come from?' : undefined),
      })
      .refine((text) => parseSource(text) !== undefined, `not a source; the forms are ${sourceForms}`)
      .describe(
        `Where the pictures come from: ${sourceForms}. A relative file path starts at the configuration file. ` +
          'This version runs `file:` only; a camera of another kind is refused when it starts (SRC_UNSUPPORTED).',
      ),
    priority: z
      .int()
      .min(0)
      .max(10)
      .default(1)
      .describe('Weight under load, 0–10: the engine serves cameras in proportion to priority + 1.'),
    loop: z
      .union([z.boolean(), count.max(1_000_000)], { error: 'expected true, false or a number of passes' })
      .default(false)
      .describe('For files: `true` plays for ever, `false` once, a number so many passes.'),
    analysis: analysis.override,
    motion: motion.override,
    faces: faces.override,
  })
  .describe('One camera.')

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
    node: id.default('edge-1').describe('Name of this box in event subjects.'),
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
      .describe('Health, metrics and the read-only API.'),
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
    defaults: z
      .strictObject({ analysis: analysis.full, motion: motion.full, faces: faces.full })
      .prefault({})
      .describe('What every camera inherits.'),
    cameras: z
      .record(id, cameraSchema)
      .default({})
      .describe('The cameras by id; a–z, 0–9, _ and - are allowed in an id.'),
  })
  .describe('Configuration of grabber.')

/** The effective configuration: every default filled in, secrets substituted, paths absolute. Holds secrets. */
export type Config = z.output<typeof configSchema>
export type LogLevel = Config['log']['level']

/** JSON Schema (2020-12) of the file as a person writes it. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: 'input' }) as Record<string, unknown>
}
