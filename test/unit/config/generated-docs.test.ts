import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { errorTable } from '../../../core/error-table.ts'
import { configurationPage, errorsPage } from '../../../script/docs-pages.ts'

const committed = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')

describe('generated pages (when this fails: script/generate-docs)', () => {
  it('docs/errors.md is up to date and has every code', () => {
    const page = errorsPage()
    expect(committed('errors.md')).toBe(page)
    for (const code of Object.keys(errorTable)) expect(page).toContain(`| \`${code}\` |`)
  })

  it('docs/configuration.md is up to date', () => {
    expect(committed('configuration.md')).toBe(configurationPage())
  })
})
