/** Tries to become the owner of a data folder when told to, says what came of it, and stays until its input ends. */
import { systemClock } from '../../../core/clock.ts'
import { GrabberError } from '../../../core/errors.ts'
import { DataDir } from '../../../src/store/data-dir.ts'
import { silentLogger } from './nats.ts'

const [path] = process.argv.slice(2) as [string]
const say = (text: string) => process.stdout.write(`${text}\n`)
process.stdin.once('data', async () => {
  try {
    await DataDir.acquire(path, { logger: silentLogger, clock: systemClock })
    say('owner')
  } catch (error) {
    say(error instanceof GrabberError ? error.code : String(error))
  }
})
process.stdin.once('end', () => process.exit(0))
say('ready')
