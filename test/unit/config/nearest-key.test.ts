import { describe, expect, it } from 'vitest'
import { editDistance, nearestKey } from '../../../config/nearest-key.ts'

describe('nearestKey', () => {
  it('names the key that was meant', () => {
    expect(nearestKey('sorce', ['source', 'priority', 'loop'])).toBe('source')
    expect(nearestKey('Priorty', ['source', 'priority'])).toBe('priority')
    expect(nearestKey('fsp', ['fps', 'width'])).toBe('fps')
  })

  it('names nothing when nothing is near', () => {
    expect(nearestKey('resolution', ['source', 'priority', 'loop'])).toBeUndefined()
    expect(nearestKey('x', [])).toBeUndefined()
  })

  it('counts an exchange of neighbours as one', () => {
    expect(editDistance('form', 'from')).toBe(1)
    expect(editDistance('kitten', 'sitting')).toBe(3)
    expect(editDistance('', 'abc')).toBe(3)
  })
})
