/**
 * Tracks of points over pictures: what verified pairs say is one point of the scene is joined (union-find). Pure.
 * A track that meets one picture twice is two points mistaken for one somewhere along the way, and nobody can tell where: it is
 * given up whole (Moulon and Monasse, Unordered feature tracking made fast and easy, CVMP 2012).
 */

/** Two pictures that see the same part of the scene, geometrically verified. */
export interface VerifiedPair {
  /** Indices of pictures, a < b. */
  a: number
  b: number
  /** Features that match, [in a, in b] each: 2 × n. */
  matches: Int32Array
  /** The angle between the two lines of sight of each match, degrees; 0 where the pair gives no parallax. */
  anglesDeg: Float32Array
}

export interface PointTrack {
  /** Pictures that see it, ascending. */
  pictures: readonly number[]
  /** The widest angle of any two that were matched directly, degrees. */
  angleDeg: number
}

/** `features`: how many each picture has. Tracks of two pictures and more, in order of their first feature. */
export function joinTracks(features: readonly number[], pairs: readonly VerifiedPair[]): PointTrack[] {
  const offsets = offsetsOf(features)
  const total = offsets.at(-1)!
  const forest = new Forest(total)
  for (const { a, b, matches } of pairs) {
    for (let at = 0; at < matches.length; at += 2)
      forest.join(offsets[a]! + matches[at]!, offsets[b]! + matches[at + 1]!)
  }
  const angles = new Float32Array(total)
  for (const { a, matches, anglesDeg } of pairs) {
    for (let n = 0; n < anglesDeg.length; n++) {
      const root = forest.root(offsets[a]! + matches[2 * n]!)
      angles[root] = Math.max(angles[root]!, anglesDeg[n]!)
    }
  }
  const members = new Map<number, number[]>()
  for (const [picture, count] of features.entries()) {
    for (let feature = 0; feature < count; feature++) {
      const node = offsets[picture]! + feature
      if (forest.isAlone(node)) continue
      const root = forest.root(node)
      const pictures = members.get(root)
      if (pictures) pictures.push(picture)
      else members.set(root, [picture])
    }
  }
  return [...members]
    .filter(([, pictures]) => pictures.length > 1 && isConsistent(pictures))
    .map(([root, pictures]) => ({ pictures, angleDeg: angles[root]! }))
}

/** Pictures come in ascending order. */
function isConsistent(pictures: readonly number[]): boolean {
  return pictures.every((picture, n) => picture !== pictures[n - 1])
}

function offsetsOf(features: readonly number[]): number[] {
  const offsets = [0]
  for (const count of features) offsets.push(offsets.at(-1)! + count)
  return offsets
}

/** Disjoint sets with union by size and path halving (Tarjan and van Leeuwen 1984). */
class Forest {
  readonly #parent: Int32Array
  readonly #size: Int32Array

  constructor(nodes: number) {
    this.#parent = Int32Array.from({ length: nodes }, (_, node) => node)
    this.#size = new Int32Array(nodes).fill(1)
  }

  root(node: number): number {
    const parent = this.#parent
    let at = node
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!
      at = parent[at]!
    }
    return at
  }

  isAlone(node: number): boolean {
    return this.#parent[node] === node && this.#size[node] === 1
  }

  join(one: number, other: number): void {
    let large = this.root(one)
    let small = this.root(other)
    if (large === small) return
    if (this.#size[large]! < this.#size[small]!) [large, small] = [small, large]
    this.#parent[small] = large
    this.#size[large]! += this.#size[small]!
  }
}
