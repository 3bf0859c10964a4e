/**
 * The published schema of metadata.json (docs/schemas), from src/results/metadata-schema.ts. Pure; used by script/generate-docs and by
 * the tests that the committed file is up to date and true.
 */
import { z } from 'zod'
import { METADATA_SCHEMA, metadataSchema } from '../src/results/metadata-schema.ts'
import { type JsonSchema, open, schemaFile } from './json-schema.ts'

export function metadataJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(metadataSchema, { target: 'draft-2020-12' }) as JsonSchema
  return { $schema: $schema!, $id: METADATA_SCHEMA, title: 'metadata', ...open(schema) }
}

/** Every schema file by its name. */
export function resultSchemaFiles(): Map<string, string> {
  const schema = metadataJsonSchema()
  return new Map([[schemaFile(schema.$id!), `${JSON.stringify(schema, null, 2)}\n`]])
}
