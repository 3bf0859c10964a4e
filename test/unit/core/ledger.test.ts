import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addLedgers,
  closeDead,
  droppedTotal,
  emptyLedger,
  FrameLedger,
  imbalance,
  type LedgerCounts,
  skippedTotal,
} from '../../../core/ledger.ts'

const verdicts = ['analysed', 'rate', 'gate', 'detect.overflow', 'engine.poison'] as const
type Step = { capture: number } | { settle: number; verdict: (typeof verdicts)[number] }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ capture: fc.constant(1) }),
    fc.record({ settle: fc.nat(), verdict: fc.constantFrom(...verdicts) }),
  ),
  { maxLength: 200 },
)

/** Plays the steps; `settle` picks one of the open frames. Returns the counts after each step. */
function play(script: Step[]): { counts: LedgerCounts; open: number }[] {
  const ledger = new FrameLedger()
  const open: number[] = []
  let seq = 0
  return script.map((step) => {
    if ('capture' in step) {
      open.push(seq)
      ledger.captured(seq++)
    } else if (open.length > 0) {
      const [frame] = open.splice(step.settle % open.length, 1) as [number]
      if (step.verdict === 'analysed') ledger.analysed(frame)
      else if (step.verdict === 'rate' || step.verdict === 'gate') ledger.skipped(frame, step.verdict)
      else ledger.dropped(frame, step.verdict)
    }
    return { counts: ledger.counts(), open: open.length }
  })
}

const final = (script: Step[]) => play(script).at(-1)?.counts ?? emptyLedger()

test('balances after every step of any life, and knows what is in flight', () => {
  fc.assert(
    fc.property(steps, (script) => {
      for (const { counts, open } of play(script)) {
        expect(imbalance(counts)).toBe(0)
        expect(counts.inFlight).toBe(open)
      }
    }),
  )
})

test('a dead host balances with nothing in flight; what was settled stays so', () => {
  fc.assert(
    fc.property(steps, (script) => {
      const last = final(script)
      const before = structuredClone(last)
      const closed = closeDead(last)
      expect(imbalance(closed)).toBe(0)
      expect(closed.inFlight).toBe(0)
      expect(droppedTotal(closed)).toBe(droppedTotal(last) + last.inFlight)
      expect([closed.captured, closed.analysed, closed.skipped]).toEqual([last.captured, last.analysed, last.skipped])
      expect(last).toEqual(before)
      expect(closeDead(closed)).toEqual(closed)
    }),
  )
})

test('sums balance, whatever the order', () => {
  fc.assert(
    fc.property(steps, steps, (one, two) => {
      const [a, b] = [closeDead(final(one)), final(two)]
      const sum = addLedgers(a, b)
      expect(imbalance(sum)).toBe(0)
      expect(sum).toEqual(addLedgers(b, a))
      expect(addLedgers(a, emptyLedger())).toEqual(a)
      expect(skippedTotal(sum)).toBe(skippedTotal(a) + skippedTotal(b))
    }),
  )
})

test('a second verdict on a frame throws and changes nothing', () => {
  const ledger = new FrameLedger()
  ledger.captured(1)
  ledger.analysed(1)
  const before = ledger.counts()
  expect(() => ledger.dropped(1, 'detect.overflow')).toThrow('frame 1')
  expect(() => ledger.skipped(2, 'rate')).toThrow('frame 2')
  expect(ledger.counts()).toEqual(before)
})

test('counts are a copy', () => {
  const ledger = new FrameLedger()
  ledger.captured(1)
  ledger.skipped(1, 'gate')
  const counts = ledger.counts()
  counts.skipped.gate = 99
  expect(ledger.counts().skipped).toEqual({ gate: 1 })
})

test('an imbalance is a signed number of frames', () => {
  expect(imbalance({ ...emptyLedger(), captured: 3, analysed: 1 })).toBe(2)
  expect(imbalance({ ...emptyLedger(), captured: 1, skipped: { rate: 2 }, inFlight: 1 })).toBe(-2)
})
