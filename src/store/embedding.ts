/**
 * What counts as an embedding and as a subject id, and the form in which embeddings are stored. Pure; no I/O.
 * Messages must never hold an embedding's values or a name.
 */
import { GrabberError } from '../../core/errors.ts'
import { ANONYMOUS_PREFIX } from '../../core/observation.ts'

/** Float32 rounding over 512 components stays below 1e-6; a model's own float16 output below 1e-3. */
const NORM_TOLERANCE = 1e-3
/** Characters of a person's name. */
export const MAX_NAME_LENGTH = 200
const SUBJECT_ID = /^[a-z0-9_-]{1,64}$/

/** GAL_MODEL_MISMATCH for another length; API_BAD_REQUEST for values that are no unit vector. */
export function checkEmbedding(embedding: Float32Array, dimension: number): void {
  if (embedding.length !== dimension) {
    const message = `an embedding has ${embedding.length} numbers, the gallery's model makes ${dimension}`
    throw new GrabberError('GAL_MODEL_MISMATCH', message)
  }
  let squares = 0
  for (const value of embedding) squares += value * value
  // NaN and infinities fail this comparison as well.
  if (!(Math.abs(Math.sqrt(squares) - 1) <= NORM_TOLERANCE)) {
    throw new GrabberError('API_BAD_REQUEST', 'an embedding is not finite or not of length 1', {
      remedy: 'divide it by its Euclidean norm first',
    })
  }
}

/** API_BAD_REQUEST unless `[a-z0-9_-]{1,64}`, and for an id that would look like that of a person without a name. */
export function checkSubjectId(subject: string): void {
  if (subject.startsWith(ANONYMOUS_PREFIX)) {
    throw new GrabberError('API_BAD_REQUEST', `a subject id begins with ${ANONYMOUS_PREFIX}`, {
      remedy: 'these are the ids of people without a name; `grabber faces name` gives them one',
    })
  }
  if (SUBJECT_ID.test(subject)) return
  throw new GrabberError('API_BAD_REQUEST', 'a subject id has other characters than a-z 0-9 _ - or is too long', {
    remedy: 'use 1 to 64 of a-z, 0-9, _ and -; the name may hold anything',
  })
}

/** float32, little endian, as every platform that Node runs on here has it. */
export function toBlob(embedding: Float32Array): Uint8Array {
  return new Uint8Array(embedding.buffer, embedding.byteOffset, embedding.byteLength)
}

/** One after the other. All are of one length. */
export function toBlobs(embeddings: readonly Float32Array[]): Uint8Array {
  return Buffer.concat(embeddings.map(toBlob))
}

/** Embeddings one after the other; each a copy. STO_UNUSABLE when the length does not fit the model. */
export function fromBlobs(blob: Uint8Array, dimension: number): Float32Array[] {
  const bytes = dimension * Float32Array.BYTES_PER_ELEMENT
  return Array.from({ length: Math.ceil(blob.byteLength / bytes) }, (_, index) =>
    fromBlob(blob.subarray(index * bytes, (index + 1) * bytes), dimension),
  )
}

/** A copy: SQLite's buffer need not be aligned to 4 bytes. STO_UNUSABLE when the length does not fit the model. */
export function fromBlob(blob: Uint8Array, dimension: number): Float32Array {
  if (blob.byteLength !== dimension * Float32Array.BYTES_PER_ELEMENT) {
    throw new GrabberError('STO_UNUSABLE', `a stored embedding has ${blob.byteLength} bytes`)
  }
  return new Float32Array(blob.slice().buffer)
}
