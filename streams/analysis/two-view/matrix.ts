/**
 * Small dense linear algebra for the geometry of two views. Pure; row-major Float64Array. Sizes are at most 9, where the plain
 * methods are exact enough and need no library.
 */

/** `[3, 3]` row-major. */
export type Mat3 = Float64Array

type Nine = readonly [number, number, number, number, number, number, number, number, number]

/** The nine numbers, to be named in inner loops. */
export function elements(m: Mat3): Nine {
  return m as unknown as Nine
}

export function multiply(a: Mat3, b: Mat3): Mat3 {
  const out = new Float64Array(9)
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 3; column++) {
      out[3 * row + column] =
        a[3 * row]! * b[column]! + a[3 * row + 1]! * b[3 + column]! + a[3 * row + 2]! * b[6 + column]!
    }
  }
  return out
}

export function transpose(m: Mat3): Mat3 {
  return Float64Array.of(m[0]!, m[3]!, m[6]!, m[1]!, m[4]!, m[7]!, m[2]!, m[5]!, m[8]!)
}

export function determinant(m: Mat3): number {
  return (
    m[0]! * (m[4]! * m[8]! - m[5]! * m[7]!) -
    m[1]! * (m[3]! * m[8]! - m[5]! * m[6]!) +
    m[2]! * (m[3]! * m[7]! - m[4]! * m[6]!)
  )
}

/** `undefined` when singular: |det| below 1e-12 of the norm cubed. */
export function invert(m: Mat3): Mat3 | undefined {
  const det = determinant(m)
  if (Math.abs(det) <= 1e-12 * norm(m) ** 3) return undefined
  const [a, b, c, d, e, f, g, h, i] = m as unknown as number[]
  return Float64Array.of(
    (e! * i! - f! * h!) / det,
    (c! * h! - b! * i!) / det,
    (b! * f! - c! * e!) / det,
    (f! * g! - d! * i!) / det,
    (a! * i! - c! * g!) / det,
    (c! * d! - a! * f!) / det,
    (d! * h! - e! * g!) / det,
    (b! * g! - a! * h!) / det,
    (a! * e! - b! * d!) / det,
  )
}

/** Frobenius. */
export function norm(m: Float64Array): number {
  let squares = 0
  for (const value of m) squares += value * value
  return Math.sqrt(squares)
}

/** To norm 1, in place. */
export function unit(m: Float64Array): Float64Array {
  const length = norm(m)
  if (length > 0) for (let i = 0; i < m.length; i++) m[i] = m[i]! / length
  return m
}

export interface Eigen {
  /** Falling. */
  values: Float64Array
  /** Column i belongs to value i, `[n, n]` row-major. */
  vectors: Float64Array
}

/** Of a symmetric `[n, n]` matrix, by Jacobi's rotations (Golub and Van Loan, § 8.5). Overwrites `a`. */
export function eigenSymmetric(a: Float64Array, n: number): Eigen {
  const v = new Float64Array(n * n)
  for (let i = 0; i < n; i++) v[i * n + i] = 1
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0
    let diagonal = 0
    for (let p = 0; p < n; p++) {
      diagonal += a[p * n + p]! ** 2
      for (let q = p + 1; q < n; q++) off += a[p * n + q]! ** 2
    }
    if (off <= 1e-30 * diagonal) break
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q)
  }
  return sortFalling(a, v, n)
}

function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q]!
  if (apq === 0) return
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apq)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let i = 0; i < n; i++) {
    const ip = a[i * n + p]!
    const iq = a[i * n + q]!
    a[i * n + p] = c * ip - s * iq
    a[i * n + q] = s * ip + c * iq
  }
  for (let i = 0; i < n; i++) {
    const pi = a[p * n + i]!
    const qi = a[q * n + i]!
    a[p * n + i] = c * pi - s * qi
    a[q * n + i] = s * pi + c * qi
    const ip = v[i * n + p]!
    const iq = v[i * n + q]!
    v[i * n + p] = c * ip - s * iq
    v[i * n + q] = s * ip + c * iq
  }
}

function sortFalling(a: Float64Array, v: Float64Array, n: number): Eigen {
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j]! - a[i * n + i]!)
  const vectors = new Float64Array(n * n)
  for (const [to, from] of order.entries()) for (let i = 0; i < n; i++) vectors[i * n + to] = v[i * n + from]!
  return { values: Float64Array.from(order, (i) => a[i * n + i]!), vectors }
}

export interface Svd3 {
  u: Mat3
  /** Falling. */
  s: Float64Array
  v: Mat3
}

/** m = u · diag(s) · vᵀ; u and v are orthogonal, with determinants of ±1. */
export function svd3(m: Mat3): Svd3 {
  const { vectors: v } = eigenSymmetric(multiply(transpose(m), m), 3)
  const mv = multiply(m, v)
  const s = new Float64Array(3)
  const u = new Float64Array(9)
  for (let column = 0; column < 3; column++) {
    s[column] = Math.hypot(mv[column]!, mv[3 + column]!, mv[6 + column]!)
    if (s[column]! <= 1e-12 * s[0]!) completeBasis(u, column)
    else for (let row = 0; row < 3; row++) u[3 * row + column] = mv[3 * row + column]! / s[column]!
  }
  return { u, s, v }
}

/** A unit vector across the columns before. */
function completeBasis(u: Mat3, column: number): void {
  const at = (c: number) => [u[c]!, u[3 + c]!, u[6 + c]!] as const
  let [x, y, z] = [1, 0, 0]
  if (column === 2) {
    const [a, b] = [at(0), at(1)]
    x = a[1] * b[2] - a[2] * b[1]
    y = a[2] * b[0] - a[0] * b[2]
    z = a[0] * b[1] - a[1] * b[0]
  } else if (column === 1) {
    const a = at(0)
    if (Math.abs(a[0]) > Math.abs(a[2])) [x, y, z] = [-a[1], a[0], 0]
    else [x, y, z] = [0, -a[2], a[1]]
    const length = Math.hypot(x, y, z)
    x /= length
    y /= length
    z /= length
  }
  u[column] = x
  u[3 + column] = y
  u[6 + column] = z
}

/**
 * Vectors that `rows × columns` equations send to zero, by elimination with complete pivoting; the others `columns − rows` in
 * number, as rows of `[columns − rows, columns]`. `undefined` when the equations depend on each other. Overwrites `a`.
 */
export function nullSpace(a: Float64Array, rows: number, columns: number): Float64Array | undefined {
  const order = Array.from({ length: columns }, (_, i) => i)
  for (let step = 0; step < rows; step++) {
    let [pivotRow, pivotColumn, largest] = [step, step, 0]
    for (let r = step; r < rows; r++) {
      for (let c = step; c < columns; c++) {
        const size = Math.abs(a[r * columns + c]!)
        if (size > largest) [pivotRow, pivotColumn, largest] = [r, c, size]
      }
    }
    if (largest < 1e-10) return undefined
    swapRows(a, columns, step, pivotRow)
    swapColumns(a, rows, columns, step, pivotColumn)
    ;[order[step], order[pivotColumn]] = [order[pivotColumn]!, order[step]!]
    const pivot = a[step * columns + step]!
    for (let c = step; c < columns; c++) a[step * columns + c] = a[step * columns + c]! / pivot
    for (let r = 0; r < rows; r++) {
      const factor = a[r * columns + step]!
      if (r === step || factor === 0) continue
      for (let c = step; c < columns; c++) a[r * columns + c] = a[r * columns + c]! - factor * a[step * columns + c]!
    }
  }
  const free = columns - rows
  const out = new Float64Array(free * columns)
  for (let k = 0; k < free; k++) {
    for (let r = 0; r < rows; r++) out[k * columns + order[r]!] = -a[r * columns + rows + k]!
    out[k * columns + order[rows + k]!] = 1
  }
  return out
}

function swapRows(a: Float64Array, columns: number, i: number, j: number): void {
  if (i === j) return
  for (let c = 0; c < columns; c++) {
    const value = a[i * columns + c]!
    a[i * columns + c] = a[j * columns + c]!
    a[j * columns + c] = value
  }
}

function swapColumns(a: Float64Array, rows: number, columns: number, i: number, j: number): void {
  if (i === j) return
  for (let r = 0; r < rows; r++) {
    const value = a[r * columns + i]!
    a[r * columns + i] = a[r * columns + j]!
    a[r * columns + j] = value
  }
}
