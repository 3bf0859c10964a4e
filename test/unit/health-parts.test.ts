import { expect, test } from 'vitest'
import { cameraStates } from '../../core/event.ts'
import { emptyLedger } from '../../core/ledger.ts'
import { type HealthFigures, healthParts } from '../../src/health-parts.ts'

const well: HealthFigures = {
  bus: 'connected',
  waitingEvents: 0,
  engineTrouble: '',
  cameras: [],
  blind: [],
  configTrouble: '',
  loadTrouble: '',
  listens: true,
}

function camera(id: string, state: (typeof cameraStates)[number]): HealthFigures['cameras'][number] {
  return {
    id,
    state,
    since: '2026-01-01T00:00:00.000Z',
    reason: 'SRC_AUTH',
    breaker: 'closed',
    attempt: 0,
    nextRetryMs: null,
    stream: null,
    gate: null,
    driftPpm: null,
    damaged: null,
    leases: null,
    share: 1,
    ledger: emptyLedger(),
    lastFrameAgeMs: null,
    incarnation: 1,
    hostPid: null,
    rssBytes: null,
  }
}

const camerasPart = (figures: HealthFigures) => healthParts(figures).find(({ name }) => name === 'cameras')

test('only live cameras, and those that are to be stopped, are well', () => {
  for (const state of cameraStates) {
    const part = camerasPart({ ...well, cameras: [camera('a', 'live'), camera('b', state)] })
    const isWell = state === 'live' || state === 'stopped'
    const reason = { reason: `b ${state} (SRC_AUTH)` }
    expect(part, state).toEqual({
      name: 'cameras',
      required: false,
      ...(isWell ? { state: 'up' } : { state: 'degraded', ...reason }),
    })
  }
})

test('no camera that is down takes the node out of service', () => {
  const cameras = cameraStates.map((state) => camera(state, state))
  expect(healthParts({ ...well, cameras }).filter(({ required, state }) => required && state !== 'up')).toEqual([])
})

test('what is written and does not run is said, and takes nobody out of service', () => {
  const part = healthParts({ ...well, configTrouble: 'CFG_INVALID: line 1' }).find(({ name }) => name === 'config')
  expect(part).toEqual({
    name: 'config',
    state: 'degraded',
    required: false,
    reason: 'what is written is not taken: CFG_INVALID: line 1',
  })
})

test('a load that takes rate from cameras is said, and takes nobody out of service', () => {
  const loadTrouble = 'cpu 98 %, cameras a, b at 50 % of their rate'
  const part = healthParts({ ...well, loadTrouble }).find(({ name }) => name === 'load')
  expect(part).toEqual({ name: 'load', state: 'degraded', required: false, reason: loadTrouble })
})
