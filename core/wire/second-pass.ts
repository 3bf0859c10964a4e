/**
 * The second pass over keyframes that were selected: what a session host is asked for, and what it finds out. Plain data.
 */

export interface SecondPassPicture {
  seq: number
  /** Name in the folder of images. */
  file: string
  /** 0–1: of two that show the same the better one stays. */
  score: number
}

export interface SecondPassSpec {
  imagesDir: string
  pictures: readonly SecondPassPicture[]
  /** Keep no more than so many; `null`: as many as are needed. */
  max: number | null
  openTimeoutMs: number
}

export interface SecondPassOutcome {
  /** Numbers of the pictures that stay, ascending. */
  kept: number[]
  /** Pictures that an incremental reconstruction is expected to register, of all and of those that stay. */
  registered: { before: number[]; after: number[] }
  pairs: { compared: number; verified: number; withParallax: number }
  tracks: {
    count: number
    /** Pictures in which a point is seen, mean. */
    meanLength: number
    /** Median over tracks of the widest angle under which a point is seen, degrees. */
    medianAngleDeg: number
  }
}
