/**
 * A self-test's report for a person. Pure text.
 */
import type { SelfTestReport } from './models-self-test.ts'
import { table } from './table.ts'

export function selfTestText({ model, device, checks, measured, aspects, verdict, why }: SelfTestReport): string {
  const lines = [`${model} on ${device}: ${verdict} (${why})`]
  for (const { check, ok, detail } of checks) lines.push(`  ${ok ? 'ok    ' : 'WRONG '} ${check}: ${detail}`)
  if (measured) {
    const { people, pictures, given, figure, declared, auc } = measured
    const area = auc === undefined ? '' : `, area under the ROC curve ${auc.toFixed(4)}`
    lines.push(
      `  ${pictures} of ${given} pictures of ${people} people; ${figure} as declared ${declared.toFixed(3)}${area}`,
    )
  }
  for (const aspect of aspects) {
    lines.push(`  ${aspect.aspect} ${aspect.declared}: ${aspect.verdict} (${aspect.why})`)
    if (aspect.alternatives.length === 0) continue
    const rows = aspect.alternatives.map(({ name, figure, difference: { low, high }, judgement }) => [
      `    ${name}`,
      figure.toFixed(3),
      judgement,
      Number.isFinite(low)
        ? `the declared one leads by ${low.toFixed(3)} to ${high.toFixed(3)}`
        : 'gives no usable answer',
    ])
    lines.push(table(rows).trimEnd())
  }
  return `${lines.join('\n')}\n`
}
