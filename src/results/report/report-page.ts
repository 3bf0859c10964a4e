/**
 * report.html: one page that needs nothing but itself, no address, no font, no file beside it; its pictures are small ones inside of
 * it, and each leads to the large one where the folder is whole. Pure. Every text of the data is escaped: a file's name is anybody's.
 */
import { createHash } from 'node:crypto'
import { type SelectionReason, selectionReasons } from '../../../core/keyframe.ts'
import { escaped } from '../../page/html.ts'
import type { ExportFormat, ExtractionResult } from '../extraction-result.ts'
import type { MetadataSummary } from '../metadata-schema.ts'
import { type CandidateSeries, quantile, spacings } from './candidate-series.ts'
import { contactSheet, type Thumbnails } from './contact-sheet.ts'
import { damageSection, exportSection, runSection, settingsSection, shotsSection } from './details.ts'
import { SCRIPT } from './page-script.ts'
import { STYLE } from './page-style.ts'
import { spacingPlot } from './spacing-plot.ts'
import { timeline } from './timeline.ts'
import { bytes, clock, grouped, percent, plural, reasonWords } from './words.ts'

export interface ReportInput {
  result: ExtractionResult
  summary: MetadataSummary
  series: CandidateSeries
  thumbnails: Thumbnails
  exports: readonly ExportFormat[]
}

const scriptHash = createHash('sha256').update(SCRIPT).digest('base64')
const POLICY = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'`

export function reportPage(input: ReportInput): string {
  const { result, series, thumbnails } = input
  const { keyframes, source } = result
  const endMs = Math.max(1, result.summary.durationMs, series.points.at(-1)?.ptsMs ?? 0)
  const shots = result.shots ?? []
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}"><link rel="icon" href="data:,">
<title>Keyframes of ${escaped(source.file)}</title><style>${STYLE}</style></head><body><main>
${header(input, endMs)}
<section aria-labelledby="over-time"><h2 id="over-time">Over time</h2>
${series.size === 0 ? '<p class="soft">Not one frame could be looked at.</p>' : timeline({ series, keyframes, shots, endMs })}</section>
<section aria-labelledby="keyframes"><h2 id="keyframes">Keyframes</h2>${thumbnailNote(keyframes.length, thumbnails.size)}
${contactSheet(keyframes, thumbnails)}</section>
<div class="pair"><section aria-labelledby="taken"><h2 id="taken">Why taken</h2>${reasonList(series.reasons('taken'))}</section>
<section aria-labelledby="passed"><h2 id="passed">Why passed over</h2>${reasonList(series.reasons('passed'))}</section></div>
<section aria-labelledby="spacing"><h2 id="spacing">Spacing</h2>${spacingPlot(spacings(keyframes))}</section>
${shotsSection(shots)}
${damageSection(result.summary.damage)}
${exportSection(input.exports)}
${settingsSection(result)}
${runSection(result.run)}
<footer>grabber ${escaped(result.version)} · ${escaped(source.contentHash.slice(0, 12))} · settings ${escaped(result.settings.fingerprint.slice(0, 12))} · every figure is in metadata.json</footer>
</main><div id="peek" hidden><img alt=""><p></p></div><script>${SCRIPT}</script></body></html>
`
}

function header({ result, summary }: ReportInput, endMs: number): string {
  const { source, keyframes, run, settings } = result
  const { width, height, fps, codec, rotation } = source.stream
  const facts = [
    `${width} × ${height}`,
    ...(fps === null ? [] : [`${Number(fps.toFixed(2))} fps`]),
    escaped(codec),
    ...(rotation === 0 ? [] : [`turned ${rotation}°`]),
    clock(endMs),
    bytes(source.sizeBytes),
    ...(source.recordedAtMs === null ? [] : [`recorded ${isoDay(source.recordedAtMs)}`]),
    ...(settings.tonemap ? ['HDR mapped to BT.709'] : []),
  ]
  const gap = quantile(spacings(keyframes), 0.5)
  const { count } = result.summary.damage
  const tiles = [
    tile(
      grouped(keyframes.length),
      keyframes.length === 1 ? 'keyframe' : 'keyframes',
      `of ${plural(summary.candidates, 'candidate')}`,
    ),
    tile(gap > 0 ? `${(gap / 1000).toFixed(2)} s` : '–', 'apart', 'median within a shot'),
    tile(
      String(Math.max(1, result.shots?.length ?? new Set(keyframes.map(({ scene }) => scene)).size)),
      'shots',
      `mode ${settings.mode.replace('_', ' ')}`,
    ),
    tile(`${run.realtimeFactor.toFixed(1)} ×`, 'real time', `${clock(1000 * run.wallSeconds)} for ${clock(endMs)}`),
    tile(
      count === 0 ? 'none' : grouped(count),
      count === 0 ? 'damage' : count === 1 ? 'damaged place' : 'damaged places',
      count === 0 ? 'as far as decoding tells' : 'readable frames were used',
    ),
  ]
  return `<header><p class="kind">Keyframes</p><h1>${escaped(source.file)}</h1><p class="facts">${facts.map((fact) => `<span>${fact}</span>`).join(' ')}</p>
<dl class="tiles">${tiles.join('')}</dl></header>`
}

const tile = (value: string, name: string, note: string) =>
  `<div><dt>${name}</dt><dd>${value}</dd><dd class="note">${note}</dd></div>`

const isoDay = (ms: number) => new Date(ms).toISOString().slice(0, 10)

function thumbnailNote(keyframes: number, thumbnails: number): string {
  const words =
    thumbnails < keyframes
      ? `${grouped(thumbnails)} of ${grouped(keyframes)} with a thumbnail, spread evenly: the page stays small.`
      : 'Each leads to its picture in images/.'
  return `<p class="soft">${words}</p>`
}

function reasonList(reasons: readonly [SelectionReason, number][]): string {
  const total = reasons.reduce((sum, [, count]) => sum + count, 0)
  if (total === 0) return '<p class="soft">None.</p>'
  const most = reasons[0]![1]
  const rows = reasons.map(
    ([reason, count]) =>
      `<li><span class="what"><b>${reasonWords[reason]}</b><small>${escaped(selectionReasons[reason])}</small></span><span class="bar"><i style="width:${Math.max(0.5, (100 * count) / most).toFixed(1)}%"></i></span><span class="number">${grouped(count)}<small>${percent(count / total)}</small></span></li>`,
  )
  return `<ul class="reasons">${rows.join('')}</ul>`
}
