/** Opens a job store when told to, begins a job in it, says what came of it, and stays until its input ends. */
import { systemClock } from '../../../core/clock.ts'
import { toGrabberError } from '../../../core/errors.ts'
import { JobStore } from '../../../src/store/jobs.ts'

const [path, input] = process.argv.slice(2) as [string, string]
const say = (text: string) => process.stdout.write(`${text}\n`)
process.stdin.once('data', () => {
  try {
    const jobs = JobStore.open(path, systemClock)
    const { id } = jobs.begin({ kind: 'extract', input, output: '/out' }, 's')
    jobs.move(id, 'preflight', { detail: 'looking' })
    say(`begun ${id}`)
  } catch (error) {
    say(toGrabberError(error).line)
  }
})
process.stdin.once('end', () => process.exit(0))
say('ready')
