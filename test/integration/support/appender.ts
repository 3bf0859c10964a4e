/** Appends events until it is killed, and says after each one that it is stored. Arguments: database, first number. */
import { writeSync } from 'node:fs'
import { SqliteEventLog } from '../../../src/store/events.ts'
import { openStore } from '../../../src/store/sqlite.ts'
import { motionEvent } from './nats.ts'

const [path, first] = process.argv.slice(2) as [string, string]
const log = new SqliteEventLog(openStore(path))
for (let n = Number(first); ; n++) {
  if (log.append('grabber.edge.events.lobby.motion', motionEvent(n))) writeSync(1, `${n}\n`)
}
