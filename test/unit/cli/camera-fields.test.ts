import { describe, expect, it } from 'vitest'
import { cameraFields } from '../../../src/cli/camera-fields.ts'

describe('cameraFields', () => {
  it('puts values where their paths say, as what they read as', () => {
    const set = ['analysis.fps=10', 'analysis.width=320', 'loop=true', 'faces.minMargin=0.1', 'gating=off', 'x=a=b']
    expect(cameraFields({ source: 'rtsp://h/s', set, unset: ['priority', 'motion.enabled'] }, '/here')).toEqual({
      source: 'rtsp://h/s',
      analysis: { fps: 10, width: 320 },
      loop: true,
      faces: { minMargin: 0.1 },
      gating: 'off',
      x: 'a=b',
      priority: null,
      motion: { enabled: null },
    })
  })

  it('takes a relative file from where the person is, as a shell does', () => {
    expect(cameraFields({ source: 'file:clips/a.mp4' }, '/here')).toEqual({ source: 'file:/here/clips/a.mp4' })
    expect(cameraFields({ set: ['source=file:/there/a.mp4'] }, '/here')).toEqual({ source: 'file:/there/a.mp4' })
  })

  it.each(['fps', '=5', 'a..b=1', '.a=1', '__proto__.x=1', 'a.__proto__=1'])('refuses --set %s', (text) => {
    expect(() => cameraFields({ set: [text] }, '/')).toThrow(expect.objectContaining({ code: 'CFG_USAGE' }))
  })
})
