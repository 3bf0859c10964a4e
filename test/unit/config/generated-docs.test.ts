import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { errorTable } from '../../../core/error-table.ts'
import { dataSchemaUri } from '../../../core/event.ts'
import { measureNames } from '../../../core/measures.ts'
import { configurationPage, errorsPage, measuresPage } from '../../../script/docs-pages.ts'
import { dataSchema, eventTypes, schemaFiles } from '../../../script/event-schemas.ts'
import { typesFile } from '../../../script/event-types.ts'
import { schemaFile } from '../../../script/json-schema.ts'
import { resultSchemaFiles } from '../../../script/result-schemas.ts'

const docs = new URL('../../../docs/', import.meta.url)
const committed = (name: string) => readFileSync(new URL(name, docs), 'utf8')

describe('generated pages (when this fails: script/generate-docs)', () => {
  it('docs/errors.md is up to date and has every code', () => {
    const page = errorsPage()
    expect(committed('errors.md')).toBe(page)
    for (const code of Object.keys(errorTable)) expect(page).toContain(`| \`${code}\` |`)
  })

  it('docs/configuration.md is up to date', () => {
    expect(committed('configuration.md')).toBe(configurationPage())
  })

  it('docs/measures.md is up to date and has every measure', () => {
    const page = measuresPage()
    expect(committed('measures.md')).toBe(page)
    for (const name of measureNames) expect(page).toContain(`| \`${name}\` |`)
  })

  it('docs/events has the schema of every type and nothing else, up to date', () => {
    const files = schemaFiles()
    expect(readdirSync(new URL('events/', docs)).filter((name) => name.endsWith('.json'))).toEqual(
      [...files.keys()].sort(),
    )
    for (const [name, text] of files) expect(committed(`events/${name}`)).toBe(text)
  })

  it('docs/events/grabber-events.d.ts is up to date', () => {
    expect(committed('events/grabber-events.d.ts')).toBe(typesFile())
  })

  it('docs/schemas has the schemas of results and nothing else, up to date', () => {
    const files = resultSchemaFiles()
    expect(readdirSync(new URL('schemas/', docs))).toEqual([...files.keys()])
    for (const [name, text] of files) expect(committed(`schemas/${name}`)).toBe(text)
  })
})

it('the dataschema of each type is the id of a published file, and names it', () => {
  for (const type of eventTypes) {
    const name = schemaFile(dataSchemaUri(type))
    expect(name).toBe(`${type}.1.schema.json`)
    expect(JSON.parse(committed(`events/${name}`))).toMatchObject({ $id: dataSchemaUri(type), title: type })
  }
})

it('no published schema forbids fields to come', () => {
  for (const type of eventTypes) expect(JSON.stringify(dataSchema(type))).not.toContain('"additionalProperties":false')
  for (const text of resultSchemaFiles().values()) expect(text).not.toMatch(/"additionalProperties": false/)
})
