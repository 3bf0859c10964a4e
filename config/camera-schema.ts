/**
 * The part of the configuration that speaks of cameras: what each inherits, and what each may say for itself. Pure schema;
 * docs/configuration.md is generated from it.
 */
import { z } from 'zod'
import { keyframes } from './keyframe-schema.ts'
import { section } from './section.ts'
import { parseSource, sourceForms } from './source.ts'

const ratio = z.number().min(0).max(1)
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

const picture = section(
  'When the picture of a live camera is not a healthy one.',
  {
    frozenSeconds: z
      .number()
      .min(1)
      .max(3600)
      .describe('A picture in which nothing changes, not even noise, for this long is frozen, s.'),
    blackSeconds: z.number().min(1).max(3600).describe('A picture without light for this long is black, s.'),
  },
  { frozenSeconds: 30, blackSeconds: 10 },
)

const transport = z
  .enum(['auto', 'tcp', 'udp'])
  .describe('How RTP travels: `auto` is TCP, and UDP where the camera does not offer TCP.')
const gating = z
  .union([z.enum(['on', 'off']), z.boolean()], { error: 'expected on or off' })
  .describe(
    'Compressed-domain gating: while nothing happens only I-frames are decoded, and what came since the last one when ' +
      'something does. Works through the motion gate: without `motion.enabled` every frame is decoded.',
  )
const hardware = z
  .enum(['prefer', 'require', 'off'])
  .describe(
    'Hardware decoding (CUDA, VAAPI, QSV, VideoToolbox): `prefer` takes what really decodes the stream and falls back to ' +
      'software, `require` does not fall back (DEC_HARDWARE), `off` does not try.',
  )

const capture = z
  .strictObject({
    width: z.int().min(16).max(16_384).optional().describe('px.'),
    height: z.int().min(16).max(16_384).optional().describe('px.'),
    fps: z.number().positive().max(240).optional().describe('Pictures per second.'),
    format: z
      .string()
      .regex(/^[a-z0-9_]+$/, 'a name of FFmpeg, such as yuyv422 or mjpeg')
      .optional()
      .describe('Pixel format or codec as FFmpeg names it, such as yuyv422 or mjpeg.'),
  })
  .describe('What a v4l2: device is asked for; what is left out is up to the device.')

export const cameraSchema = z
  .strictObject({
    source: z
      .string({
        error: (issue) => (issue.input === undefined ? 'required: where do its pictures come from?' : undefined),
      })
      .refine((text) => parseSource(text) !== undefined, `not a source; the forms are ${sourceForms}`)
      .describe(
        `Where the pictures come from: ${sourceForms}. A relative file path starts at the configuration file. ` +
          'An http address is MJPEG, HLS or a plain video; an onvif address may end in ?profile=TOKEN.',
      ),
    enabled: z.boolean().default(true).describe('`false` keeps the camera in the list and does not start it.'),
    substream: z
      .string()
      .refine(
        (text) => ['rtsp', 'http', 'onvif'].includes(parseSource(text)?.kind ?? ''),
        'expected an rtsp, http or onvif address',
      )
      .optional()
      .describe(
        'A smaller stream of the same camera, analysed in place of `source`; faces are then cut from it as well.',
      ),
    transport: transport.optional(),
    capture: capture.optional(),
    gating: gating.optional(),
    hardware: hardware.optional(),
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
    picture: picture.override,
    keyframes: keyframes.override,
  })
  .describe('One camera.')

const address = z.string().min(1).max(2048)

/**
 * A camera as it is written, before its references are substituted: what can be said of it then. Whether its addresses are
 * sources turns out when it is loaded.
 */
export const writtenCameraSchema = cameraSchema.extend({ source: address, substream: address.optional() })

/** What every camera inherits, field by field. */
export const cameraDefaults = z
  .strictObject({
    analysis: analysis.full,
    motion: motion.full,
    faces: faces.full,
    picture: picture.full,
    keyframes: keyframes.full,
    transport: transport.default('auto'),
    gating: gating.default('on'),
    hardware: hardware.default('prefer'),
  })
  .prefault({})
  .describe('What every camera inherits.')
