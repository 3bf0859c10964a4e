/**
 * The largest picture that is decoded. Session host only. A header of a few bytes can ask for gigabytes: FFmpeg's own limit is
 * near 2²⁸ px, and a decoder holds up to 16 pictures for reference. Where only the bit stream says the size (H.264 without a
 * container, MPEG-TS), FFmpeg's probing decodes before anybody can look: up to three pictures under its own limit.
 */

/** In area: 8192 × 8192, twice what 8K video has. */
export const MAX_PICTURE_PX = 8192 * 8192
