/**
 * A section that has defaults for every field, and can be overridden field by field elsewhere. Pure schema algebra.
 */
import { z } from 'zod'

type Fields = Record<string, z.ZodType>
type Values<F extends Fields> = { [K in keyof F]: z.output<F[K]> }

export interface Section<F extends Fields> {
  /** Every field present: a missing one takes its default. */
  full: z.ZodPrefault<z.ZodObject<{ [K in keyof F]: z.ZodDefault<F[K]> }, z.core.$strict>>
  /** Only what is written; no defaults. */
  override: z.ZodOptional<z.ZodObject<{ [K in keyof F]: z.ZodOptional<F[K]> }, z.core.$strict>>
}

export function section<F extends Fields>(description: string, fields: F, defaults: Values<F>): Section<F> {
  const full: Fields = {}
  const override: Fields = {}
  for (const [key, field] of Object.entries(fields)) {
    full[key] = field.default(defaults[key] as never)
    override[key] = field.optional()
  }
  return {
    full: z.strictObject(full).prefault({}).describe(description),
    override: z.strictObject(override).optional().describe(`${description} Overrides \`defaults\`.`),
  } as unknown as Section<F>
}
