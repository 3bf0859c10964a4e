/**
 * The candidates of an extraction as a table: names of columns once, then a row each. Pure.
 *
 * Why a table: a record with its names is 1.5 KB, its row a quarter of that, and two hours of video have 70 000 candidates. One
 * row a line, so that grep and a streaming reader can do with it, and so that
 * `pandas.DataFrame(candidates["rows"], columns=candidates["columns"])` is all that it takes to look at them.
 */
import { type FrameRecord, type SaliencyPart, saliencyParts } from '../../core/keyframe.ts'
import { type MeasureName, measureNames } from '../../core/measures.ts'
import type { FrameLook } from '../../core/shot.ts'

export type Cell = number | string | boolean | null | readonly (string | number)[]

/** Six significant digits say all that a measure of an 8-bit picture can, and are the same text on every machine. */
export function measured(value: number | null | undefined): number | null {
  return value === null || value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(6))
}

interface Column {
  name: string
  cell(record: FrameRecord): Cell
}

const viewKeys = ['flowRatio', 'parallaxRatio', 'overlapRatio', 'model', 'tracks'] as const
const lookKeys = ['shot', 'stepMs', 'dx', 'dy', 'flow', 'shake', 'unexplained', 'brightness'] as const

export class RecordTable {
  readonly #columns: readonly Column[]
  readonly #parts: ReadonlySet<string>

  /** `qualityParts`: the parts of a picture's score. */
  constructor(qualityParts: readonly string[]) {
    this.#parts = new Set(qualityParts)
    this.#columns = [
      { name: 'seq', cell: ({ seq }) => seq },
      { name: 'ptsMs', cell: ({ ptsMs }) => measuredMs(ptsMs) },
      { name: 'scene', cell: ({ scene }) => scene },
      { name: 'chosen', cell: ({ chosen }) => chosen },
      { name: 'reason', cell: ({ reason }) => reason },
      { name: 'evidence', cell: ({ evidence }) => evidence },
      { name: 'score', cell: ({ score }) => measured(score.score) },
      { name: 'faults', cell: ({ score }) => score.faults },
      ...qualityParts.map((part) => column(`score.${part}`, ({ score }) => score.parts[part])),
      column('saliency', ({ saliency }) => saliency.score),
      ...saliencyParts.map((part: SaliencyPart) => column(`saliency.${part}`, ({ saliency }) => saliency.parts[part])),
      ...measureNames.map((name: MeasureName) => column(`measure.${name}`, ({ measures }) => measures[name])),
      ...viewKeys.map((key) => column(`view.${key}`, ({ view }) => view?.[key])),
      { name: 'look.begins', cell: ({ look }) => look?.begins ?? null },
      ...lookKeys.map((key: keyof FrameLook & string) => column(`look.${key}`, ({ look }) => look?.[key] as number)),
      { name: 'look.directions', cell: ({ look }) => look?.directions.map((share) => measured(share) ?? 0) ?? null },
    ]
  }

  get columns(): string[] {
    return this.#columns.map(({ name }) => name)
  }

  /** A part of the score that no column was made for is a defect: nothing that was measured may get lost. */
  row(record: FrameRecord): Cell[] {
    const unknown = Object.keys(record.score.parts).find((part) => !this.#parts.has(part))
    if (unknown !== undefined) throw new Error(`the score has a part ${unknown} that nothing names`)
    return this.#columns.map(({ cell }) => cell(record))
  }
}

/** Times are exact to a microsecond, and grow beyond six digits. */
export const measuredMs = (ms: number) => Math.round(ms * 1000) / 1000

function column(name: string, value: (record: FrameRecord) => number | string | null | undefined): Column {
  return {
    name,
    cell: (record) => {
      const found = value(record)
      return typeof found === 'string' ? found : measured(found)
    },
  }
}
