/**
 * Grey-level co-occurrence: how often two levels are neighbours, and four of Haralick's features of that matrix (SMC 1973). Pure;
 * session host only.
 */
import type { LumaView } from '../../../core/frame.ts'

export interface CoOccurrence {
  glcmContrast: number
  glcmHomogeneity: number
  glcmEnergy: number
  glcmCorrelation: number
}

const LEVELS = 32
const [SHIFT, ROW_SHIFT] = [3, 5]
export const GLCM_CELLS = LEVELS * LEVELS

/**
 * One matrix of the pairs at distance 1 in four directions (0°, 45°, 90°, 135°), made symmetric, from rows 0, `rowStep`, … and the
 * rows below them. `matrix` is memory for `GLCM_CELLS`.
 */
export function measureCoOccurrence(luma: LumaView, rowStep: number, matrix: Uint32Array): CoOccurrence {
  const { data, width, height, stride } = luma
  matrix.fill(0)
  for (let y = 0; y < height - 1; y += rowStep) {
    const row = y * stride
    let own = data[row + 1]! >> SHIFT
    let below0 = data[row + stride]! >> SHIFT
    let below1 = data[row + stride + 1]! >> SHIFT
    for (let at = row + 2; at < row + width; at++) {
      const right = data[at]! >> SHIFT
      const below2 = data[at + stride]! >> SHIFT
      const line = own << ROW_SHIFT
      matrix[line + right] = matrix[line + right]! + 1
      matrix[line + below0] = matrix[line + below0]! + 1
      matrix[line + below1] = matrix[line + below1]! + 1
      matrix[line + below2] = matrix[line + below2]! + 1
      own = right
      below0 = below1
      below1 = below2
    }
  }
  return features(matrix)
}

function features(matrix: Uint32Array): CoOccurrence {
  let [n, sum, squares, products] = [0, 0, 0, 0]
  let [contrast, homogeneity, energy] = [0, 0, 0]
  for (let i = 0; i < LEVELS; i++) {
    for (let j = 0; j < LEVELS; j++) {
      const count = matrix[i * LEVELS + j]!
      const both = count + matrix[j * LEVELS + i]!
      if (both === 0) continue
      const distance = (i - j) * (i - j)
      n += both
      sum += both * i
      squares += both * i * i
      products += both * i * j
      contrast += both * distance
      homogeneity += both / (1 + distance)
      energy += both * both
    }
  }
  if (n === 0) return { glcmContrast: 0, glcmHomogeneity: 0, glcmEnergy: 0, glcmCorrelation: 0 }
  const mean = sum / n
  const variance = squares / n - mean * mean
  return {
    glcmContrast: contrast / n,
    glcmHomogeneity: homogeneity / n,
    glcmEnergy: Math.sqrt(energy) / n,
    glcmCorrelation: variance > 1e-12 ? (products / n - mean * mean) / variance : 1,
  }
}
