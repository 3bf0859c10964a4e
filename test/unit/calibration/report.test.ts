import { describe, expect, it } from 'vitest'
import { boundedData } from '../../../src/calibration/calibration-data.ts'
import type { CalibrationReport } from '../../../src/calibration/calibration-report.ts'
import { htmlReport } from '../../../src/calibration/html-report.ts'
import { calibrate } from '../../../src/calibration/report.ts'
import { textReport } from '../../../src/calibration/text-report.ts'
import { table } from '../../../src/cli/table.ts'
import { somePeople } from './people.ts'

const settings = { model: 'face-test', threshold: 0.6, wantedFmr: 0.01 }
const nobody = calibrate({ people: [], tracks: [] }, settings)
const alone = calibrate({ people: somePeople(1, 1), tracks: [] }, settings)
const some = calibrate({ people: somePeople(12, 4), tracks: [] }, settings)
const rateAt = (report: CalibrationReport, at: string) => report.operatingPoints.find((point) => point.at === at)

describe('a report', () => {
  it('gives the threshold for the wanted rate, where the measured rate keeps to it', () => {
    const { fmr, threshold } = rateAt(some, 'wanted')!
    expect(threshold).toBe(some.wanted.threshold)
    expect(fmr.rate).toBeLessThanOrEqual(0.01)
    expect(fmr.comparisons).toBe(12 * 4 * 11)
    expect(some.wanted.bootstrap!.low).toBeLessThanOrEqual(threshold)
    expect(some.wanted.bootstrap!.high).toBeGreaterThanOrEqual(threshold)
  })

  it('makes up no threshold for a rate that cannot be measured', () => {
    const report = calibrate({ people: somePeople(12, 4), tracks: [] }, { ...settings, wantedFmr: 0.001 })
    expect(report.wanted).toMatchObject({ threshold: null, bootstrap: null, lowestMeasurable: 3 / 528 })
    expect(rateAt(report, 'wanted')).toBeUndefined()
    expect(report.notes[0]).toMatch(/With 528 impostor comparisons, rates under 0\.568 % cannot be measured; 0\.1 %/)
    expect(rateAt(report, 'no false match')!.fmr).toMatchObject({ errors: 0, rate: 0 })
    expect(rateAt(report, 'no false match')!.fmr.clopperPearson!.high).toBeGreaterThan(0.005)
  })

  it('says what a larger gallery does', () => {
    const [present, large] = rateAt(some, 'wanted')!.fpir!
    expect([present!.people, large!.people]).toEqual([12, 1000])
    expect(large!.rate).toBeGreaterThan(present!.rate)
    expect(large!.high).toBeGreaterThanOrEqual(large!.rate)
  })

  it('says what is missing where there is nobody, or one picture of one person', () => {
    for (const report of [nobody, alone]) {
      expect(rateAt(report, 'configured')).toMatchObject({ fmr: { rate: null }, fnmr: { rate: null }, fpir: null })
      expect(report).toMatchObject({ eer: null, det: [], histogram: [], nearest: [] })
      expect(report.notes.join(' ')).toMatch(
        /nothing can be said about false matches.*nothing .* about false non-matches/,
      )
    }
  })

  it('counts each comparison once in the histogram', () => {
    const sum = (of: 'genuine' | 'impostor') => some.histogram.reduce((total, bin) => total + bin[of], 0)
    expect([sum('genuine'), sum('impostor')]).toEqual([48, 528])
  })

  it('is the same again, and stays bounded: too many people are thinned out, and that is said', () => {
    expect(calibrate({ people: somePeople(12, 4), tracks: [] }, settings)).toEqual(some)
    const many = Array.from({ length: 500 }, (_, index) => ({ subject: `p${index}`, embeddings: [] }))
    const { people } = boundedData({ people: many, tracks: [] })
    expect([people.length, people[0]!.subject, people.at(-1)!.subject]).toEqual([200, 'p0', 'p497'])
    expect(calibrate({ people: many, tracks: [] }, settings).notes.at(-1)).toMatch(
      /^300 people or tracks were left out/,
    )
  })
})

describe.each(Object.entries({ nobody, alone, some }))('as text and as a page: %s', (_, report) => {
  it('shows the operating points and every note', () => {
    const text = textReport(report, table)
    const page = htmlReport(report)
    for (const { threshold } of report.operatingPoints) {
      expect(text).toContain(threshold.toFixed(4))
      expect(page).toContain(threshold.toFixed(4))
    }
    for (const note of report.notes) expect(text).toContain(note)
    expect(page.match(/<li>/g)).toHaveLength(report.notes.length)
    expect(`${text}${page}`).not.toMatch(/NaN|undefined|Infinity|null/)
  })

  it('is a page that needs nothing but itself', () => {
    const page = htmlReport(report)
    expect(page).not.toMatch(/https?:|<script|<link|<img|src=|href=|@import|url\(/i)
    expect(page).toContain("default-src 'none'")
    const open = page.match(/<(svg|figure|table|main|div|tr|td|th|ul)[ >]/g) ?? []
    const closed = page.match(/<\/(svg|figure|table|main|div|tr|td|th|ul)>/g) ?? []
    expect(closed).toHaveLength(open.length)
  })
})

it('a page escapes what people are called', () => {
  const people = somePeople(3, 2).map((person, index) => ({ ...person, subject: `<b onload="x">${index}&` }))
  const page = htmlReport(calibrate({ people, tracks: [] }, { ...settings, model: `a'<i>` }))
  expect(page).not.toMatch(/<b |<i>|onload="/)
  expect(page).toContain('&#60;b onload=&#34;x&#34;&#62;')
})

it('a page has both plots, each with a title', () => {
  expect(htmlReport(some).match(/<svg [^>]*role="img"[^>]*><title>/g)).toHaveLength(2)
})
