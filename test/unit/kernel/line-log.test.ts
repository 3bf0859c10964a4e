import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineLog } from '../../../actors/kernel/line-log.ts'
import { VirtualClock } from '../virtual-clock.ts'

function logOf(chunks: Uint8Array[]): string[] {
  const lines: string[] = []
  const log = new LineLog(new VirtualClock(), (line) => lines.push(line))
  for (const chunk of chunks) log.push(chunk)
  log.end()
  return lines
}

test('lines are the same however the bytes are cut, long lines and letters of several bytes included', () => {
  const text = ['plain', 'ümlaut 映像', 'x'.repeat(2000), 'y'.repeat(2001), '', 'z'.repeat(9000), 'no line break'].join(
    '\n',
  )
  const bytes = Buffer.from(text)
  const whole = logOf([bytes])
  expect(whole.map((line) => line.length)).toEqual([5, 9, 2000, 2001, 2001, 13])
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 20 }), (cuts) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length]
      const chunks = edges.slice(1).map((end, i) => bytes.subarray(edges[i], end))
      expect(logOf(chunks)).toEqual(whole)
    }),
  )
})

test('a new period writes again and tells how many lines it left out', async () => {
  const clock = new VirtualClock()
  const lines: string[] = []
  const log = new LineLog(clock, (line) => lines.push(line))
  for (let i = 0; i < 150; i++) log.push(Buffer.from(`${i}\n`))
  expect(lines).toHaveLength(100)
  await clock.advance(10_000)
  log.push(Buffer.from('later\n'))
  expect(lines.slice(100)).toEqual(['(50 lines not written)', 'later'])
})
