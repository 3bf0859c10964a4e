/** report.html in a real browser: whole by itself, within the screen at every width, and usable with 700 keyframes. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FrameRecord } from '../../core/keyframe.ts'
import type { CopyOrder } from '../../core/wire/copies.ts'
import { MOST_THUMBNAILS } from '../../src/results/report/write-report.ts'
import { writeResult } from '../../src/results/write-result.ts'
import { madeResult } from '../support/made-result.ts'
import { BrowserPage, hasChromium } from './support/browser-page.ts'

const why = hasChromium ? '' : ' (skipped: no chromium, see script/setup --test)'
const root = mkdtempSync(join(tmpdir(), 'report-'))
afterAll(() => rmSync(root, { recursive: true }))

/** A grey JPEG of 8 × 6 px: what a thumbnail shows is not the page's business. */
const PIXELS = readFileSync(new URL('../fixtures/pictures/grey.jpg', import.meta.url))

/** Stands for the session host, whose copies are tested with the exports: all the same picture. */
async function copyPictures(orders: readonly CopyOrder[]): Promise<void> {
  for (const { copies } of orders) for (const { path } of copies) await writeFile(path, PIXELS)
}

async function written(name: string, candidates: number, file: string): Promise<string> {
  const folder = join(root, name)
  mkdirSync(join(folder, 'images'), { recursive: true })
  const made = madeResult({ candidates, shots: 12, stepMs: 200 })
  const result = { ...made, source: { ...made.source, file } }
  await writeResult(folder, result, { exports: ['colmap', 'nerfstudio'], finalFolder: folder, copyPictures })
  return join(folder, 'report.html')
}

/** Elements that stick out of the screen and do not scroll in a box of their own. */
const OUTSIDE = `[...document.querySelectorAll('main *')].filter((element) => !element.closest('.scroll, code, svg')
  && element.getBoundingClientRect().right > innerWidth + 0.5).map((element) => element.outerHTML.slice(0, 80))`

describe.skipIf(why !== '')(`report.html in Chromium${why}`, () => {
  let page: BrowserPage
  let many: string
  beforeAll(async () => {
    many = await written('many', 16_000, `a<b>"&'${'long'.repeat(30)}.mp4`)
    page = await BrowserPage.open()
  })
  afterAll(() => page?.[Symbol.asyncDispose]())

  it.for([
    [1280, 'light'],
    [375, 'dark'],
    [360, 'light'],
  ] as const)(
    '%i px, %s: nothing sticks out, nothing is complained of, nothing is fetched',
    async ([width, scheme]) => {
      page.complaints.length = 0
      await page.show(pathToFileURL(many).href, width, scheme)
      const beyond = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
      expect(await page.evaluate(beyond)).toBe(0)
      expect(await page.evaluate(OUTSIDE)).toEqual([])
      const dark = await page.evaluate('getComputedStyle(document.body).backgroundColor')
      expect(dark).toBe(scheme === 'dark' ? 'rgb(18, 20, 23)' : 'rgb(251, 250, 248)')
      expect(page.complaints).toEqual([])
    },
  )

  it('shows all keyframes, a bounded number of thumbnails, and names as they are', async () => {
    await page.show(pathToFileURL(many).href, 1280)
    const cards = await page.evaluate<number>('document.querySelectorAll(".card").length')
    expect(cards).toBeGreaterThan(MOST_THUMBNAILS)
    expect(await page.evaluate('document.querySelectorAll(".card img").length')).toBe(MOST_THUMBNAILS)
    expect(await page.evaluate('document.querySelector("h1").textContent')).toContain(`a<b>"&'long`)
    expect(await page.evaluate('document.querySelectorAll("h1 b").length')).toBe(0)
    expect(await page.evaluate('document.querySelectorAll("img:not([alt]), svg:not([aria-label])").length')).toBe(0)
    expect(statSync(many).size).toBeLessThan(12_000_000)
  })

  it('a pointer over the timeline shows the nearest keyframe, and a press goes to it', async () => {
    await page.show(pathToFileURL(many).href, 1280)
    const box = await page.evaluate<{ x: number; y: number; width: number }>(
      'document.getElementById("timeline").getBoundingClientRect().toJSON()',
    )
    await page.move(box.x + box.width / 2, box.y + 100)
    const said = await page.evaluate<string>('document.querySelector("#peek:not([hidden]) p").textContent')
    await page.evaluate(
      `document.getElementById("timeline").dispatchEvent(new MouseEvent("click", { clientX: ${box.x + box.width / 2}, bubbles: true }))`,
    )
    const at = await page.evaluate<string>('document.querySelector(".card:target .at").textContent')
    expect(said.split(' · ')[0]).toBe(at)
    expect(at).toMatch(/^26:[34]\d\.\d$/)
  })

  it('without one keyframe it says so', async () => {
    const folder = join(root, 'none')
    mkdirSync(join(folder, 'images'), { recursive: true })
    const made = madeResult({ candidates: 20, shots: 1 })
    const records = [...(made.records as Iterable<FrameRecord>)]
    const dark = records.map((record) => ({ ...record, chosen: false, reason: 'dark' as const }))
    const result = { ...made, records: dark, keyframes: [], shots: [] }
    await writeResult(folder, result, { exports: [], finalFolder: folder, copyPictures })
    page.complaints.length = 0
    await page.show(pathToFileURL(join(folder, 'report.html')).href, 375)
    expect(await page.evaluate('document.body.innerText')).toContain('No picture was chosen')
    expect(page.complaints).toEqual([])
  })
})
