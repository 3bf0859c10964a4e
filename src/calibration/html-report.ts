/**
 * The calibration report as one page that needs nothing but itself: no script, no font, no address. Pure text. Every text
 * of the data is escaped: a folder's name is anybody's.
 */

import { escaped, table } from '../page/html.ts'
import type { CalibrationReport, OperatingPoint } from './calibration-report.ts'
import { rate } from './notes.ts'
import { detPlot, histogramPlot } from './plots.ts'
import { describe, rateCell } from './text-report.ts'

/** Dark on light or light on dark, as the reader's system has it; blue and orange are told apart by every eye. */
const STYLE = `
:root{color-scheme:light dark;--ink:#1d2430;--soft:#5c6675;--paper:#fff;--card:#f5f7fa;--line:#d9dee6;--genuine:#1f6fd6;--impostor:#d9731a;--mark:#8a1c5b}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebf1;--soft:#a3adbb;--paper:#14181f;--card:#1d232c;--line:#353e4b;--genuine:#6aa9ff;--impostor:#ffa04d;--mark:#ff8fc8}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2rem 1rem 4rem}
h1{font-size:1.7rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
p{margin:.4rem 0;max-width:46rem}.soft{color:var(--soft)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:.4rem .7rem .4rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600}.number{text-align:right;padding-right:1rem}td{white-space:nowrap}td small{color:var(--soft);display:block}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem}
figcaption{color:var(--soft);font-size:.88rem;margin-top:.4rem}
figure{overflow-x:auto}svg{display:block;width:100%;min-width:32rem;height:auto}
.genuine{fill:var(--genuine);fill-opacity:.45;stroke:var(--genuine)}.impostor{fill:var(--impostor);fill-opacity:.35;stroke:var(--impostor);stroke-dasharray:4 2}
.grid{stroke:var(--line)}.dashed{stroke-dasharray:3 4}.tick,.axis{fill:var(--soft);font-size:12px}.mark{fill:var(--mark);font-size:12px}
.threshold{stroke:var(--mark);stroke-width:1.5}.threshold.wanted{stroke-dasharray:6 3}
.curve{fill:none;stroke:var(--genuine);stroke-width:2}.dot{fill:var(--paper);stroke:var(--mark);stroke-width:2}.dot.configured{fill:var(--mark)}
.key{display:inline-block;width:.9em;height:.9em;border:1px solid;vertical-align:-.08em;margin:0 .3em 0 .9em}
.key.g{background:color-mix(in srgb,var(--genuine) 45%,transparent);border-color:var(--genuine)}.key.i{background:color-mix(in srgb,var(--impostor) 35%,transparent);border:1px dashed var(--impostor)}
.warn{border-left:4px solid var(--impostor);background:var(--card);padding:.7rem 1rem;margin:1rem 0}
.warn p{margin:.2rem 0}ul{padding-left:1.2rem;max-width:46rem}li{margin:.35rem 0}
`

const CLASS_OF: Record<OperatingPoint['at'], string> = {
  configured: 'as configured',
  wanted: 'for the wanted rate',
  'no false match': 'lowest without a false match here',
}

export function htmlReport(report: CalibrationReport): string {
  const { model, data, eer, notes } = report
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Face calibration: ${escaped(model)}</title><style>${STYLE}</style></head><body><main>
<h1>Face calibration</h1>
<p class="soft">${escaped(model)} · people ${data.people} · embeddings ${data.embeddings} · tracks ${data.tracks}</p>
${headline(report)}
<h2>Error rates</h2>
${operatingTable(report)}
<p class="soft">Below each rate 95 %: at each end the wider of the exact binomial interval and of drawing people again.${
    eer ? ` Equal error rate: ${rate(eer.rate)} at ${eer.threshold.toFixed(3)}.` : ''
  }</p>
${plots(report)}
<h2>Who could be taken for whom</h2>
${nearestTable(report)}
<h2>The scores</h2>
${scoresTable(report)}
<h2>What these figures do not tell</h2>
<ul>${notes.map((note) => `<li>${escaped(note)}</li>`).join('')}</ul>
</main></body></html>
`
}

function headline({ wanted, operatingPoints }: CalibrationReport): string {
  const { fmr, threshold, bootstrap, lowestMeasurable } = wanted
  if (threshold !== null) {
    const range = bootstrap
      ? ` (${bootstrap.low.toFixed(3)}–${bootstrap.high.toFixed(3)} when people are drawn again)`
      : ''
    return `<div class="warn"><p>For a false match rate of ${rate(fmr)}: threshold <strong>${threshold.toFixed(4)}</strong>${range}. Configured: ${operatingPoints[0]!.threshold}.</p></div>`
  }
  const why =
    lowestMeasurable === null
      ? 'there are no two people to compare'
      : `with this data rates under ${rate(lowestMeasurable)} cannot be measured`
  return `<div class="warn"><p>No threshold is given for a false match rate of ${rate(fmr)}: ${why}.</p></div>`
}

function operatingTable({ operatingPoints, data }: CalibrationReport): string {
  const many = operatingPoints[0]!.fpir?.map(({ people }) => people) ?? [data.people, 1000]
  const head = [
    'Threshold',
    '',
    'False match rate',
    'False non-match rate',
    ...many.map((n) => `Stranger named among ${n}`),
  ]
  const rows = operatingPoints.map(({ threshold, at, fmr, fnmr, fpir }) => [
    `<strong>${threshold.toFixed(4)}</strong>`,
    CLASS_OF[at],
    withRange(rateCell(fmr)),
    withRange(rateCell(fnmr)),
    ...(fpir ?? []).map((each) => `${rate(each.rate)}<small>up to ${rate(each.high)}</small>`),
  ])
  return table(head, rows)
}

function plots(report: CalibrationReport): string {
  const histogram = histogramPlot(report)
  const det = detPlot(report)
  const figures: string[] = []
  if (histogram !== '') {
    figures.push(
      `<h2>Both distributions</h2><figure>${histogram}<figcaption><span class="key i"></span>impostor: different people<span class="key g"></span>genuine: the same person. Vertical lines: thresholds. Shares of each kind.</figcaption></figure>`,
    )
  }
  if (det !== '') {
    figures.push(
      `<h2>Error trade-off (DET)</h2><figure>${det}<figcaption>Each point is a threshold; lower left is better. A rate of 0 is drawn at half of what one error would be. Filled: as configured; where several coincide, it is on top.</figcaption></figure>`,
    )
  }
  return figures.join('')
}

function nearestTable({ nearest, operatingPoints }: CalibrationReport): string {
  if (nearest.length === 0) return '<p>There are no two people to compare.</p>'
  const limit = operatingPoints[0]!.threshold
  const rows = nearest.map(({ a, b, similarity }) => [
    escaped(a),
    escaped(b),
    similarity.toFixed(3),
    similarity >= limit ? '<strong>matches as configured</strong>' : '',
  ])
  return table(['Person', 'Person', 'Similarity of their nearest', ''], rows, [2])
}

function scoresTable({ distributions }: CalibrationReport): string {
  const rows = distributions.map(({ of, from, counted, comparisons, min, q05, median, q95, max }) => [
    of,
    describe({ of, from }),
    counted ? 'yes' : 'no',
    String(comparisons),
    ...[min, q05, median, q95, max].map((value) => value.toFixed(3)),
  ])
  const head = ['', 'Comparison', 'Counted', 'Number', 'Lowest', '5 %', 'Median', '95 %', 'Highest']
  return table(head, rows, [3, 4, 5, 6, 7, 8])
}

function withRange(text: string): string {
  return text.replace(/ \((.*)\)$/, '<small>$1</small>')
}
