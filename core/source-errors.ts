/**
 * The codes of sources and decoders (core/error-table has them all).
 */
import { type ErrorRow, row } from './error-row.ts'

export const sourceErrors = {
  SRC_NOT_FOUND: row(3, 'refuse', 'The file or folder does not exist.', 'check the path'),
  SRC_EMPTY: row(3, 'refuse', 'The file is empty, or the folder or pattern holds no recording.', 'check what wrote it'),
  SRC_UNREADABLE: row(3, 'refuse', 'The input is not a media file that can be opened.', 'check the file with ffprobe'),
  SRC_NO_VIDEO: row(3, 'refuse', 'The input has no video stream.', 'give a file with a picture'),
  SRC_TOO_LARGE: row(
    3,
    'refuse',
    'The pictures of the input are larger than 8192 × 8192 px in area.',
    'scale it down, for example with ffmpeg; such a size is usually a damaged header',
  ),
  SRC_TIMEOUT: row(3, 'retry', 'The source did not answer in time.', 'check that it is reachable and not overloaded'),
  SRC_UNREACHABLE: row(
    3,
    'retry',
    'Nobody accepts connections at the address of the camera.',
    'check that the camera is on, its address and port, and the network between',
  ),
  SRC_DNS: row(
    3,
    'retry',
    'The name of the camera cannot be resolved.',
    'check the name, or write its address instead',
  ),
  SRC_AUTH: row(3, 'retry', 'The camera refuses the user or the password.', 'check the credentials of its source'),
  SRC_REFUSED: row(
    3,
    'retry',
    'The camera answers, and refuses the stream.',
    'check the path of its source, and how many viewers the camera allows',
  ),
  SRC_LOST: row(3, 'retry', 'The camera ended the stream.', 'look at the camera and the network if it happens often'),
  SRC_ONVIF: row(
    3,
    'retry',
    'What answers is no ONVIF device, or offers no stream.',
    'check that ONVIF is enabled in the camera, or give its rtsp:// address instead',
  ),
  SRC_UNSUPPORTED: row(3, 'refuse', 'The kind of source is not supported.', 'use one of the documented source forms'),
  DEC_UNSUPPORTED: row(
    3,
    'refuse',
    'There is no decoder for this codec.',
    're-encode the recording, for example to H.264',
  ),
  DEC_HARDWARE: row(
    3,
    'retry',
    'No hardware here decodes this stream, and the camera demands it.',
    'set `hardware: prefer` for the camera, or look at `refused` in /api/v1/cameras',
  ),
  DEC_FAILED: row(
    3,
    'retry',
    'No picture could be decoded from the stream.',
    'the recording is damaged; try to repair it with ffmpeg',
  ),
  DEC_HUNG: row(
    3,
    'restart',
    'A decoder did not return; its process is replaced.',
    'report it with the recording; re-encoding the recording helps meanwhile',
  ),
  DEC_DAMAGED: row(
    3,
    'drop the item',
    'Parts of the recording are damaged; the readable frames were used.',
    'see the positions in the summary',
  ),
  DEC_ENCODE: row(
    3,
    'refuse',
    'The clip could not be made by ffmpeg.',
    'the message has its last words; check the recording with ffprobe',
  ),
  DEC_VERIFY: row(
    3,
    'refuse',
    'What was written is not what it has to be, and was not published.',
    'the message says what it misses; report it with the recording',
  ),
  SRC_HDR: row(3, 'refuse', 'The video is HDR, or in a wide colour space.', 'give --tonemap, or convert it to BT.709'),
  SRC_LIMIT: row(
    3,
    'refuse',
    'The recording is longer, larger or shorter than jobs may be.',
    'change the limits under `jobs`',
  ),
  SRC_CHANGED: row(
    3,
    'refuse',
    'The file changed while it was read.',
    'try again when it is complete; `grabber watch` waits for that',
  ),
} as const satisfies Record<string, ErrorRow>
