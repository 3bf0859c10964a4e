import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, describe, expect, it } from 'vitest'
import type { FrameRecord } from '../../../core/keyframe.ts'
import { measureNames } from '../../../core/measures.ts'
import { metadataJsonSchema } from '../../../script/result-schemas.ts'
import type { ExtractionResult } from '../../../src/results/extraction-result.ts'
import { writeMetadata } from '../../../src/results/metadata.ts'
import { metadataSchema } from '../../../src/results/metadata-schema.ts'
import { madeResult } from '../../support/made-result.ts'

const folder = mkdtempSync(join(tmpdir(), 'metadata-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function written(result: ExtractionResult): Promise<string> {
  const path = join(folder, 'metadata.json')
  await writeMetadata(path, result, () => undefined)
  return readFileSync(path, 'utf8')
}

const published = new Ajv2020({ strict: false, validateFormats: false }).compile(metadataJsonSchema())

describe('metadata.json', () => {
  it('is what its published schema says, and exactly what our own says', async () => {
    const data = JSON.parse(await written(madeResult()))
    expect(published(data), JSON.stringify(published.errors)).toBe(true)
    metadataSchema.parse(data)
    expect(published({ ...data, keyframes: [{ ...data.keyframes[0], reason: 'because' }] })).toBe(false)
    expect(published({ ...data, run: undefined })).toBe(false)
  })

  it('holds each measure and reason of each candidate, one a line', async () => {
    const result = madeResult({ candidates: 40, shots: 1 })
    const text = await written(result)
    const { candidates, summary } = JSON.parse(text)
    const { columns, rows } = candidates as { columns: string[]; rows: unknown[][] }
    const records = [...(result.records as Iterable<FrameRecord>)]
    expect(rows).toHaveLength(40)
    for (const [index, record] of records.entries()) {
      const row = Object.fromEntries(columns.map((column, place) => [column, rows[index]![place]]))
      expect(row).toMatchObject({
        seq: record.seq,
        reason: record.reason,
        evidence: record.evidence,
        chosen: record.chosen,
      })
      for (const name of measureNames) expect(row[`measure.${name}`]).toBe(Number(record.measures[name].toPrecision(6)))
      expect(row['score.sharpness']).toBeCloseTo(record.score.parts.sharpness!, 5)
      expect(row['saliency.semantic']).toBeNull()
      expect(row['view.model']).toBe(record.view?.model ?? null)
      expect(row['look.flow']).toBeCloseTo(record.look!.flow, 5)
    }
    const lines = text.split('\n').filter((line) => line.startsWith('['))
    expect(lines).toHaveLength(40)
    expect(lines.map((line) => JSON.parse(line.replace(/,$/, '')))).toEqual(rows)
    const counted = Object.values(summary.reasons as Record<string, number>).reduce((sum, count) => sum + count, 0)
    expect(counted).toBe(40)
  })

  it('differs between two runs in `run` alone, whatever the order of keys', async () => {
    const result = madeResult()
    const text = await written(result)
    const stream = Object.fromEntries(Object.entries(result.source.stream).toReversed()) as typeof result.source.stream
    const later = { ...result.run, startedAtMs: Date.UTC(2025, 0, 1), wallSeconds: 77, realtimeFactor: 1.5 }
    const again = await written({ ...madeResult(), source: { ...result.source, stream }, run: later })
    const without = (whole: string) => whole.replace(/^"run": .*$/m, '')
    expect(again).not.toBe(text)
    expect(without(again)).toBe(without(text))
    expect(text.match(/^"run": /gm)).toHaveLength(1)
  })

  it('is written from records that come one by one, and tells what goes by', async () => {
    const result = madeResult({ candidates: 30 })
    async function* later() {
      yield* result.records as Iterable<FrameRecord>
    }
    const seen: number[] = []
    const path = join(folder, 'streamed.json')
    const summary = await writeMetadata(path, { ...result, records: later() }, ({ seq }) => seen.push(seq))
    expect(readFileSync(path, 'utf8')).toBe(await written(result))
    expect(seen).toHaveLength(30)
    expect(summary.candidates).toBe(30)
  })

  it('writes what could not be measured as null, and refuses a part of the score without a column', async () => {
    const result = madeResult({ candidates: 3, shots: 1 })
    const [first, ...rest] = result.records as FrameRecord[]
    const broken = { ...first!, measures: { ...first!.measures, laplacianVariance: Number.NaN } }
    const { candidates } = JSON.parse(await written({ ...result, records: [broken, ...rest] }))
    expect(candidates.rows[0][candidates.columns.indexOf('measure.laplacianVariance')]).toBeNull()
    const unheard = { ...first!, score: { ...first!.score, parts: { ...first!.score.parts, beauty: 1 } } }
    await expect(written({ ...result, records: [unheard] })).rejects.toThrow('beauty')
  })

  it('says STO_OUTPUT where it cannot be written', async () => {
    const path = join(folder, 'missing', 'metadata.json')
    await expect(writeMetadata(path, madeResult({ candidates: 3 }), () => undefined)).rejects.toMatchObject({
      code: 'STO_OUTPUT',
    })
    await expect(writeMetadata('/dev/full', madeResult({ candidates: 3 }), () => undefined)).rejects.toMatchObject({
      code: 'STO_FULL',
    })
  })
})
