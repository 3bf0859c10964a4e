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
  MDL_MISSING: row(4, 'degrade', 'A model file is not installed.', 'run `grabber models pull`'),
  MDL_HASH: row(
    4,
    'refuse',
    'A model file does not have the hash that the manifest states.',
    'delete the file and run `grabber models pull`',
  ),
  MDL_TRUNCATED: row(
    4,
    'refuse',
    'A model file is shorter than the manifest states: a copy or a download was cut off.',
    'delete the file and run `grabber models pull`',
  ),
  MDL_SWAPPED: row(
    4,
    'refuse',
    'A model file holds another model of the manifest.',
    'give each file its own name again, or delete it and run `grabber models pull`',
  ),
  MDL_POINTER: row(
    4,
    'refuse',
    'A model file is a Git LFS pointer, a text that stands for the file.',
    'run `git lfs pull` where it came from, or delete it and run `grabber models pull`',
  ),
  MDL_NOT_ONNX: row(
    4,
    'refuse',
    'A model file is not an ONNX model.',
    'correct its entry in the manifest, or the file',
  ),
  MDL_MISMATCH: row(
    4,
    'refuse',
    'What a model takes and gives is not what its manifest entry states.',
    'correct the entry: the message says what the file has',
  ),
  MDL_OUTPUT: row(
    4,
    'refuse',
    'A model answers what is no number.',
    'the file is damaged or not usable on this device',
  ),
  MDL_CONVENTION: row(
    4,
    'refuse',
    'Measured on pictures, another colour order, value range or alignment suits a model better than its entry.',
    'correct the entry as the report says, and run the self-test again',
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
  ENG_MEMORY: row(
    5,
    'retry',
    'The device had no memory for a single request.',
    'lower analysis.width, or free memory on the device',
  ),
  ENG_POISON: row(
    5,
    'drop the item',
    'A request failed on its own after being retried.',
    'keep the frame and report it as a defect',
  ),
  ENG_PROVIDER: row(
    5,
    'refuse',
    'The CUDA provider could not be installed, or does not load.',
    'the CPU goes on working; check GPU, driver and network, then run script/setup-cuda again',
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
  GAL_TOO_SMALL: row(
    3,
    'refuse',
    'The face has too few pixels to be recognised by.',
    'take the picture from nearer, or give the original instead of a reduced copy',
  ),
  GAL_BLURRED: row(
    3,
    'refuse',
    'The face is blurred.',
    'use a picture that is in focus, with the person and the camera still',
  ),
  GAL_TURNED: row(3, 'refuse', 'The face is turned away.', 'use a picture in which the person looks at the camera'),
  GAL_TOO_DARK: row(3, 'refuse', 'The face is too dark.', 'put light on the face, or use a brighter picture'),
  GAL_TOO_BRIGHT: row(
    3,
    'refuse',
    'The face is overexposed.',
    'use a picture with less light on the face, or a shorter exposure',
  ),
  GAL_DISAGREE: row(
    3,
    'refuse',
    'The pictures do not show one and the same person.',
    'leave out who is not meant; `--allow-different` enrols a person who has changed that much',
  ),
  GAL_LOOKS_LIKE: row(
    3,
    'refuse',
    'The face looks like someone else who is enrolled.',
    'enrol it under that id; `--allow-similar` enrols two people who look alike',
  ),
  GAL_DUPLICATE: row(
    3,
    'refuse',
    'The same picture is given twice, or enrolled already.',
    'leave it out; a different picture of the person tells more',
  ),
  GAL_UNKNOWN_SUBJECT: row(
    3,
    'refuse',
    'There is no such person in the gallery.',
    'see `grabber faces list` and `grabber faces list --unknown`',
  ),
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
