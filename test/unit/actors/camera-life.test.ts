/** The table of a camera's life, every cell of it, and the breaker of its connection, every combination. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { breakerOf, type Happening, happenings, nextState } from '../../../actors/camera-life.ts'
import { type CameraState, cameraStates } from '../../../core/event.ts'

/** One column for each happening, in this order. A dot: it cannot happen there, and changes nothing. */
const columns = 'start attempt good frozen black silence failure quarantine end'
const grid: Record<CameraState | 'new', string> = {
  new: '        connecting .          .    .      .     .       .           .           stopped',
  connecting: ' .          .          live frozen black stalled backing_off quarantined stopped',
  live: '       .          .          live frozen black stalled backing_off quarantined stopped',
  stalled: '    .          .          live frozen black stalled backing_off quarantined stopped',
  frozen: '     .          .          live frozen black stalled backing_off quarantined stopped',
  black: '      .          .          live frozen black stalled backing_off quarantined stopped',
  backing_off: '.          connecting .    .      .     .       backing_off quarantined stopped',
  quarantined: '.          connecting .    .      .     .       .           quarantined stopped',
  stopped: '    connecting .          .    .      .     .       .           .           .',
}

test('the grid has every state and every happening', () => {
  expect(columns.split(' ')).toEqual(happenings)
  expect(Object.keys(grid)).toEqual(['new', ...cameraStates])
})

for (const [state, row] of Object.entries(grid)) {
  const cells = row.trim().split(/ +/)
  test.each(happenings.map((happening, column) => [happening, cells[column]!] as const))(
    `${state}: %s leads to %s`,
    (happening, to) => {
      const from = state === 'new' ? null : (state as CameraState)
      expect(nextState(from, happening)).toBe(to === '.' ? undefined : to)
    },
  )
}

test('whatever happens, a camera that is started and whose pictures come is live', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...happenings)), (story) => {
      let state: CameraState | null = null
      for (const happening of [...story, 'start', 'attempt', 'good'] satisfies Happening[]) {
        state = nextState(state, happening) ?? state
      }
      expect(state).toBe('live')
    }),
  )
})

test.each([
  [0, false],
  [2, false],
  [3, false],
  [0, true],
] as const)('%s failures, quarantined: %s', (failures, quarantined) => {
  const suspicious = failures >= 3 || quarantined
  for (const state of cameraStates) {
    const waits = state === 'backing_off' || state === 'quarantined'
    const expected = !suspicious || state === 'stopped' ? 'closed' : waits ? 'open' : 'half-open'
    expect(breakerOf(state, failures, quarantined), state).toBe(expected)
  }
})
