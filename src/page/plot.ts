/**
 * The parts of a plot as SVG text, coloured by the page's style classes: frame, ticks, axes. Pure.
 */

/** px of the view box; what lies inside the margins is the plot. */
export interface PlotFrame {
  width: number
  height: number
  margin: { left: number; right: number; top: number; bottom: number }
}

export function svg(title: string, { width, height }: PlotFrame, body: readonly string[]): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}"><title>${title}</title>${body.join('')}</svg>`
}

export function tickX({ height, margin }: PlotFrame, x: number, label: string): string {
  const bottom = height - margin.bottom
  return `<line class="grid" x1="${n(x)}" x2="${n(x)}" y1="${margin.top}" y2="${bottom}"/><text class="tick" x="${n(x)}" y="${bottom + 16}" text-anchor="middle">${label}</text>`
}

export function tickY({ width, margin }: PlotFrame, y: number, label: string): string {
  return `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${n(y)}" y2="${n(y)}"/><text class="tick" x="${margin.left - 6}" y="${n(y + 4)}" text-anchor="end">${label}</text>`
}

export function axisX({ width, height, margin }: PlotFrame, label: string): string {
  const middle = margin.left + (width - margin.left - margin.right) / 2
  return `<text class="axis" x="${middle}" y="${height - 8}" text-anchor="middle">${label}</text>`
}

/** Multiples of `step` from `from` to `to`. */
export function steps(from: number, to: number, step: number): number[] {
  const [first, last] = [Math.ceil(from / step), Math.floor(to / step)]
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step)
}

/** A coordinate: hundredths are finer than any screen. */
export const n = (value: number) => Number(value.toFixed(2))
