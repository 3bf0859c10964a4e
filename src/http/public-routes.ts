/**
 * The public routes: health, metrics, reading what the daemon knows, starting and stopping cameras. Runs in the daemon.
 */
import { z } from 'zod'
import { type CommandPort, cameraRoutes } from './command-routes.ts'
import { type HealthAnswer, type HealthReport, live, ready, startup } from './health.ts'
import { type JobPort, jobRoutes } from './job-routes.ts'
import { type KeyframeRecords, keyframeRoutes } from './keyframe-routes.ts'
import { parsed, type Reply, type Route } from './route.ts'

/** What the routes need from the daemon. */
export interface HttpPorts extends CommandPort, JobPort {
  health(): HealthReport
  /** Prometheus text format. */
  metrics(): Promise<string>
  /** The actor tree as it is now. */
  supervision(): unknown
  cameras(): unknown
  /** Newest first. */
  events(limit: number, camera?: string): unknown
  keyframes: KeyframeRecords
}

const eventsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  camera: z
    .string()
    .regex(/^[a-z0-9_-]{1,64}$/, 'not a camera id')
    .optional(),
})

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
const resources = [
  '/api/v1/supervision',
  '/api/v1/cameras',
  '/api/v1/cameras/:id',
  '/api/v1/cameras/:id/start (POST; stop, restart)',
  '/api/v1/events?limit=&camera=',
  '/api/v1/keyframes?limit=&camera=&from=&to=&before=',
  '/api/v1/keyframes/:id/picture',
  '/api/v1/jobs?limit=&state=',
  '/api/v1/jobs/:id',
]

/** `local`: the server listens on a loopback address. */
export function publicRoutes(ports: HttpPorts, { local }: { local: boolean }): Route[] {
  return [
    { method: 'GET', path: '/health/live', answer: () => health(live()) },
    { method: 'GET', path: '/health/ready', answer: () => health(ready(ports.health())) },
    { method: 'GET', path: '/health/startup', answer: () => health(startup(ports.health())) },
    {
      method: 'GET',
      path: '/metrics',
      answer: async () => ({ text: await ports.metrics(), contentType: METRICS_TYPE }),
    },
    { method: 'GET', path: '/api/v1', answer: () => ({ data: resources }) },
    { method: 'GET', path: '/api/v1/supervision', answer: async () => ({ data: await ports.supervision() }) },
    { method: 'GET', path: '/api/v1/cameras', answer: async () => ({ data: await ports.cameras() }) },
    ...cameraRoutes(ports, local),
    {
      method: 'GET',
      path: '/api/v1/events',
      async answer({ query }) {
        const { limit, camera } = parsed(eventsQuery, query)
        return { data: await ports.events(limit, camera) }
      },
    },
    ...keyframeRoutes(ports.keyframes, local),
    ...jobRoutes(ports),
  ]
}

function health({ status, body }: HealthAnswer): Reply {
  return { status, body }
}
