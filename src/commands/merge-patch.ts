/**
 * JSON Merge Patch (RFC 7396): what is given replaces, `null` removes, the rest stays. Pure.
 */

type Mapping = Record<string, unknown>

export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMapping(patch)) return patch
  const merged = new Map(Object.entries(isMapping(target) ? target : {}))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, mergePatch(merged.get(key), value))
  }
  // Also a key such as __proto__ becomes a plain key, for the schema to refuse.
  return Object.fromEntries(merged)
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
