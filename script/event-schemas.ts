/**
 * The published schemas of the events (docs/events/*.schema.json), from the schemas in core/event.ts. Pure; used by script/generate-docs
 * and by the tests that the committed files are up to date and true. They leave room for fields to come, as a
 * subscriber must: what grabber itself checks is stricter.
 */
import { z } from 'zod'
import { dataSchemaUri, type EventType, eventSchemas } from '../core/event.ts'
import { type JsonSchema, open, schemaFile } from './json-schema.ts'

export const eventTypes = Object.keys(eventSchemas) as EventType[]

const CLOUD_EVENT_URI = 'urn:grabber:schema:cloudevent:1'

/** Schema of the data of one type. */
export function dataSchema(type: EventType): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(eventSchemas[type], { target: 'draft-2020-12' }) as JsonSchema
  return { $schema: $schema!, $id: dataSchemaUri(type), title: type, ...open(schema) }
}

/** Schema of an event in structured mode, as `events tail --json` and `replay --events` write it. */
export function cloudEventSchema(): JsonSchema {
  const text: JsonSchema = { type: 'string', minLength: 1 }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: CLOUD_EVENT_URI,
    title: 'cloudevent',
    description: 'An event of grabber: CloudEvents 1.0, structured mode (JSON).',
    type: 'object',
    properties: {
      specversion: { const: '1.0' },
      id: {
        type: 'string',
        pattern: '^[0-9a-f]{32}$',
        description: 'The same happening has the same id, in every replay: drop what you have seen.',
      },
      source: { ...text, description: '/grabber/<node>/<camera>' },
      type: { enum: eventTypes },
      subject: { ...text, description: 'The camera; _node for events of the node itself.' },
      time: {
        type: 'string',
        format: 'date-time',
        description: 'When the light hit the sensor, as well as known; UTC.',
      },
      datacontenttype: { const: 'application/json' },
      dataschema: { ...text, description: 'Names the schema of the data, a file beside this one.' },
      data: { type: 'object' },
    },
    required: ['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema', 'data'],
    oneOf: eventTypes.map((type) => ({
      properties: {
        type: { const: type },
        dataschema: { const: dataSchemaUri(type) },
        data: { $ref: dataSchemaUri(type) },
      },
    })),
  }
}

/** Every schema file by its name. */
export function schemaFiles(): Map<string, string> {
  const schemas = [cloudEventSchema(), ...eventTypes.map(dataSchema)]
  return new Map(schemas.map((schema) => [schemaFile(schema.$id!), `${JSON.stringify(schema, null, 2)}\n`]))
}
