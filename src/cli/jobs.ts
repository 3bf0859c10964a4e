/**
 * `grabber jobs list · show`: what was worked on, and how it went. Runs as a command; reads the store of jobs, whether or not a daemon
 * runs.
 */
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { findDataFolder } from '../../config/main-file.ts'
import { GrabberError } from '../../core/errors.ts'
import { type Job, type JobDetails, type JobRecords, type JobState, jobStates } from '../jobs/job.ts'
import { readJobs } from '../store/jobs.ts'
import type { CliContext, GlobalOptions } from './context.ts'
import { wholeNumber } from './extract-options.ts'
import { table } from './table.ts'

interface ListFlags {
  state?: JobState
  limit: string
  json?: true
}

export function registerJobs(program: Command, context: CliContext): void {
  const jobs = program.command('jobs').description('jobs on recorded files: what was done, what failed and why')

  function look<T>(command: Command, read: (records: JobRecords) => T): T | undefined {
    const { config: path } = command.optsWithGlobals<GlobalOptions>()
    const { env, cwd } = context
    return readJobs(findDataFolder({ env, cwd, ...(path === undefined ? {} : { path }) }), read)
  }

  jobs
    .command('list')
    .description('jobs, the newest first')
    .addOption(new Option('--state <state>', 'only those in this state').choices(jobStates))
    .option('--limit <n>', 'at most so many', '50')
    .option('--json', 'one JSON array')
    .addHelpText('after', '\nExample:\n  grabber jobs list --state failed')
    .action((flags: ListFlags, command: Command) => {
      const limit = wholeNumber('--limit', flags.limit)
      const filter = { limit, ...(flags.state ? { state: flags.state } : {}) }
      const found = look(command, (records) => records.list(filter)) ?? []
      context.stdout.write(flags.json ? `${JSON.stringify(found, null, 2)}\n` : listText(found))
    })

  jobs
    .command('show <id>')
    .description('one job, and everything that happened to it')
    .option('--json', 'JSON')
    .addHelpText('after', '\nExample:\n  grabber jobs show 5e36f8a517d8')
    .action((id: string, flags: { json?: true }, command: Command) => {
      const job = look(command, (records) => records.find(id))
      if (!job) throw new GrabberError('API_NOT_FOUND', `there is no job ${id}`, { remedy: 'see `grabber jobs list`' })
      context.stdout.write(flags.json ? `${JSON.stringify(job, null, 2)}\n` : showText(job))
    })
}

function listText(found: readonly Job[]): string {
  if (found.length === 0) return 'no jobs\n'
  const rows = found.map((job) => {
    const { id, kind, state, progress, attempts, input, error } = job
    const share = state === 'running' ? `${Math.round(100 * progress)} %` : ''
    return [id, kind, state, share, `${attempts}`, time(job.createdAtMs), basename(input), error?.code ?? '']
  })
  return table([['id', 'kind', 'state', '', 'attempts', 'since', 'recording', ''], ...rows])
}

function showText({ history, error, ...job }: JobDetails): string {
  const facts = [
    ['id', job.id],
    ['kind', job.kind],
    ['recording', job.input],
    ['result', job.result ?? ''],
    ['state', job.state],
    ['attempts', String(job.attempts)],
    ['content', job.contentHash ?? ''],
    ['settings', job.settings],
    ['error', error ? `${error.code}: ${error.message}` : ''],
  ].filter(([, value]) => value !== '') as [string, string][]
  const steps = history.map(({ atMs, attempt, state, detail }) => [time(atMs), `${attempt}`, state, detail])
  return `${table(facts)}\n${table([['at', 'attempt', 'state', ''], ...steps])}`
}

const time = (ms: number) => new Date(ms).toISOString().replace('T', ' ').slice(0, 19)
