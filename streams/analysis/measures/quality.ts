/**
 * The few measures that every camera's pictures get, whether keyframes are selected or not: a cheap subset of `FrameMeter`'s, of
 * the analysis picture alone and of every third of its rows. Session host only.
 */
import type { LumaView } from '../../../core/frame.ts'
import type { FrameMeasures } from '../../../core/measures.ts'
import { measureDetail, TileTensors } from './detail.ts'
import { measureExposure } from './exposure.ts'

export type PictureQuality = Pick<FrameMeasures, 'laplacianVariance' | 'meanLuma' | 'darkRatio' | 'brightRatio'>

/** As in `detailStep`: on the lines of the codec's blocks in turn. */
const ROW_STEP = 3
/** Written and read within one call. */
const tensors = new TileTensors()
const levels = new Uint32Array(256)

export function measureQuality(luma: LumaView): PictureQuality {
  const { laplacianVariance } = measureDetail(luma, ROW_STEP, tensors)
  const { meanLuma, darkRatio, brightRatio } = measureExposure(luma, ROW_STEP, levels)
  return { laplacianVariance, meanLuma, darkRatio, brightRatio }
}
