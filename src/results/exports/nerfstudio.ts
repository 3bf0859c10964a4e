/**
 * `--export nerfstudio`: the result's folder becomes a nerfstudio dataset but for the poses, which nobody knows yet: beside `images/`
 * the smaller copies `images_2`, `images_4` and `images_8`, of the same names, as `ns-process-data` makes them.
 *
 * There is no transforms.json: nerfstudio's reader demands a `transform_matrix` of every frame, and an invented one would train on
 * nonsense. It is written by nerfstudio itself, which runs COLMAP or takes its model over, and finds all pictures in place:
 *
 *     ns-process-data images --data images --output-dir . --skip-image-processing
 *     ns-process-data images --data images --output-dir . --skip-image-processing --skip-colmap   (after colmap/reconstruct.sh)
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyframeRecord } from '../../../core/keyframe.ts'
import type { CopyOrder } from '../../../core/wire/copies.ts'
import { named } from '../result-file.ts'

/** `num_downscales` 3, its default. */
const DIVISORS = [2, 4, 8]
/** `-q:v 2`, as theirs. */
const JPEG_QUALITY = 2

/** Makes the folders; the copies are to be made by whoever may decode. STO_OUTPUT. */
export async function nerfstudioCopies(folder: string, keyframes: readonly KeyframeRecord[]): Promise<CopyOrder[]> {
  for (const divisor of DIVISORS) {
    const target = join(folder, `images_${divisor}`)
    await named(target, () => mkdir(target, { recursive: true }))
  }
  return keyframes.map(({ file, width, height }) => ({
    file: join(folder, 'images', file),
    copies: DIVISORS.map((divisor) => ({
      path: join(folder, `images_${divisor}`, file),
      // FFmpeg's `iw/2` is cut to a whole number, and its reader computes the same.
      width: Math.max(1, Math.floor(width / divisor)),
      height: Math.max(1, Math.floor(height / divisor)),
      jpegQuality: JPEG_QUALITY,
    })),
  }))
}
