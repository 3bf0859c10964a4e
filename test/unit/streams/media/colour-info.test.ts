import { expect, it } from 'vitest'
import { bitDepthOf } from '../../../../streams/media/colour-info.ts'

it.each([
  ['yuv420p', 8],
  ['yuvj420p', 8],
  ['nv12', 8],
  ['gray', 8],
  ['yuv420p10le', 10],
  ['yuv422p12be', 12],
  ['yuva444p16le', 16],
  ['gbrp10le', 10],
  ['gray12le', 12],
  ['p010le', 10],
  ['p216be', 16],
  ['y210le', 10],
  ['rgb48le', 16],
  ['rgba64be', 16],
  ['yuv410p', 8],
  ['', 8],
])('%s has %i bits', (format, bits) => {
  expect(bitDepthOf(format)).toBe(bits)
})
