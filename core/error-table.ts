/**
 * Every error code: meaning, what the program does, what the person does, exit status.
 * docs/errors.md is generated from this table (script/generate-docs); codes are part of the public contract.
 */

export interface ErrorRow {
  meaning: string
  program: 'exit' | 'retry' | 'drop the item' | 'restart' | 'quarantine' | 'refuse' | 'degrade'
  person: string
  retryable: boolean
  /** Exit status of a command that ends with it (CONTRACT: 0 done, 1 defect, 2 usage, 3 input, 4 model, 5 service). */
  exit: 1 | 2 | 3 | 4 | 5
}

const row = (exit: ErrorRow['exit'], program: ErrorRow['program'], meaning: string, person: string): ErrorRow => ({
  meaning,
  program,
  person,
  retryable: program === 'retry' || program === 'restart',
  exit,
})

export const errorTable = {
  CFG_INVALID: row(
    2,
    'refuse',
    'The configuration has errors.',
    'correct the named keys; `grabber config check` shows them all',
  ),
  CFG_UNREADABLE: row(
    2,
    'refuse',
    'The configuration file cannot be read.',
    'check the path given with -c and its permissions',
  ),
  CFG_USAGE: row(2, 'refuse', 'The command line is not valid.', 'see --help of the command'),
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
  SRC_UNSUPPORTED: row(3, 'refuse', 'The kind of source is not supported.', 'use one of the documented source forms'),
  DEC_UNSUPPORTED: row(
    3,
    'refuse',
    'There is no decoder for this codec.',
    're-encode the recording, for example to H.264',
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
  MDL_MISSING: row(4, 'degrade', 'A model file is not installed.', 'run `grabber models pull`'),
  MDL_HASH: row(
    4,
    'refuse',
    'A model file does not have the hash that the manifest states.',
    'delete the file and run `grabber models pull`',
  ),
  MDL_INVALID: row(
    4,
    'refuse',
    'The manifest or a model is not usable.',
    'restore models/manifest.json or pull the model again',
  ),
  MDL_DOWNLOAD: row(
    4,
    'retry',
    'A model could not be fetched from any of its addresses.',
    'check the network, or set GRABBER_ASSETS to a local mirror',
  ),
  ENG_UNAVAILABLE: row(
    5,
    'restart',
    'The inference engine is not running.',
    'see the engine state; it is restarted by its supervisor',
  ),
  ENG_START: row(
    5,
    'restart',
    'The inference engine did not start.',
    'run `grabber models verify`; see its log line for the device',
  ),
  ENG_HUNG: row(
    5,
    'restart',
    'A batch ran past its deadline; the engine is killed and restarted.',
    'check the device and its driver',
  ),
  ENG_QUEUE_FULL: row(5, 'retry', 'The engine queue is full.', 'lower analysis.fps or the number of cameras'),
  ENG_EXPIRED: row(5, 'drop the item', 'A request waited past its deadline and was not run.', 'lower the load'),
  ENG_POISON: row(
    5,
    'drop the item',
    'A request failed on its own after being retried.',
    'keep the frame and report it as a defect',
  ),
  ENG_PROTOCOL: row(
    5,
    'restart',
    'A message on the engine socket was not valid.',
    'all processes must be of the same version',
  ),
  BUS_UNAVAILABLE: row(
    5,
    'retry',
    'The NATS server cannot be reached; events wait in the outbox.',
    'check nats.url and the server',
  ),
  BUS_REFUSED: row(5, 'retry', 'The NATS server refused a message.', 'check its limits and permissions'),
  BUS_START: row(
    5,
    'restart',
    'The local nats-server did not start.',
    'see its log under data/nats; another program may use its folder',
  ),
  STO_LOCKED: row(
    5,
    'exit',
    'Another grabber owns the data folder.',
    'stop it first, or give another folder with GRABBER_DATA',
  ),
  STO_UNUSABLE: row(
    5,
    'exit',
    'The store cannot be opened or written.',
    'check free space and permissions of the data folder',
  ),
  STO_VERSION: row(
    5,
    'exit',
    'The store was written by a newer version.',
    'use that version, or restore the backup made before the upgrade',
  ),
  GAL_NO_FACE: row(3, 'refuse', 'No face was found in the picture.', 'use a sharper picture with the face in view'),
  GAL_SEVERAL_FACES: row(
    3,
    'refuse',
    'Several faces were found; it is not clear who is meant.',
    'crop the picture to one person',
  ),
  GAL_UNKNOWN_SUBJECT: row(3, 'refuse', 'There is no such subject in the gallery.', 'see `grabber faces list`'),
  GAL_MODEL_MISMATCH: row(
    3,
    'refuse',
    'An embedding belongs to another model than the gallery.',
    'enrol again with the present model',
  ),
  ACT_DEFECT: row(
    1,
    'restart',
    'A defect in the program.',
    'please report it with the log; --log-level debug adds the stack',
  ),
  ACT_HOST_DIED: row(
    1,
    'restart',
    'A child process ended unexpectedly.',
    'see the log; it is restarted by its supervisor',
  ),
  ACT_DEADLINE: row(5, 'retry', 'An answer did not come in time.', 'see the supervision tree for what is stuck'),
  ACT_OVERFLOW: row(5, 'retry', 'The mailbox of an actor is full.', 'see the supervision tree for what is stuck'),
  ACT_STOPPED: row(
    5,
    'retry',
    'The actor that was asked has ended.',
    'ask again; see the supervision tree for its state',
  ),
  ACT_GAVE_UP: row(5, 'exit', 'A job failed after all its attempts.', 'see the last error; run the command again'),
  API_BAD_REQUEST: row(2, 'refuse', 'The request is not valid.', 'correct what the message names'),
  API_NOT_FOUND: row(2, 'refuse', 'There is no such resource.', 'see the list at /api/v1'),
  API_LISTEN: row(
    5,
    'restart',
    'The HTTP address cannot be listened on.',
    'change http.port; another program may use it',
  ),
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof errorTable
