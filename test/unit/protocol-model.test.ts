/**
 * Random interleavings with random deaths against the model of docs/protocol.md, and mistakes in the protocol that these
 * must notice. After every step: the books balance, no credit is lost, no event number is missing. At the end: a
 * recording has given the events and the ledger of a run without deaths. And there is an end.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { droppedTotal, imbalance } from '../../core/ledger.ts'
import {
  ENGINE_CREDITS,
  EVENT_CREDITS,
  FRAMES_PER_PASS,
  type Mistake,
  PASSES,
  type Policy,
} from './protocol-model/state.ts'
import { World } from './protocol-model/world.ts'

/** One draw: a death when `chance` is below the script's `deathPercent`, otherwise one of the steps that can happen. */
interface Draw {
  chance: number
  pick: number
  choice: number
}

/** Rare deaths reach far into a recording, frequent ones hit restarts and second attempts. */
interface Script {
  deathPercent: number
  draws: Draw[]
}

const ROUNDS = 2000

const draws = fc.record({ chance: fc.integer({ min: 0, max: 99 }), pick: fc.nat(999), choice: fc.nat(999) })
/** Without bias: towards its ends, `chance` would mean many more deaths than it says. */
const scripts: fc.Arbitrary<Script> = fc.noBias(
  fc.record({
    deathPercent: fc.constantFrom(1, 4, 12),
    draws: fc.array(draws, { minLength: 50, maxLength: 250 }),
  }),
)

function check(world: World): void {
  const { daemon, host, policy } = world
  const demand = (holds: boolean, what: string) => {
    if (!holds) throw new Error(what)
  }
  demand(world.gaps === 0, 'event numbers have no gaps')
  demand(imbalance(world.ledger) === 0, "the daemon's sum balances")
  demand(daemon.before.inFlight === 0, 'nothing of a past incarnation is in flight')
  if (daemon.isLost) demand(daemon.last.inFlight === 0, 'nothing of a lost camera is in flight')
  if (policy === 'wait') demand(droppedTotal(world.ledger) === 0, 'a replay drops nothing')
  if (host === null) return
  const counts = host.ledger.counts()
  demand(imbalance(counts) === 0, "the host's ledger balances")
  demand(counts.inFlight === host.frames.length, 'what is in flight is held')
  demand(host.unasked === 0, 'a host connects only when its camera is lost')
  if (host.source === 'lost') demand(counts.inFlight === 0, 'a host that lost its camera has nothing in flight')
  const unacked = host.sent - host.acked
  demand(unacked >= 0 && unacked <= EVENT_CREDITS, 'event credits stay within their number')
  if (host.engine === null) return
  const open = host.frames.filter(({ state }) => state === 'sent').map(({ seq }) => seq)
  const underWay = [...world.toEngine, ...(world.engine?.queue ?? []), ...world.fromEngine]
  demand(host.engine.credits >= 0, 'engine credits are not negative')
  demand(open.length + host.engine.credits === ENGINE_CREDITS, 'open requests and credits are what was granted')
  demand(open.sort().join() === underWay.sort().join(), 'an open request is in one place')
}

function play(world: World, script: Script): void {
  for (const { chance, pick, choice } of script.draws) {
    const moves = Object.values(chance < script.deathPercent ? world.deaths : world.steps)
    for (let i = 0; i < moves.length; i++) {
      if (moves[(pick + i) % moves.length]?.(choice)) break
    }
    check(world)
    if (world.daemon.done) return
  }
}

/** A fair scheduler: everything that can happen does, in turn, and nobody dies any more. */
function finish(world: World): void {
  for (let round = 0; round < ROUNDS && !world.daemon.done; round++) {
    for (const step of Object.values(world.steps)) {
      step(round)
      check(world)
    }
  }
  if (!world.daemon.done) throw new Error('the run ends')
}

function undisturbed(policy: Policy): World {
  const world = new World(policy)
  finish(world)
  return world
}

function property(policy: Policy, mistake: Mistake | null = null) {
  const expected = undisturbed('wait')
  return fc.property(scripts, (script) => {
    const world = new World(policy, mistake)
    play(world, script)
    finish(world)
    if (policy === 'drop-oldest') return
    expect([...world.stored].sort()).toEqual([...expected.stored].sort())
    expect(world.ledger).toEqual(expected.ledger)
  })
}

test('undisturbed, a recording gives its events, and every frame has its fate', () => {
  const { stored, ledger } = undisturbed('wait')
  expect(ledger).toMatchObject({ captured: PASSES * FRAMES_PER_PASS, inFlight: 0, dropped: {} })
  // Eight frames a pass, of which two or three are skipped by rate; every other one of the rest makes an event.
  expect(stored.size).toBe(9)
})

test('a recording survives any deaths: same events, same ledger', () => {
  fc.assert(property('wait'), { numRuns: 2000 })
})

test('a live camera survives any deaths: its books balance and it goes on', () => {
  fc.assert(property('drop-oldest'), { numRuns: 2000 })
})

test('live runs do meet what they are about: overflow, poison, dead hosts and lost cameras', () => {
  const reasons = new Set<string>()
  let losses = 0
  for (const script of fc.sample(scripts, { numRuns: 300, seed: 1 })) {
    const world = new World('drop-oldest')
    play(world, script)
    finish(world)
    for (const reason of Object.keys(world.ledger.dropped)) reasons.add(reason)
    losses += world.losses
  }
  expect(losses).toBeGreaterThan(50)
  expect([...reasons].sort()).toEqual(['detect.overflow', 'engine.poison', 'host.died'])
})

test.each<[Policy, Mistake, RegExp]>([
  ['drop-oldest', 'open frames of a dead host are forgotten', /nothing of a past incarnation is in flight/],
  ['wait', 'a dead engine keeps its credits', /open requests and credits are what was granted/],
  ['wait', 'checkpoint before its events', /deeply equal/],
  ['wait', 'checkpoint without its ledger', /deeply equal|past incarnation/],
  ['wait', 'acks are not fenced', /event credits stay within their number/],
  ['wait', 'results are taken out of order', /deeply equal/],
  ['drop-oldest', 'lost is said before its frames have a fate', /lost camera is in flight|has nothing in flight/],
  ['drop-oldest', 'connect is not fenced', /connects only when its camera is lost/],
])('%s: noticed: %s', (policy, mistake, complaint) => {
  // Ends at the first failure, usually within 300 runs. The seed keeps that number the same each time.
  const { failed, errorInstance } = fc.check(property(policy, mistake), { numRuns: 5000, endOnFailure: true, seed: 1 })
  expect(failed).toBe(true)
  expect(String(errorInstance)).toMatch(complaint)
})
