/**
 * Keeps the values of metric labels that come from code (stage, reason, code, model) to a bounded number. Pure.
 */

/** Distinct values of one label; more are counted as `other`. */
const MAX_VALUES = 100

export class BoundedLabels {
  readonly #known = new Map<string, Set<string>>()

  /** `value`, or `other` when the label has too many already. */
  of(label: string, value: string): string {
    let values = this.#known.get(label)
    if (!values) {
      values = new Set()
      this.#known.set(label, values)
    }
    if (!values.has(value) && values.size >= MAX_VALUES) return 'other'
    values.add(value)
    return value
  }
}
