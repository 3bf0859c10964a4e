import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PicturePool } from '../../../models/picture-pool.ts'

const FRAME_BYTES = 3 * 640 * 360

test('steady work allocates nothing', () => {
  const pool = new PicturePool()
  for (let n = 0; n < 100; n++) {
    const pictures = [pool.take(FRAME_BYTES), pool.take(FRAME_BYTES), pool.take(3 * 128 * 128)]
    expect(pictures.map(({ byteLength }) => byteLength)).toEqual([FRAME_BYTES, FRAME_BYTES, 3 * 128 * 128])
    for (const picture of pictures) pool.give(picture)
  }
  expect(pool.allocations).toBe(3)
})

test('memory can be shared with the inference thread', () => {
  expect(new PicturePool().take(10).buffer).toBeInstanceOf(SharedArrayBuffer)
})

test('giving back twice, or what is not ours, is a defect', () => {
  const pool = new PicturePool()
  const picture = pool.take(100)
  pool.give(picture)
  expect(() => pool.give(picture)).toThrow(/twice/)
  expect(() => pool.give(new Uint8Array(100))).toThrow(/not from this pool/)
})

test('what is out never shares memory, what is kept is bounded, and little is wasted', () => {
  const action = fc.oneof(fc.integer({ min: 1, max: 300_000 }), fc.constant('give' as const))
  fc.assert(
    fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
      const pool = new PicturePool(500_000)
      const out: Uint8Array[] = []
      for (const one of actions) {
        if (one === 'give') {
          const picture = out.shift()
          if (picture !== undefined) pool.give(picture)
        } else {
          const picture = pool.take(one)
          expect(picture.byteLength).toBe(one)
          expect(picture.buffer.byteLength).toBeLessThanOrEqual(Math.max(4096, one * 1.125))
          out.push(picture)
        }
        expect(new Set(out.map(({ buffer }) => buffer)).size).toBe(out.length)
        expect(pool.freeBytes).toBeLessThanOrEqual(500_000)
      }
    }),
  )
})
