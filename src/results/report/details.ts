/**
 * The lower part of a report: shots, damage, what other tools do with the folder, settings, the run itself. Pure.
 */
import { type ComplexityMetric, complexityMetrics, complexityTable, type ShotReport } from '../../../core/shot.ts'
import type { Damage } from '../../../core/wire/stream-info.ts'
import { escaped, table } from '../../page/html.ts'
import type { ExportFormat, ExtractionResult, ResultRun } from '../extraction-result.ts'
import { bytes, clock, grouped } from './words.ts'

const metricWords: Readonly<Record<ComplexityMetric, string>> = {
  motion: 'Motion',
  motionVariety: 'Variety',
  shake: 'Shake',
  blur: 'Blur',
  texture: 'Texture',
  edges: 'Edges',
  colourVariety: 'Colour',
  brightnessChange: 'Flicker',
  crowding: 'Crowding',
}

export function shotsSection(shots: readonly ShotReport[]): string {
  if (shots.length === 0) return ''
  const metrics = complexityMetrics.map((metric) => {
    const { meaning, unit } = complexityTable[metric]
    return `<abbr title="${escaped(unit === '' ? meaning : `${meaning} (${unit})`)}">${metricWords[metric]}</abbr>`
  })
  const rows = shots.map(({ index, begins, fromMs, toMs, keyframes, metrics, forecast }) => [
    `${index + 1} <small>${begins}</small>`,
    `${clock(fromMs)}–${clock(toMs)}`,
    grouped(keyframes),
    forecast
      ? `${forecast.complexity.toFixed(1)} <small>${forecast.low.toFixed(1)}–${forecast.high.toFixed(1)}</small>`
      : '–',
    forecast ? forecast.confidence.toFixed(2) : '–',
    ...complexityMetrics.map((metric) => Number(metrics[metric].toPrecision(3)).toString()),
  ])
  const head = ['Shot', 'Time', 'Keyframes', 'Work', 'Confidence', ...metrics]
  const numbers = Array.from({ length: 3 + complexityMetrics.length }, (_, index) => index + 2)
  return section(
    'shots',
    'Shots',
    `${table(head, rows, numbers)}
<p class="soft">Work is a forecast: 1 is the median shot of those that its model was trained on, with the interval that holds four of five.</p>`,
  )
}

export function damageSection({ count, positions }: Damage): string {
  if (count === 0) return ''
  const items = positions.map(({ ptsMs, what }) => `<li><b>${clock(ptsMs, true)}</b> ${escaped(what)}</li>`)
  const more = count > positions.length ? `<p class="soft">And ${grouped(count - positions.length)} more.</p>` : ''
  return section('damage', 'Damage', `<ul class="damage">${items.join('')}</ul>${more}`)
}

const commands: Readonly<Record<ExportFormat, readonly [string, string][]>> = {
  colmap: [['Reconstruct with COLMAP', 'colmap/reconstruct.sh']],
  nerfstudio: [
    ['Poses for nerfstudio', 'ns-process-data images --data images --output-dir . --skip-image-processing'],
    ['Train', 'ns-train nerfacto --data .'],
  ],
  alicevision: [['Reconstruct with Meshroom', 'meshroom_batch --input alicevision/cameraInit.sfm --output mesh']],
}

export function exportSection(exports: readonly ExportFormat[]): string {
  const rows = [...new Set(exports)].flatMap((format) =>
    commands[format].map(([what, command]) => `<dt>${what}</dt><dd><code>${command}</code></dd>`),
  )
  return rows.length === 0
    ? ''
    : section('next', 'Go on', `<p class="soft">In this folder:</p><dl class="facts-list">${rows.join('')}</dl>`)
}

export function settingsSection({ settings }: ExtractionResult): string {
  const { figures, candidates, mode, maxFrames, tonemap } = settings
  const { qualityWeights, saliencyWeights, features, ...rest } = figures
  const all: [string, unknown][] = [
    ['mode', mode],
    ['maxFrames', maxFrames ?? 'all'],
    ['candidates per second', candidates.fps ?? 'every frame'],
    ['picture width', `${candidates.widthPx} px`],
    ['tonemap', tonemap],
    ...Object.entries(rest),
    ['features', features === null ? 'none' : `${features.model}, every ${features.every}`],
    ...Object.entries(qualityWeights).map(([part, weight]): [string, unknown] => [`quality · ${part}`, weight]),
    ...Object.entries(saliencyWeights).map(([part, weight]): [string, unknown] => [`saliency · ${part}`, weight]),
  ]
  const rows = all.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(String(value))}</dd></div>`)
  return `<details><summary>Settings</summary><dl class="columns">${rows.join('')}</dl></details>`
}

export function runSection({ stages, peakRssBytes, restarts, startedAtMs, wallSeconds }: ResultRun): string {
  const rows = Object.entries(stages).map(([stage, { p50Ms, p95Ms, count }]) => [
    escaped(stage),
    p50Ms.toFixed(1),
    p95Ms.toFixed(1),
    grouped(count),
  ])
  const started = new Date(startedAtMs).toISOString().replace('T', ' ').slice(0, 16)
  const facts = `${clock(1000 * wallSeconds)} from ${started} UTC · at most ${bytes(peakRssBytes)} of memory · ${restarts === 0 ? 'no restart' : `${restarts} restarts`}`
  const stagesTable = rows.length === 0 ? '' : table(['Stage', 'Median ms', '95 % ms', 'Times'], rows, [1, 2, 3])
  return `<details><summary>Run</summary><p class="soft">${facts}</p>${stagesTable}</details>`
}

const section = (id: string, title: string, body: string) =>
  `<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${body}</section>`
