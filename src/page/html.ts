/**
 * What the HTML pages that commands write have in common: escaping and tables. Pure text. A text of the data is anybody's, and must
 * never get into a page but through `escaped`.
 */

export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Cells are HTML already. `numbers`: columns that stand to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: readonly number[] = [],
): string {
  const cell = (tag: string) => (text: string, column: number) =>
    `<${tag}${numbers.includes(column) ? ' class="number"' : ''}${tag === 'th' ? ' scope="col"' : ''}>${text}</${tag}>`
  const lines = rows.map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`)
  return `<div class="scroll"><table><thead><tr>${head.map(cell('th')).join('')}</tr></thead><tbody>${lines.join('')}</tbody></table></div>`
}
