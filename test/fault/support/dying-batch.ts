/**
 * A batch that kills itself, `kill -9`, at the moment when a job is about to be moved to a state. Runs as a process of its own; the
 * parts are those of the command.
 *   node dying-batch.ts FILE OUT DATA STATE
 */
import { HostPool } from '../../../actors/host-pool.ts'
import { loadConfig } from '../../../config/load.ts'
import { systemClock } from '../../../core/clock.ts'
import packageJson from '../../../package.json' with { type: 'json' }
import { extractSettings } from '../../../src/cli/extract-options.ts'
import { openWorkbench } from '../../../src/cli/workbench.ts'
import { settingsFingerprint } from '../../../src/jobs/extract-settings.ts'
import { ExtractionRun } from '../../../src/jobs/extraction-run.ts'
import { OutputRoot } from '../../../src/jobs/output-root.ts'
import { JobStore, jobsPath } from '../../../src/store/jobs.ts'
import { silentLogger } from '../../integration/support/nats.ts'

const [file, out, data, state] = process.argv.slice(2) as [string, string, string, string]
const { config } = loadConfig({ env: { GRABBER_DATA: data }, cwd: out })
const settings = extractSettings(config, { out, resume: true })
const jobs = JobStore.open(jobsPath(data), systemClock)
const move = jobs.move.bind(jobs)
jobs.move = (id, next, change) => {
  if (next === state) process.kill(process.pid, 'SIGKILL')
  move(id, next, change)
}
const bench = await openWorkbench(config, [], silentLogger)
const run = new ExtractionRun({
  tools: {
    ...{ config, settings, jobs, resume: true, version: packageJson.version, isShared: () => false },
    fingerprint: settingsFingerprint(config, settings),
    root: await OutputRoot.open(out),
    directory: bench.directory,
    host: new HostPool({ host: bench.host }).settings,
    logger: silentLogger,
    copyPictures: async () => undefined,
  },
  parallel: 1,
  signal: new AbortController().signal,
  onReport: () => undefined,
  onProgress: () => undefined,
})
await run.add(file)
await run.ended()
