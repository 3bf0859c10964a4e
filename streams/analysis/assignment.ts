/**
 * The assignment of least total cost between two small sets. Pure.
 * The Hungarian method (Kuhn 1955) with potentials and shortest augmenting paths (Jonker and Volgenant 1987), O(n²·m).
 * Greedy association takes the best pair first, and at a crossing leaves the other two with each other's track.
 */

/**
 * `costs[row][column]`, rows of equal length; `none` is the cost of leaving a row without a column, and a cost of Infinity
 * is a pair that must not be. Gives each row its column or `undefined`. Equal totals: the same answer for the same input.
 */
export function assign(costs: readonly (readonly number[])[], none: number): (number | undefined)[] {
  const columns = costs[0]?.length ?? 0
  // Each row has a place of its own to be left alone in, so that a full assignment always exists.
  const width = columns + costs.length
  const cost = (row: number, column: number) => {
    if (column < columns) return costs[row]![column]!
    return column - columns === row ? none : Number.POSITIVE_INFINITY
  }
  // Index 0 stands for "no row" and "no column"; rows and columns count from 1.
  const rowPotential = new Float64Array(costs.length + 1)
  const columnPotential = new Float64Array(width + 1)
  const rowOf = new Int32Array(width + 1)
  const previous = new Int32Array(width + 1)
  for (let row = 1; row <= costs.length; row++) {
    const shortest = new Float64Array(width + 1).fill(Number.POSITIVE_INFINITY)
    const visited = new Uint8Array(width + 1)
    let column = 0
    rowOf[0] = row
    while (rowOf[column] !== 0) {
      visited[column] = 1
      const from = rowOf[column]!
      let step = Number.POSITIVE_INFINITY
      let next = 0
      for (let other = 1; other <= width; other++) {
        if (visited[other] === 1) continue
        const reduced = cost(from - 1, other - 1) - rowPotential[from]! - columnPotential[other]!
        if (reduced < shortest[other]!) {
          shortest[other] = reduced
          previous[other] = column
        }
        if (shortest[other]! < step) {
          step = shortest[other]!
          next = other
        }
      }
      for (let other = 0; other <= width; other++) {
        if (visited[other] === 1) {
          rowPotential[rowOf[other]!] = rowPotential[rowOf[other]!]! + step
          columnPotential[other] = columnPotential[other]! - step
        } else shortest[other] = shortest[other]! - step
      }
      column = next
    }
    while (column !== 0) {
      rowOf[column] = rowOf[previous[column]!]!
      column = previous[column]!
    }
  }
  const assigned = new Array<number | undefined>(costs.length).fill(undefined)
  for (let column = 1; column <= columns; column++) if (rowOf[column] !== 0) assigned[rowOf[column]! - 1] = column - 1
  return assigned
}
