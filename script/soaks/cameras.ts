/**
 * `script/soak cameras`: cameras flap, children are killed, triggers and reloads come, at random and by a seed that is printed; a
 * quarter of the cameras is away all the time. Every look checks that ledgers balance and nothing runs back; the end checks what
 * is left. Entry file of a command of its own. Exit status 1 when an invariant does not hold; JSON on stdout.
 */

import { parseArgs } from 'node:util'
import { connect } from 'nats'
import { imbalance, type LedgerCounts } from '../../core/ledger.ts'
import { jsonLines } from '../../test/e2e/support/grabber.ts'
import { processesOf } from '../../test/e2e/support/processes.ts'
import { storedIds, until } from '../../test/integration/support/nats.ts'
import { randomOf } from '../../test/support/seeded-random.ts'
import { handlesOf, rssBytes } from '../benchmarks/processes.ts'
import { type SoakCamera, SoakSite } from './camera-site.ts'

const HEAL_MS = 90_000
const PAUSE_MS = 1000
const options = {
  hours: { type: 'string', default: '0.1' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  cameras: { type: 'string', default: '4' },
} as const

const { values } = parseArgs({ args: process.argv.slice(2), options })
const random = randomOf(Number(values.seed))
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
process.stderr.write(`seed ${values.seed}\n`)

await using site = await SoakSite.open(Number(values.cameras))
const { daemon, watch } = site
const problems: string[] = []
const done: Record<string, number> = {}
let revision = 0
let away: readonly SoakCamera[] = []

const isLive = ({ id }: SoakCamera) => watch.camera(id).state === 'live'
const others = () => site.cameras.filter((camera) => !away.includes(camera))
const kill = (name: string) => {
  const child = daemon.info.children.find((child) => child.name.startsWith(name))
  if (child) process.kill(child.pid, 'SIGKILL')
}

/** Names of what may happen, and how. Each heals by itself. */
const blows: Record<string, () => void | Promise<void>> = {
  reset: () => pick(others()).proxy.reset(),
  cut: () => pick(others()).proxy.cut(),
  hang: () => pick(others()).proxy.hang(),
  'kill session': () => kill(`camera:${pick(site.cameras).id}`),
  'kill engine': () => kill('engine'),
  'kill nats': () => kill('nats-server'),
  trigger: async () => {
    // The server may have been killed just before.
    const nats = await connect({ servers: daemon.info.natsUrl!, waitOnFirstConnect: true })
    nats.publish(`grabber.edge-1.trigger.${pick(site.cameras).id}`, '{"reason":"soak","keyframe":true,"seconds":2}')
    await nats.drain()
  },
  reload: () => {
    site.rewrite(++revision)
    daemon.running.child.kill('SIGHUP')
  },
  'another quarter away': moveAway,
}

/** A quarter of the cameras is away, each in its turn. */
async function moveAway(): Promise<void> {
  for (const { proxy } of away) await proxy.become('pass')
  const first = Math.floor(random() * site.cameras.length)
  const count = Math.max(1, Math.floor(site.cameras.length / 4))
  away = Array.from({ length: count }, (_, n) => site.cameras[(first + n) % site.cameras.length]!)
  for (const { proxy } of away) {
    await proxy.become('refuse')
    proxy.cut()
  }
}

/** Waits, and says what did not come instead of ending the soak. */
async function expectSoon(what: string, condition: () => boolean): Promise<void> {
  await watch.until(what, condition, HEAL_MS).catch((error) => problems.push((error as Error).message))
}

await expectSoon('all are live', () => site.cameras.every(isLive))
const before = { handles: handlesOf(daemon.info.pid), rssBytes: rssBytes(daemon.info.pid) }
const endMs = performance.now() + Number(values.hours) * 3_600_000
await moveAway()
while (performance.now() < endMs && problems.length === 0) {
  const [name, strike] = pick(Object.entries(blows))
  await strike()
  done[name] = (done[name] ?? 0) + 1
  await expectSoon(`healed after: ${name}`, () => others().every(isLive))
  await new Promise((resolve) => setTimeout(resolve, random() * PAUSE_MS))
}

for (const { proxy } of site.cameras) await proxy.become('pass')
away = []
await expectSoon('all are live at the end', () => site.cameras.every(isLive))
await expectSoon('nothing waits in the outbox', () => watch.metric('grabber_bus_outbox_depth') === 0)
const ids = await storedIds(daemon.info.natsUrl!)
if (new Set(ids).size !== ids.length) problems.push(`${ids.length - new Set(ids).size} events are twice on the stream`)
const after = { handles: handlesOf(daemon.info.pid), rssBytes: rssBytes(daemon.info.pid) }
problems.push(...watch.problems.filter((problem) => !problem.includes('does not answer')))
await watch[Symbol.asyncDispose]()
const status = await daemon.stop()
if (status !== 0) problems.push(`the daemon ended with status ${status}`)
const ends = jsonLines<SessionEnd>(daemon.running.err()).filter(({ msg }) => msg === 'the session has ended')
for (const { id } of site.cameras) {
  const last = ends.findLast(({ camera }) => camera === id)
  const isClean = last?.leases === 0 && last.ledger.inFlight === 0 && imbalance(last.ledger) === 0
  if (!isClean) problems.push(`${id}: its last words are ${JSON.stringify(last)}`)
}
await until('no process is left', () => processesOf(site.grabber.data).length === 0).catch(() =>
  problems.push(`processes are left: ${processesOf(site.grabber.data).join(', ')}`),
)
const report = { soak: 'cameras', ...values, done, events: ids.length, before, after, problems }
process.stdout.write(`${JSON.stringify(report)}\n`)
process.exitCode = problems.length === 0 ? 0 : 1

interface SessionEnd {
  msg: string
  camera: string
  ledger: LedgerCounts
  leases: number
}
