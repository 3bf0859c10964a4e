/**
 * How far apart keyframes lie, as a histogram. Pure.
 */
import { quantile } from './candidate-series.ts'
import { plural } from './words.ts'

const BINS = 24
/** Gaps above it share the last bar: one long pause must not push all others into the first. */
const CUT_SHARE = 0.98

export function spacingPlot(gapsMs: readonly number[]): string {
  if (gapsMs.length < 2) return '<p class="soft">Too few keyframes to tell.</p>'
  const median = quantile(gapsMs, 0.5)
  const longest = Math.max(...gapsMs)
  const binMs = roundBin(quantile(gapsMs, CUT_SHARE) / BINS)
  const counts = Array.from({ length: BINS + 1 }, () => 0)
  for (const gap of gapsMs) counts[Math.min(BINS, Math.floor(gap / binMs))]!++
  const last = counts.findLastIndex((count) => count > 0)
  const shown = counts.slice(0, last + 1)
  const most = Math.max(...shown)
  const bars = shown.map((count, index) => {
    const until = index === BINS ? 'more' : seconds((index + 1) * binMs)
    const title = `${seconds(index * binMs)}–${until}: ${plural(count, 'gap')}`
    const own = median >= index * binMs && median < (index + 1) * binMs ? ' class="median"' : ''
    return `<i${own} style="height:${((100 * count) / most).toFixed(1)}%" title="${title}"></i>`
  })
  const facts = `median ${seconds(median)} · shortest ${seconds(Math.min(...gapsMs))} · longest ${seconds(longest)}`
  return `<figure class="spacing"><div class="bars" role="img" aria-label="Histogram of the time between keyframes: ${facts}">${bars.join('')}</div>
<div class="scale"><span>0 s</span><span>${seconds((shown.length * binMs) / 2)}</span><span>${shown.length > BINS ? `${seconds(BINS * binMs)} and more` : seconds(shown.length * binMs)}</span></div>
<figcaption>Time between neighbours of one shot: ${facts}. The bar with the median is dark.</figcaption></figure>`
}

/** The next of 1, 2, 5 × 10ⁿ ms. */
function roundBin(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, ms)))
  return ([1, 2, 5].find((factor) => factor * power >= ms) ?? 10) * power
}

const seconds = (ms: number) => `${Number((ms / 1000).toPrecision(3))} s`
