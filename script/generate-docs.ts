/**
 * Writes the generated pages of docs/. Run through script/generate-docs.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { configurationPage, errorsPage, measuresPage } from './docs-pages.ts'
import { schemaFiles } from './event-schemas.ts'
import { typesFile } from './event-types.ts'
import { resultSchemaFiles } from './result-schemas.ts'

const docs = new URL('../docs/', import.meta.url)
const write = (name: string, text: string) => writeFileSync(new URL(name, docs), text)

write('errors.md', errorsPage())
write('configuration.md', configurationPage())
write('measures.md', measuresPage())
for (const [name, text] of schemaFiles()) write(`events/${name}`, text)
write('events/grabber-events.d.ts', typesFile())
mkdirSync(new URL('schemas/', docs), { recursive: true })
for (const [name, text] of resultSchemaFiles()) write(`schemas/${name}`, text)
