/**
 * Writes the generated pages of docs/. Run through script/generate-docs.
 */
import { writeFileSync } from 'node:fs'
import { configurationPage, errorsPage } from './docs-pages.ts'

const docs = new URL('../docs/', import.meta.url)
writeFileSync(new URL('errors.md', docs), errorsPage())
writeFileSync(new URL('configuration.md', docs), configurationPage())
