/**
 * How the report says times, sizes and reasons. Pure.
 */
import type { SelectionReason } from '../../../core/keyframe.ts'

/** `1:02:03` or `2:03`, with tenths where they are asked for. */
export function clock(ms: number, tenths = false): string {
  const whole = tenths ? Math.round(ms / 100) / 10 : Math.round(ms / 1000)
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  const seconds = (whole % 60).toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`
}

/** `1 234 567`: thin spaces, as ISO 80000-1 has them. */
export const grouped = (value: number) => Math.round(value).toLocaleString('en-GB').replaceAll(',', '\u202f')

export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value >= 100 || unit === 0 ? value.toFixed(0) : value.toPrecision(3)} ${units[unit]}`
}

export const percent = (share: number) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`

export const plural = (count: number, one: string, many = `${one}s`) => `${grouped(count)} ${count === 1 ? one : many}`

/** A word for a chip; the sentence is in core/keyframe. */
export const reasonWords: Readonly<Record<SelectionReason, string>> = {
  first: 'first',
  parallax: 'parallax',
  overlap: 'overlap',
  rotation: 'rotation',
  continuity: 'continuity',
  last: 'last',
  trigger: 'trigger',
  still: 'camera still',
  near: 'too near',
  weaker: 'better one near',
  blurred: 'blurred',
  dark: 'dark',
  bright: 'bright',
  featureless: 'featureless',
  exposure: 'exposure jump',
  duplicate: 'duplicate',
  thinned: 'thinned',
}

/** The family of a reason: its colour. Never colour alone, its word stands beside it. */
export function reasonTone(reason: SelectionReason): 'move' | 'turn' | 'edge' {
  if (reason === 'rotation') return 'turn'
  return reason === 'first' || reason === 'last' || reason === 'trigger' ? 'edge' : 'move'
}
