/**
 * Schemas as they are published: what zod writes of ours, under a name, with room for fields to come. Pure.
 */

/** What zod writes of our schemas, in the words of JSON Schema 2020-12. */
export interface JsonSchema {
  $schema?: string
  $id?: string
  $ref?: string
  title?: string
  description?: string
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  items?: JsonSchema | false
  prefixItems?: JsonSchema[]
  propertyNames?: JsonSchema
  properties?: Record<string, JsonSchema>
  additionalProperties?: JsonSchema | boolean
  required?: string[]
  format?: string
  pattern?: string
  minLength?: number
}

/** File name of a schema by its URI: `urn:grabber:schema:motion:1` → `motion.1.schema.json`. */
export function schemaFile(uri: string): string {
  const [, , , name, version] = uri.split(':')
  return `${name}.${version}.schema.json`
}

/** Without "nothing else": a field that is added later must not make an old reader refuse the whole. */
export function open(schema: JsonSchema): JsonSchema {
  const { additionalProperties, properties, items, anyOf, ...rest } = schema
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, one]) => [key, open(one)])),
    }),
    ...(items && { items: open(items) }),
    ...(anyOf && { anyOf: anyOf.map(open) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: open(additionalProperties) }),
  }
}
