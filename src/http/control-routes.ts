/**
 * The routes of the control socket: what the command line asks of a running daemon. Runs in the daemon.
 */
import { z } from 'zod'
import { type CloudEvent, type EventType, eventSchemas } from '../../core/event.ts'
import type { NewName, Page, Subject, Visitor } from '../../core/ports.ts'
import { MAX_NAME_LENGTH } from '../store/embedding.ts'
import { type CommandPort, controlCommandRoute } from './command-routes.ts'
import { parsed, type Route } from './route.ts'

/** What the routes need from the daemon. Throws GAL_* and STO_* codes. */
export interface ControlPorts extends CommandPort {
  /** `embeddings` are of `model`; L2 normalisation is the gallery's business. */
  enroll(input: EnrollInput): Subject | Promise<Subject>
  /** GAL_UNKNOWN_SUBJECT when there is none. */
  remove(subject: string): void | Promise<void>
  list(page: Page): Subject[] | Promise<Subject[]>
  visitors(page: Page): Promise<Visitor[]>
  /** GAL_UNKNOWN_SUBJECT, GAL_LOOKS_LIKE, GAL_DISAGREE. */
  nameVisitor(id: string, given: NewName): Promise<Subject>
  /** GAL_UNKNOWN_SUBJECT. */
  forgetVisitor(id: string): Promise<void>
  /** Stores the event and has it published; one whose id is known already is dropped. */
  submit(event: CloudEvent): unknown
  /** Takes up models that were installed since the start. MDL_*, ENG_*. */
  refreshModels(): Promise<object>
}

export type EnrollInput = Omit<z.output<typeof enrollBody>, 'embeddings'> & { embeddings: Float32Array[] }

const subjectId = z.string().regex(/^[a-z0-9_-]{1,64}$/, 'a–z, 0–9, _ and - only, at most 64')

const enrollBody = z
  .strictObject({
    subject: subjectId,
    name: z.string().min(1).max(MAX_NAME_LENGTH).nullable().default(null),
    model: z.string().min(1).max(100),
    embeddings: z.array(z.array(z.number()).min(2).max(4096)).min(1).max(100),
  })
  .refine(({ embeddings }) => embeddings.every((each) => each.length === embeddings[0]!.length), {
    path: ['embeddings'],
    error: 'all must be of the same length',
  })

/** A page of a list: the answer of all of them would hold the loop for as long as there are people. */
export const LIST_PAGE = 500
const listQuery = z.strictObject({
  after: z.string().max(100).default(''),
  limit: z.coerce.number().int().min(1).max(LIST_PAGE).default(LIST_PAGE),
})

const nameBody = z.strictObject({
  subject: subjectId,
  name: z.string().min(1).max(MAX_NAME_LENGTH).nullable().default(null),
  allowSimilar: z.boolean().default(false),
  allowDifferent: z.boolean().default(false),
})
const visitorParams = z.object({ id: z.string().regex(/^anon-[a-z2-7]{10}$/, 'not the id of a person without a name') })

const attributes = {
  specversion: z.literal('1.0'),
  id: z.string().regex(/^[0-9a-f]{32}$/, 'not the id of an event'),
  source: z.string().min(1).max(200),
  /** The camera: it becomes a token of a NATS subject. */
  subject: z.string().regex(/^[a-z0-9_-]{1,64}$/, 'not the id of a camera'),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  dataschema: z.string().min(1).max(200),
}

const [firstType, ...otherTypes] = (Object.keys(eventSchemas) as EventType[]).map((type) =>
  z.strictObject({ ...attributes, type: z.literal(type), data: eventSchemas[type] }),
)

const eventsBody = z.strictObject({
  events: z
    .array(z.discriminatedUnion('type', [firstType!, ...otherTypes]))
    .min(1)
    .max(1000),
})

export function controlRoutes(ports: ControlPorts): Route[] {
  return [
    controlCommandRoute(ports),
    {
      method: 'GET',
      path: '/control/subjects',
      answer: async ({ query }) => ({ data: await ports.list(parsed(listQuery, query)) }),
    },
    {
      method: 'POST',
      path: '/control/subjects',
      async answer({ body }) {
        const input = parsed(enrollBody, body)
        const embeddings = input.embeddings.map((each) => Float32Array.from(each))
        return { status: 201, data: await ports.enroll({ ...input, embeddings }) }
      },
    },
    {
      method: 'DELETE',
      path: '/control/subjects/:id',
      async answer({ params }) {
        const { id } = parsed(z.object({ id: subjectId }), params)
        await ports.remove(id)
        return { data: { removed: id } }
      },
    },
    {
      method: 'GET',
      path: '/control/visitors',
      answer: async ({ query }) => ({ data: await ports.visitors(parsed(listQuery, query)) }),
    },
    {
      method: 'POST',
      path: '/control/visitors/:id/name',
      async answer({ params, body }) {
        const { id } = parsed(visitorParams, params)
        return { data: await ports.nameVisitor(id, parsed(nameBody, body)) }
      },
    },
    {
      method: 'DELETE',
      path: '/control/visitors/:id',
      async answer({ params }) {
        const { id } = parsed(visitorParams, params)
        await ports.forgetVisitor(id)
        return { data: { removed: id } }
      },
    },
    {
      method: 'POST',
      path: '/control/models/refresh',
      answer: async () => ({ data: await ports.refreshModels() }),
    },
    {
      method: 'POST',
      path: '/control/events',
      async answer({ body }) {
        const { events } = parsed(eventsBody, body)
        for (const event of events) await ports.submit(event as CloudEvent)
        return { data: { accepted: events.length } }
      },
    },
  ]
}
