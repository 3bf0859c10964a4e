/**
 * Smaller copies of pictures: what a session host is asked for. A picture that is encoded is decoded where hostile input may be,
 * even if it is our own. Plain data.
 */

export interface PictureCopy {
  /** Absolute; its folder exists. The name's end says the format: `.jpg` or `.png`. */
  path: string
  /** px, exactly. */
  width: number
  height: number
  /** Of JPEG, FFmpeg's 2 (best) to 31. */
  jpegQuality: number
}

export interface CopyOrder {
  /** The picture; absolute. */
  file: string
  copies: readonly PictureCopy[]
}

export interface CopiesSpec {
  orders: readonly CopyOrder[]
  openTimeoutMs: number
}
