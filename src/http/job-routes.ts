/**
 * Jobs on recorded files, to look at: commands work on them, beside the daemon. Runs in the daemon.
 */
import { z } from 'zod'
import { GrabberError } from '../../core/errors.ts'
import { type JobRecords, jobStates } from '../jobs/job.ts'
import { parsed, type Route } from './route.ts'

export interface JobPort {
  /** What `read` finds in the records of jobs as they are now; `undefined` where there never was a job. STO_*. */
  jobs<T>(read: (records: JobRecords) => T): T | undefined
}

const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  state: z.enum(jobStates).optional(),
})

export function jobRoutes({ jobs }: JobPort): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/jobs',
      answer({ query }) {
        const { limit, state } = parsed(listQuery, query)
        return { data: jobs((records) => records.list({ limit, ...(state ? { state } : {}) })) ?? [] }
      },
    },
    {
      method: 'GET',
      path: '/api/v1/jobs/:id',
      answer({ params: { id = '' } }) {
        const job = jobs((records) => records.find(id))
        if (!job) throw new GrabberError('API_NOT_FOUND', 'there is no job of that id')
        return { data: job }
      },
    },
  ]
}
