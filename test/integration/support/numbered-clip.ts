/**
 * Frame numbers that survive coding and scaling: 16 squares along the bottom edge, black or white, the lowest bit at the left. With
 * the time at which each picture left (`Camera.sentAtMs`) they tell how old a picture is wherever it is looked at.
 */

const BITS = 16
/** A square's side as a share of the picture's width: 16 px at 640, 48 at 1920; the code covers two fifths of the edge. */
const SQUARES_ACROSS = 40
/** Luma this far from black or white (16 and 235) is somebody else's picture. */
const DARK = 80
const BRIGHT = 172

/** A filter graph that draws each picture's number, counted from 0, into `[from]` and gives `[to]`. Width in px, even. */
export function drawNumber(from: string, to: string, width: number, fps: number): string {
  const side = Math.round(width / SQUARES_ACROSS / 2) * 2
  // One pixel a bit is computed, then made large: an expression for each pixel of the picture would take longer than coding it.
  const bits = `geq=lum='255*mod(floor(N/pow(2,X)),2)'`
  const code = `color=black:s=${BITS}x1:r=${fps},format=gray,${bits},scale=${BITS * side}:${side}:flags=neighbor,format=yuv420p`
  return `${code}[code];[${from}][code]overlay=x=0:y=H-h:shortest=1[${to}]`
}

/**
 * The number in a picture, or null when there is none.
 * @param luma `[height, stride]` bytes, of any size with the shape of the clip (its full width from left to right)
 */
export function numberIn(luma: Uint8Array, width: number, height: number, stride = width): number | null {
  const side = width / SQUARES_ACROSS
  const row = Math.floor(height - side / 2)
  let number = 0
  for (let bit = 0; bit < BITS; bit++) {
    const value = luma[row * stride + Math.floor((bit + 0.5) * side)]
    if (value === undefined || (value > DARK && value < BRIGHT)) return null
    if (value >= BRIGHT) number += 2 ** bit
  }
  return number
}
