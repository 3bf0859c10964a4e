/**
 * Packages that are fragile, native or likely to be replaced, and the only places that may import them.
 * Tests and scripts are free: a test of an adapter may look at the real thing.
 */
export interface ImporterRow {
  package: string
  /** Files, or folders that end with `/`, or any file when empty. */
  allowed: readonly string[]
  /** How many files may import it. */
  max: number
  reason: string
}

const ANY_NUMBER = Number.POSITIVE_INFINITY

export const singleImporters: readonly ImporterRow[] = [
  {
    package: 'node-av',
    allowed: ['streams/media/'],
    max: ANY_NUMBER,
    reason: 'native code on hostile input: session hosts only, behind the names of that folder',
  },
  {
    package: 'onnxruntime-node',
    allowed: ['models/'],
    max: 1,
    reason: 'run() blocks its thread and CUDA needs an install step of its own: the inference worker only',
  },
  { package: 'nats', allowed: ['src/bus/'], max: 1, reason: '@nats-io/* 3.x is the successor' },
  {
    package: 'node:sqlite',
    allowed: ['src/store/sqlite.ts'],
    max: 1,
    reason: 'its API is not declared stable in Node 24',
  },
  { package: 'pino', allowed: ['src/ops/logger.ts'], max: 1, reason: 'everybody else speaks to the Logger port' },
  {
    package: 'prom-client',
    allowed: ['src/ops/metrics.ts'],
    max: 1,
    reason: 'one registry, one place that bounds labels',
  },
  { package: 'fastify', allowed: ['src/http/server.ts'], max: 1, reason: 'routes are data; the server is an adapter' },
  {
    package: 'commander',
    allowed: ['src/main.ts', 'src/cli/'],
    max: ANY_NUMBER,
    reason: 'the command line ends where the application begins',
  },
  {
    package: 'zod',
    allowed: ['core/', 'config/', 'models/', 'src/'],
    max: ANY_NUMBER,
    reason: 'schemas stand at boundaries; inside, values are parsed already',
  },
  {
    package: 'saxes',
    allowed: ['streams/sources/onvif/xml.ts'],
    max: 1,
    reason: 'XML from devices is hostile input: one place that bounds it and refuses document types',
  },
  {
    package: 'fluent-ffmpeg',
    allowed: ['src/media/ffmpeg.ts'],
    max: 1,
    reason: 'archived upstream: kept replaceable',
  },
  { package: 'node-rtsp-stream', allowed: [], max: 1, reason: 'its bare WebSocket server has no authentication' },
  {
    package: '@techstark/opencv-js',
    allowed: ['streams/opencv/orb.ts'],
    max: 1,
    reason: 'the module is a thenable that resolves to itself',
  },
]
