/**
 * The HTTP status of an error code; services on the bus use the same numbers. Pure.
 */
import { type ErrorCode, errorTable } from '../../core/error-table.ts'

const exceptions: Partial<Record<ErrorCode, number>> = {
  API_BAD_REQUEST: 400,
  API_FORBIDDEN: 403,
  API_NOT_FOUND: 404,
  GAL_UNKNOWN_SUBJECT: 404,
  API_CONFLICT: 409,
  CFG_IN_FILE: 409,
  GAL_MODEL_MISMATCH: 409,
}

export function httpStatus(code: ErrorCode): number {
  const { exit } = errorTable[code]
  return exceptions[code] ?? (exit === 5 ? 503 : exit === 1 ? 500 : 422)
}
