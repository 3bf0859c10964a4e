/**
 * What an external trigger says, as a command and as a message on `grabber.<node>.trigger.<camera>`. Pure.
 */
import { z } from 'zod'
import type { Trigger } from '../actors/session-process.ts'

export const triggerFields = {
  reason: z.string().min(1).max(200),
  keyframe: z.boolean().default(false),
  seconds: z.number().min(1).max(600).default(10),
}

export const triggerSchema = z.strictObject(triggerFields)

export type TriggerFields = z.output<typeof triggerSchema>

export function triggerOf({ reason, keyframe, seconds }: TriggerFields): Trigger {
  return { reason, keyframe, holdMs: Math.round(seconds * 1000) }
}
