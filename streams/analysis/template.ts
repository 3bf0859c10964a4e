/**
 * A face template: the quality-weighted sum of embeddings of one person, normalised (template pooling, as in NIST's IJB
 * protocols). Pure; sums in double precision, so that their order hardly matters.
 */
export class Template {
  #sum = new Float64Array(0)
  #squares = 0
  #size = 0

  /** Embeddings in it. */
  get size(): number {
    return this.#size
  }

  /** `embedding` is L2-normalised; all of one template have the same length. */
  add(embedding: Float32Array, weight: number): void {
    if (this.#size === 0) this.#sum = new Float64Array(embedding.length)
    this.#squares = 0
    for (let i = 0; i < this.#sum.length; i++) {
      const value = this.#sum[i]! + weight * embedding[i]!
      this.#sum[i] = value
      this.#squares += value * value
    }
    this.#size++
  }

  /** L2-normalised, a fresh copy. */
  vector(): Float32Array {
    const norm = this.#norm
    return Float32Array.from(this.#sum, (value) => value / norm)
  }

  /** With an L2-normalised embedding; 0 for an empty template. */
  cosine(embedding: Float32Array): number {
    let dot = 0
    for (let i = 0; i < this.#sum.length; i++) dot += this.#sum[i]! * embedding[i]!
    return dot / this.#norm
  }

  get #norm(): number {
    return Math.sqrt(this.#squares) || 1
  }
}
