/**
 * The routes of the control socket: what the command line asks of a running daemon. Runs in the daemon.
 */
import { z } from 'zod'
import type { Subject } from '../../core/ports.ts'
import { parsed, type Route } from './route.ts'

/** What the routes need from the daemon. Throws GAL_* and STO_* codes. */
export interface ControlPorts {
  /** `embeddings` are of `model`; L2 normalisation is the gallery's business. */
  enroll(input: EnrollInput): Subject | Promise<Subject>
  /** GAL_UNKNOWN_SUBJECT when there is none. */
  remove(subject: string): void | Promise<void>
  list(): Subject[] | Promise<Subject[]>
}

export type EnrollInput = Omit<z.output<typeof enrollBody>, 'embeddings'> & { embeddings: Float32Array[] }

const subjectId = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/, 'a–z, 0–9, _, - and . only, at most 64')

const enrollBody = z
  .strictObject({
    subject: subjectId,
    name: z.string().min(1).max(200).nullable().default(null),
    model: z.string().min(1).max(100),
    embeddings: z.array(z.array(z.number()).min(2).max(4096)).min(1).max(100),
  })
  .refine(({ embeddings }) => embeddings.every((each) => each.length === embeddings[0]!.length), {
    path: ['embeddings'],
    error: 'all must be of the same length',
  })

export function controlRoutes(ports: ControlPorts): Route[] {
  return [
    { method: 'GET', path: '/control/subjects', answer: async () => ({ data: await ports.list() }) },
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
  ]
}
